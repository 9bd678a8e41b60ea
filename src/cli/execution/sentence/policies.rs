//! What policies said, as sentences.

use crate::flow::context::Value;
use crate::flow::plan::Pinned;
use crate::flow::verdict::{
    EngineDecided, PlanChange, PolicyEvaluated, PolicyFailed, Target, When,
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
    let answer = if event.passing {
        "passes"
    } else {
        "does not pass"
    };
    let asked = asked(event.binding.as_ref());
    let mut lines = vec![format!(
        "policy {name} ({kind}, version {}, {asked}) {answer}, after {micros} µs",
        policy.version
    )];
    lines.extend(messages.iter().map(|it| format!("  says: {it}")));
    lines.extend(log.iter().map(|it| format!("  {}: {}", it.level, it.text)));
    lines
}

/// A policy that failed, with the place where it did.
pub(super) fn failed(event: &PolicyFailed) -> Vec<String> {
    let PolicyFailed {
        policy,
        name,
        kind,
        error,
        traceback,
        micros,
        ..
    } = event;
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
    let traceback = traceback.iter().flat_map(|text| text.lines());
    lines.extend(traceback.map(|line| format!("  {line}")));
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
    };
    let answer = if event.passing { "pass" } else { "do not pass" };
    let members = event.members.iter().map(|member| {
        let answer = if member.passing {
            "passes"
        } else {
            "does not pass"
        };
        format!("  binding {} {answer}", member.binding.id)
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
pub(super) fn value(value: &Value) -> String {
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
