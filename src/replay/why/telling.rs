//! What happened on the way, in sentences.

use super::factor;
use super::note::{Note, Spared, What};
use super::verdict;
use super::voice::{Voice, joined, named, times, within};
use crate::flow::event::{Errors, PasswordProblem};
use crate::flow::verdict::{PlanChange, When};

/// A note as a sentence, not yet with its capital letter and its full stop.
#[expect(
    clippy::too_many_lines,
    reason = "one arm for every note, so that none is forgotten"
)]
pub(super) fn told(note: &Note<'_>, voice: Voice) -> String {
    let often = times(note.times);
    let again = if note.times > 1 {
        format!(" {often}")
    } else {
        String::new()
    };
    let stage = note.stage.as_ref();
    let here = stage.map_or_else(String::new, |it| {
        format!("at the stage {}, ", named(&it.name))
    });
    let stage = stage.map_or_else(
        || "the stage".to_owned(),
        |it| format!("the stage {}", named(&it.name)),
    );
    match &note.what {
        What::Password(problem) => format!("{here}{}", password(*problem, &often)),
        What::Factor { class, reason } => {
            format!("{here}{}", factor::told(class, reason, &often, voice))
        }
        What::Complaint { errors } => complaint(errors, &here, &often, voice),
        What::PromptPolicies { verdict } => format!(
            "{here}what was typed was refused {often}, because {}",
            verdict::why_not(verdict, voice)
        ),
        What::SentAgain => format!("{here}the visitor asked {often} for the mail to be sent again"),
        What::Captcha { score, codes } => {
            let score = score.map_or_else(String::new, |it| format!(" with a score of {it}"));
            let codes = if codes.is_empty() {
                String::new()
            } else {
                voice.only_operator(|| format!(" (the provider said {})", joined(codes, "and")))
            };
            format!("{here}the check whether the visitor is a person failed {often}{score}{codes}")
        }
        What::ConsentStale => format!(
            "{here}the visitor agreed {often} to a question that had been replaced by a newer one, \
             as happens with two open tabs, and was asked again"
        ),
        What::Withheld { recent } => format!(
            "{here}a mail or a code was held back {often}, because {recent} had gone to the same \
             place shortly before"
        ),
        What::StageFailed { error } => {
            let error = voice.only_operator(|| format!(": {}", within(error)));
            format!("{stage} could not do its work{again}{error}")
        }
        What::PolicyFailed {
            name,
            policy,
            error,
            passing,
        } => {
            let policy = verdict::policy(name, *policy, voice);
            let error = voice.only_operator(|| format!(" with the error “{}”", within(error)));
            let counts = if *passing { "a yes" } else { "a no" };
            format!("{policy} failed{again}{error}, which counted as {counts}")
        }
        What::ExpressionFailed { of, error } => voice.or(
            || format!("{here}an expression failed{again}, {of}: {}", within(error)),
            &format!("{here}an expression that an administrator wrote failed{again}"),
        ),
        What::Misconfigured { what, problem } => voice.or(
            || {
                format!(
                    "the operator has to mend something, {what}: {}",
                    within(problem)
                )
            },
            &format!("{here}something is set up wrongly, which an administrator has to mend"),
        ),
        What::Refused { why } => format!("{here}something was refused{again}, because {why}"),
        What::EffectFailed { effect, problem } => {
            let problem = voice.only_operator(|| format!(": {}", within(problem)));
            format!("{effect} failed for good{again}{problem}")
        }
        What::EffectTimedOut { effect } => format!("nothing came of {effect} in time{again}"),
        What::EffectUnknown { effect } => format!(
            "the server was interrupted, so nobody knows whether {effect} went out, and it is \
             not repeated"
        ),
        What::Abandoned => {
            format!("{here}the visitor did something else{again} instead of waiting any longer")
        }
        What::CodeRanOut => format!("a code that had been sent ran out{again} without being used"),
        What::LinkRanOut => {
            format!("a link that had been sent ran out{again} without being confirmed")
        }
        What::Restarted { keep } => restarted(&stage, *keep, note.times),
        What::Moved { elsewhere: true } => {
            "a link was confirmed in another browser; the attempt went on there, and the browser \
             in which it had begun got nothing of it any more"
                .to_owned()
        }
        What::Moved { elsewhere: false } => {
            "a link was confirmed in the same browser, and the attempt went on there".to_owned()
        }
        What::LinkOpened => format!("a link was opened {often}, which by itself changes nothing"),
        What::Redirected { slug, keep } => {
            let kept = if *keep { "kept" } else { "forgotten" };
            format!(
                "{stage} led on into the flow {}; what was known until then was {kept}",
                named(slug)
            )
        }
        What::WayGivenUp => {
            "a browser that had no part in it any more gave up its way there".to_owned()
        }
        What::Stale => format!(
            "an answer to a question that was no longer asked, as from an old tab, was put aside \
             {often}"
        ),
        What::PlanChanged { change, by } => plan_changed(change, by, voice),
        What::LeftOut {
            stage,
            when,
            verdict,
        } => left_out(stage, *when, verdict.as_ref(), voice),
        What::Spared(spared) => format!("{stage} {}", self::spared(*spared)),
    }
}

fn password(problem: PasswordProblem, often: &str) -> String {
    match problem {
        PasswordProblem::Wrong => format!("a wrong password was typed {often}"),
        PasswordProblem::UnknownUser => {
            format!("a password was typed {often} for a name that no account has")
        }
        PasswordProblem::InactiveUser => {
            format!("the right password was typed {often}, but the account is not active")
        }
        PasswordProblem::Unusable => format!(
            "a password was typed {often}, but the account has none with which to log in there"
        ),
    }
}

fn complaint(errors: &Errors, here: &str, often: &str, voice: Voice) -> String {
    let fields: Vec<String> = errors.keys().map(|it| field(it)).collect();
    let about = if fields.is_empty() {
        String::new()
    } else {
        format!(" because of {}", joined(&fields, "and"))
    };
    let said: Vec<String> = errors
        .values()
        .flatten()
        .map(|it| format!("“{}”", within(&it.string)))
        .collect();
    let said = if said.is_empty() {
        String::new()
    } else {
        voice.only_operator(|| format!("; the page said {}", joined(&said, "and")))
    };
    format!("{here}what was typed was refused {often}{about}{said}")
}

fn field(name: &str) -> String {
    if name == crate::flow::event::NON_FIELD_ERRORS {
        "the form as a whole".to_owned()
    } else {
        format!("the field {}", named(name))
    }
}

fn restarted(stage: &str, keep: bool, count: u32) -> String {
    let kept = if keep {
        "what was known was kept"
    } else {
        "what was known was forgotten"
    };
    let often = times(count);
    format!(
        "the flow began again from its first stage {often}, as {stage} wants after a refusal, and {kept}"
    )
}

fn plan_changed(change: &PlanChange, by: &str, voice: Voice) -> String {
    let by = voice.or(|| named(by), "a policy or a stage");
    match change {
        PlanChange::Insert { stage, .. } => {
            format!("{by} put the stage {} into the flow", named(&stage.name))
        }
        PlanChange::Append { stage } => {
            format!(
                "{by} put the stage {} at the end of the flow",
                named(&stage.name)
            )
        }
        PlanChange::Redirect { stage } => format!(
            "{by} put the stage {} in the place of the one whose turn it was, which was left out",
            named(&stage.name)
        ),
    }
}

fn left_out(
    stage: &str,
    when: When,
    verdict: Option<&super::story::Verdict<'_>>,
    voice: Voice,
) -> String {
    let when = match when {
        When::Plan => "when the flow began",
        When::Run => "when its turn came",
    };
    let why = verdict.map_or_else(
        || "its policies said no".to_owned(),
        |it| verdict::why_not(it, voice),
    );
    format!(
        "the stage {} was left out {when}, because {why}",
        named(stage)
    )
}

fn spared(spared: Spared) -> &'static str {
    match spared {
        Spared::NoFactor => {
            "asked for no second factor, because the account has none that counts there"
        }
        Spared::Remembered => {
            "asked for no second factor, because the browser had shown one not long before"
        }
        Spared::Nobody => "asked for no second factor, because nobody had been named until then",
        Spared::ToSetUp => {
            "asked for no second factor, because the account had none, and led to setting one up"
        }
        Spared::Consented => "did not ask for consent, because it had been given before",
        Spared::Uninvited => "found no invitation that counts, and needs none",
        Spared::Confirmed => "was passed, because the link had been confirmed",
        Spared::Named => "did not ask who the visitor is, because the name was known already",
        Spared::NobodyToSetUp => "set nothing up, because nobody had been named until then",
    }
}
