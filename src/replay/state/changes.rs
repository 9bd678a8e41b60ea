//! What is different between two states, fact by fact.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::flow::execution::{Execution, Running};
use crate::replay::sentence;
use crate::replay::summary::standing;

/// Something that is different.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What: `state`, `stage`, `context pending_user`, and so on.
    pub what: String,
    /// What it was; none where it is new.
    pub was: Option<String>,
    /// What it is; none where it is gone.
    pub is: Option<String>,
}

/// What can be different, by its name.
pub(in crate::replay) type Facts = BTreeMap<String, String>;

/// What is different, in the order of the names.
pub(in crate::replay) fn between(before: &Facts, now: &Facts) -> Vec<Change> {
    let mut names: Vec<&String> = before.keys().chain(now.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let changes = names.into_iter().filter_map(|what| {
        let (was, is) = (before.get(what), now.get(what));
        (was != is).then(|| Change {
            what: what.clone(),
            was: was.cloned(),
            is: is.cloned(),
        })
    });
    changes.collect()
}

/// All that can be said of a state. Nothing that is secret is among it.
pub(in crate::replay) fn facts(execution: &Execution) -> Facts {
    let mut facts = Facts::new();
    let Some(running) = execution.latest() else {
        return facts;
    };
    let (state, detail) = standing(execution);
    facts.insert("state".to_owned(), state.to_owned());
    if execution.is_over() && !detail.is_empty() {
        facts.insert("end".to_owned(), detail);
    }
    course(running, &mut facts);
    people(running, &mut facts);
    outside(running, &mut facts);
    for (key, value) in running.context.iter() {
        facts.insert(format!("context {key}"), super::text_of(key, value));
    }
    facts
}

/// Where it stands.
fn course(running: &Running, facts: &mut Facts) {
    let mut put = |name: &str, value: Option<String>| {
        facts.extend(value.map(|value| (name.to_owned(), value)));
    };
    let flow = format!("{} version {}", running.slug, running.flow.version);
    put("flow", Some(flow));
    let current = running.plan.current().filter(|_| running.entered);
    put("stage", current.map(|it| it.name.clone()));
    let skip = usize::from(running.entered);
    let ahead: Vec<&str> = running
        .plan
        .0
        .iter()
        .skip(skip)
        .map(|it| &*it.name)
        .collect();
    put("ahead", listed(&ahead));
    let passed: Vec<&str> = running.path.iter().map(String::as_str).collect();
    put("passed", listed(&passed));
    let challenge = running.challenge.as_ref();
    put(
        "challenge",
        challenge.map(|it| format!("{}, {}", it.number, it.component)),
    );
    put("failure", running.failure.clone());
    for (name, count) in [
        ("answers", running.answers),
        ("refused passwords", running.password_failures),
        ("restarts", running.restarts),
    ] {
        put(name, (count > 0).then(|| count.to_string()));
    }
}

/// Whom it is about, and what they proved.
fn people(running: &Running, facts: &mut Facts) {
    let mut put = |name: &str, value: Option<String>| {
        facts.extend(value.map(|value| (name.to_owned(), value)));
    };
    put(
        "identified",
        running.identified.map(|(user, active)| {
            let not = if active { "" } else { ", not active" };
            format!("user {user}{not}")
        }),
    );
    put(
        "proven by password",
        running.proven.map(|(user, _)| format!("user {user}")),
    );
    put(
        "browser known",
        running
            .remembered
            .map(|(user, device)| format!("for user {user} until {:.0}", device.until)),
    );
    put(
        "second factor remembered",
        running
            .verified
            .as_ref()
            .map(|it| format!("until {:.0}", it.until)),
    );
    put("session", Some(running.session.to_string()));
    put("invitation", running.invitation.map(|it| it.to_string()));
}

/// What was asked of others, and what leads here.
fn outside(running: &Running, facts: &mut Facts) {
    for (id, effect) in &running.effects {
        facts.insert(format!("under way {id}"), sentence::effect(effect));
    }
    if let Some(wait) = &running.wait {
        let came = wait.outcome.as_ref();
        let came = came.map_or_else(|| "nothing yet".to_owned(), sentence::outcome);
        facts.insert(format!("the answer waits for {}", wait.effect), came);
    }
    for (id, timer) in &running.timers {
        let text = format!("{:.0}, {}", timer.due, sentence::deadline(&timer.of));
        facts.insert(format!("timer {id}"), text);
    }
    for (id, link) in &running.links {
        let used = if link.used { "confirmed" } else { "open" };
        let text = format!("{}, {used}", super::whom(link.user));
        facts.insert(format!("link {id}"), text);
    }
}

fn listed(names: &[&str]) -> Option<String> {
    (!names.is_empty()).then(|| names.join(", "))
}
