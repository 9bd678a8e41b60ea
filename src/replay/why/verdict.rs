//! What policies said, in clauses: which of them said no, by which binding, and what would have had
//! to differ.

use super::story::Verdict;
use super::voice::{Voice, joined, named, within};
use crate::flow::Event;
use crate::flow::model::PolicyEngineMode;
use crate::flow::plan::Pinned;
use crate::flow::verdict::{Membership, PolicyEvaluated, PolicyFailed};

/// A policy by its name; the operator gets its version.
pub(super) fn policy(name: &str, policy: Pinned, voice: Voice) -> String {
    if name.is_empty() {
        return voice.or(
            || format!("the policy {}, which was deleted,", policy.id),
            "a policy that was deleted",
        );
    }
    let version = voice.only_operator(|| format!(" (version {})", policy.version));
    format!("the policy {}{version}", named(name))
}

fn bound(binding: Option<Pinned>, voice: Voice) -> String {
    match binding {
        Some(binding) => voice.only_operator(|| format!(", bound by {},", binding.id)),
        None => String::new(),
    }
}

/// Why a target does not pass, as a clause.
pub(super) fn why_not(verdict: &Verdict<'_>, voice: Voice) -> String {
    let mut reasons: Vec<String> = verdict
        .answers
        .iter()
        .filter_map(|answer| match answer {
            Event::PolicyEvaluated(it) if !it.passing => Some(said_no(it, voice)),
            Event::PolicyFailed(it) if !it.passing => Some(failed(it, voice)),
            _ => None,
        })
        .collect();
    let members = &verdict.decided.members;
    let strangers: Vec<&Membership> = members.iter().filter(|it| !it.passing).collect();
    let refuses = match verdict.decided.mode {
        PolicyEngineMode::All => !strangers.is_empty(),
        PolicyEngineMode::Any => !members.is_empty() && strangers.len() == members.len(),
    };
    if refuses {
        reasons.push(not_among(&strangers, voice));
    }
    if reasons.is_empty() {
        return "its policies said no".to_owned();
    }
    let several = reasons.len() > 1;
    let mode = match verdict.decided.mode {
        PolicyEngineMode::Any if several => ", and none of the others said yes",
        _ => "",
    };
    format!("{}{mode}", joined(&reasons, "and"))
}

fn said_no(it: &PolicyEvaluated, voice: Voice) -> String {
    let name = policy(&it.name, it.policy, voice);
    let bound = bound(it.binding, voice);
    let turned = if it.negated {
        " said yes, which its binding turns into a no"
    } else {
        " said no"
    };
    let messages: Vec<String> = it
        .messages
        .iter()
        .map(|it| format!("“{}”", within(it)))
        .collect();
    let told = if messages.is_empty() {
        String::new()
    } else {
        voice.only_operator(|| format!(" with the message {}", joined(&messages, "and")))
    };
    format!("{name}{bound}{turned}{told}")
}

fn failed(it: &PolicyFailed, voice: Voice) -> String {
    let name = policy(&it.name, it.policy, voice);
    let bound = bound(it.binding, voice);
    let error = voice.only_operator(|| format!(" with the error “{}”", within(it.named().0)));
    format!("{name}{bound} failed{error}, which counts as a no")
}

fn not_among(strangers: &[&Membership], voice: Voice) -> String {
    let negated = strangers.iter().all(|it| it.negated);
    let whom = voice.only_operator(|| {
        let all: Vec<String> = strangers
            .iter()
            .map(|it| match (it.group, it.user) {
                (Some(group), _) => format!("group {group}, bound by {}", it.binding.id),
                (None, Some(user)) => format!("user {user}, bound by {}", it.binding.id),
                (None, None) => format!("binding {}", it.binding.id),
            })
            .collect();
        format!(" ({})", joined(&all, "and"))
    });
    let among = if negated {
        "the visitor is nobody whom it is for: a group or a user is shut out by it"
    } else {
        "the visitor is not one of the groups and users for whom it is"
    };
    format!("{among}{whom}")
}

/// What would have had to differ, as what comes behind "to be let in,".
pub(super) fn would_have(verdict: &Verdict<'_>, voice: Voice) -> String {
    let mut wishes: Vec<String> = verdict
        .answers
        .iter()
        .filter_map(|answer| match answer {
            Event::PolicyEvaluated(it) if !it.passing => {
                let name = policy(&it.name, it.policy, voice);
                let answer = if it.negated { "no" } else { "yes" };
                Some(format!("{name} would have had to say {answer}"))
            }
            Event::PolicyFailed(it) if !it.passing => {
                let name = policy(&it.name, it.policy, voice);
                Some(format!("{name} would have had to work, and to say yes"))
            }
            _ => None,
        })
        .collect();
    if verdict.decided.members.iter().any(|it| !it.passing) {
        wishes.push("the visitor would have had to be one of the groups or users".to_owned());
    }
    let word = match verdict.decided.mode {
        PolicyEngineMode::All => "and",
        PolicyEngineMode::Any => "or",
    };
    if wishes.is_empty() {
        "its policies would have had to say yes".to_owned()
    } else {
        joined(&wishes, word)
    }
}

/// The policy that decided, for programs: the first that said no.
pub(super) fn first_no<'a>(verdict: &Verdict<'a>) -> Option<&'a Event> {
    let says_no = |it: &&&Event| match it {
        Event::PolicyEvaluated(it) => !it.passing,
        Event::PolicyFailed(it) => !it.passing,
        _ => false,
    };
    verdict.answers.iter().find(says_no).copied()
}
