//! An entry of the context, followed through an execution: who changed it, when, and from what to
//! what.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::state::{json_of, text_of};
use super::{Entry, Place};
use crate::flow::context;
use crate::flow::{Event, Execution, evolve};

/// An entry of the context, and all that became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Watched {
    /// Its key.
    pub key: String,
    /// Each time that somebody wrote it, also where it stayed the same; oldest first.
    pub writes: Vec<Write>,
    /// All keys that were ever there, for whoever looks for another one.
    pub keys: Vec<String>,
}

/// Somebody wrote the entry.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Write {
    /// Where: this event had just happened.
    pub place: Place,
    /// When.
    pub at: Timestamp,
    /// What sort of event it was.
    pub event: String,
    /// The stage that the visitor was at.
    pub stage: Option<String>,
    /// The stage or the policy that did it, or what else did.
    pub by: String,
    /// What it held before; none where it was not there.
    pub before: Option<Held>,
    /// What it held afterwards; none where it was taken away.
    pub after: Option<Held>,
}

/// A value as it may be shown: secrets are masked, people are references.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Held {
    /// The value with its type.
    pub value: Value,
    /// The same as people read it.
    pub text: String,
}

/// Follows the entry with this key.
#[must_use]
pub fn watch(entries: &[Entry], key: &str) -> Watched {
    let mut state = Execution::default();
    let mut watched = Watched {
        key: key.to_owned(),
        writes: Vec::new(),
        keys: Vec::new(),
    };
    for entry in entries {
        for (number, event) in entry.record.events.iter().enumerate() {
            let before = held(&state, key);
            let place = at(&state);
            state = evolve(state, event);
            watched.knows(&state);
            let after = held(&state, key);
            let by = author(event, key);
            if before == after && by.is_none() {
                continue;
            }
            let redacted = |it: Option<context::Value>| {
                it.map(|it| Held {
                    value: json_of(key, &it),
                    text: text_of(key, &it),
                })
            };
            watched.writes.push(Write {
                place: Place {
                    version: entry.version,
                    event: number + 1,
                },
                at: entry.at,
                event: kind(event),
                stage: place,
                by: by.unwrap_or_else(|| otherwise(event).to_owned()),
                before: redacted(before),
                after: redacted(after),
            });
        }
    }
    watched
}

impl Watched {
    fn knows(&mut self, state: &Execution) {
        let context = state.latest().map(|it| &it.context);
        for (key, _) in context.into_iter().flat_map(context::Context::iter) {
            if let Err(place) = self.keys.binary_search_by(|it| it.as_str().cmp(key)) {
                self.keys.insert(place, key.to_owned());
            }
        }
    }
}

fn held(state: &Execution, key: &str) -> Option<context::Value> {
    state.latest()?.context.get(key).cloned()
}

/// The stage that the visitor is at.
fn at(state: &Execution) -> Option<String> {
    let current = state.running()?.plan.current()?;
    Some(current.name.clone())
}

/// Who wrote the entry, where the event says so.
fn author(event: &Event, key: &str) -> Option<String> {
    match event {
        Event::ContextChanged { key: own, by, .. } if own == key => Some(by.clone()),
        _ => None,
    }
}

/// What else changes entries.
fn otherwise(event: &Event) -> &'static str {
    match event {
        Event::Restarted { .. } => "the flow, which began again",
        Event::Redirected { .. } => "the way into another flow",
        Event::LinkConsumed { .. } => "the link, which was confirmed",
        _ => "the execution",
    }
}

/// What an event is called.
pub(super) fn kind(event: &Event) -> String {
    let json = serde_json::to_value(event).unwrap_or_default();
    json["event"].as_str().unwrap_or_default().to_owned()
}
