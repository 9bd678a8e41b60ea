//! What policies said, as sentences.

use crate::flow::context::Value;
use crate::flow::plan::Pinned;
use crate::flow::verdict::{
    EngineDecided, Logged, PlanChange, PolicyEvaluated, PolicyFailed, Target, When,
};

/// A policy that answered; what it said and logged follows, a line each.
pub(super) fn evaluated(event: &PolicyEvaluated) -> Vec<String> {
    let PolicyEvaluated {
        policy,
        name,
        kind,
        messages,
        log,
        micros,
        ..
    } = event;
    let answer = answer(event.passing, event.negated);
    let asked = asked(event.binding.as_ref());
    let mut lines = vec![format!(
        "policy {name} ({kind}, version {}, {asked}) {answer}, after {micros} µs",
        policy.version
    )];
    lines.extend(messages.iter().map(|it| format!("  says: {it}")));
    lines.extend(logged(log));
    lines
}

/// What was said; where a binding turned it round, what it was before as well.
fn answer(passing: bool, negated: bool) -> &'static str {
    match (passing, negated) {
        (true, false) => "passes",
        (false, false) => "does not pass",
        (true, true) => "does not pass, turned round: passes",
        (false, true) => "passes, turned round: does not pass",
    }
}

fn logged(log: &[Logged]) -> impl Iterator<Item = String> + '_ {
    let line = |it: &Logged| format!("  {}: {}", it.level, it.text);
    log.iter().map(line)
}

/// A policy that failed, with the place where it did.
pub(super) fn failed(event: &PolicyFailed) -> Vec<String> {
    let PolicyFailed {
        policy,
        name,
        kind,
        log,
        micros,
        ..
    } = event;
    let (error, places) = event.named();
    let counts = if event.passing {
        "counts as passing"
    } else {
        "counts as not passing"
    };
    let asked = asked(event.binding.as_ref());
    let mut lines = vec![format!(
        "policy {name} ({kind}, version {}, {asked}) failed after {micros} µs, which {counts}: {error}",
        policy.version
    )];
    lines.extend(places.lines().map(|line| format!("  {line}")));
    lines.extend(logged(log));
    lines
}

fn asked(binding: Option<&Pinned>) -> String {
    match binding {
        Some(binding) => format!("by binding {}", binding.id),
        None => "by another policy".to_owned(),
    }
}

/// What all answers came to.
pub(super) fn decided(event: &EngineDecided) -> Vec<String> {
    let target = match &event.target {
        Target::Flow { slug, .. } => format!("flow {slug}"),
        Target::Binding { stage, .. } => format!("stage {stage}"),
        Target::Application { slug, .. } => format!("application {slug}"),
        Target::Prompt { name, .. } => format!("what was typed into {name}"),
    };
    let answer = if event.passing { "pass" } else { "do not pass" };
    let members = event.members.iter().map(|member| {
        let answer = match (member.passing, member.negated) {
            (passing, false) => self::answer(passing, false),
            // Whoever is nobody does not pass, whichever way round.
            (true, true) => "turned round: passes",
            (false, true) => "turned round: does not pass",
        };
        let whom = match (member.group, member.user) {
            (Some(group), _) => format!("group {group}, "),
            (None, Some(user)) => format!("user {user}, "),
            (None, None) => String::new(),
        };
        format!("  {whom}by binding {}: {answer}", member.binding.id)
    });
    std::iter::once(format!(
        "the policies of {target} {answer} (mode {})",
        event.mode
    ))
    .chain(members)
    .collect()
}

/// A stage that is left out.
pub(super) fn skipped(stage: &str, when: When) -> String {
    match when {
        When::Plan => format!("left stage {stage} out of the plan: its policies do not pass"),
        When::Run => format!("skipped stage {stage} for good: its policies do not pass"),
    }
}

/// A change of the plan.
pub(super) fn plan_changed(change: &PlanChange, by: &str) -> String {
    match change {
        PlanChange::Insert { at, stage } => {
            format!("{by} put stage {} into the plan at place {at}", stage.name)
        }
        PlanChange::Append { stage } => {
            format!("{by} put stage {} at the end of the plan", stage.name)
        }
        PlanChange::Redirect { stage } => {
            format!("{by} put {} in the place of the current stage", stage.name)
        }
    }
}

/// An entry of the context.
pub(in crate::replay) fn value(value: &Value) -> String {
    match value {
        Value::Json(value) => value.to_string(),
        Value::User(user) => format!("user {user}"),
        Value::Stranger { identifier } => format!("nobody, who typed {identifier:?}"),
        Value::Group(group) => format!("group {group}"),
        Value::Object { class, id } => format!("{class} {id}"),
        Value::Secret(_) => "a secret in the vault".to_owned(),
        Value::List(items) => {
            let items: Vec<_> = items.iter().map(self::value).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(entries) => {
            let entries = entries.iter();
            let entries: Vec<_> = entries
                .map(|(key, value)| format!("{key}: {}", self::value(value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::flow::model::PolicyEngineMode;
    use crate::flow::verdict::Membership;

    const PIN: Pinned = Pinned {
        id: Uuid::nil(),
        version: 1,
    };

    #[test]
    fn an_answer_that_was_turned_round_says_so() {
        let mut event = PolicyEvaluated {
            binding: Some(PIN),
            policy: PIN,
            name: "office".to_owned(),
            kind: "dummy".to_owned(),
            passing: true,
            negated: true,
            messages: Vec::new(),
            log: Vec::new(),
            micros: 1,
        };
        let told = |event: &PolicyEvaluated| evaluated(event)[0].clone();
        assert!(told(&event).contains(") does not pass, turned round: passes, after"));
        event.passing = false;
        assert!(told(&event).contains(") passes, turned round: does not pass, after"));
        event.negated = false;
        assert!(told(&event).contains(") does not pass, after"));
    }

    #[test]
    fn a_failure_has_the_class_of_the_exception_once_and_what_was_logged() {
        let mut event = PolicyFailed {
            binding: None,
            policy: PIN,
            name: "office".to_owned(),
            kind: "expression".to_owned(),
            passing: false,
            error: "'nothing'".to_owned(),
            traceback: Some("Traceback:\n  line 1\nKeyError: 'nothing'".to_owned()),
            log: vec![Logged {
                level: "info".to_owned(),
                text: "so far".to_owned(),
            }],
            micros: 1,
        };
        let lines = failed(&event);
        assert!(lines[0].ends_with("counts as not passing: KeyError: 'nothing'"));
        assert_eq!(lines[1..], ["  Traceback:", "    line 1", "  info: so far"]);
        for (error, traceback, first) in [
            ("", "Traceback:\n  line 1\nValueError", ": ValueError"),
            (
                "a\nb",
                "Traceback:\n  line 1\nValueError: a\nb",
                ": ValueError: a\nb",
            ),
        ] {
            event.error = error.to_owned();
            event.traceback = Some(traceback.to_owned());
            let lines = failed(&event);
            assert!(lines[0].ends_with(first), "{lines:?}");
            assert_eq!(lines.len(), 4);
        }
        event.error = "the policy was deleted".to_owned();
        event.traceback = None;
        assert!(failed(&event)[0].ends_with(": the policy was deleted"));
    }

    #[test]
    fn groups_and_users_are_named() {
        let member = |group, user, negated, passing| Membership {
            binding: PIN,
            group,
            user,
            negated,
            passing,
        };
        let (group, user) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let lines = decided(&EngineDecided {
            target: Target::Binding {
                binding: Uuid::nil(),
                stage: "room".to_owned(),
            },
            mode: PolicyEngineMode::Any,
            passing: true,
            members: vec![
                member(Some(group), None, false, true),
                member(None, Some(user), true, false),
                member(None, None, false, false),
            ],
            failed: Vec::new(),
        });
        let by = format!("by binding {}", Uuid::nil());
        assert_eq!(
            lines[1..],
            [
                format!("  group {group}, {by}: passes"),
                format!("  user {user}, {by}: turned round: does not pass"),
                // As older programs noted it.
                format!("  {by}: does not pass"),
            ]
        );
    }
}
