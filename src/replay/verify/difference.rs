//! The first difference between what was recorded and what the code comes to, with its place.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::place::{self, Definition};
use crate::flow::event::Event;
use crate::flow::{Execution, evolve};
use crate::journal::{self, Journal, Version};
use crate::replay::{Entry, mask, sentence};
use crate::stage::{Handled, Stuck};
use crate::world::Recorded;

/// The most characters of a value that are shown where values are compared.
const LONGEST: usize = 200;

/// The first difference between what was recorded and what today's code does. Nothing secret is in
/// it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Divergence {
    /// The record.
    pub version: Version,
    /// The number of the event within the record, from 1; one more than it has events where the
    /// difference is after all of them.
    pub event: usize,
    /// The number of the answer of the world that was next, from 1, where the code asked something
    /// else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observation: Option<usize>,
    /// The stage, policy or flow to which it belongs, in the revision that was gone by.
    pub at: Option<Definition>,
    /// What is different, in a sentence.
    pub problem: String,
    /// What was recorded.
    pub recorded: Side,
    /// What today's code comes to instead.
    pub replayed: Side,
}

/// One side of a difference; empty where there is nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// It in words.
    pub lines: Vec<String>,
    /// The event, the answer or the question as it is.
    pub json: Value,
}

impl Side {
    fn event(event: Option<&Event>) -> Self {
        let Some(event) = event else {
            return Self::default();
        };
        let json = mask::masked("", json!(mask::event(event)));
        let mut lines = sentence::told(&json);
        if lines.is_empty() {
            lines.push(json["event"].as_str().unwrap_or_default().to_owned());
        }
        Self { lines, json }
    }

    fn value(line: String, value: Value) -> Self {
        Self {
            lines: vec![line],
            json: mask::masked("", value),
        }
    }
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {}, event {}", self.version, self.event)?;
        if let Some(at) = &self.at {
            write!(f, ", at {at}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// Compares what was recorded with what running it again came to.
pub(super) async fn find(
    journal: &dyn Journal,
    before: &Execution,
    entry: &Entry,
    handled: &Result<Handled, Box<Stuck>>,
    world: &Recorded,
) -> journal::Result<Option<Divergence>> {
    let record = &entry.record;
    let replayed = match handled {
        Ok(handled) => &handled.events,
        Err(stuck) => &stuck.events,
    };
    let same = record.events.iter().zip(replayed);
    let same = same.take_while(|(was, is)| was == is).count();
    let found = Found {
        journal,
        before,
        entry,
        same,
    };
    let (was, is) = (record.events.get(same), replayed.get(same));
    let asked = world.divergence();
    // What was said before the code asked something else comes first.
    let is_event = match (was, is) {
        (Some(_), Some(_)) => true,
        (None, None) => false,
        _ => asked.is_none() && handled.is_ok(),
    };
    if is_event {
        return found.event(was, is).await.map(Some);
    }
    let count = record.observations.len() - world.left();
    if let Some(asked) = asked {
        let problem = "the code asks the world something else".to_owned();
        let recorded = match &asked.noted {
            Some(noted) => Side::value(format!("it saw {noted}"), json!(noted)),
            None => Side::value("it asked nothing more".to_owned(), Value::Null),
        };
        let line = match is {
            Some(_) => format!("it asks {}, after more events", asked.asked),
            None => format!("it asks {}", asked.asked),
        };
        let replayed = Side::value(line, json!({ "asked": asked.asked }));
        let divergence = found.at(count, problem, recorded, replayed).await?;
        return Ok(Some(divergence));
    }
    match handled {
        Err(stuck) => {
            let line = format!("the code fails: {}", stuck.error);
            let (recorded, replayed) = (Side::event(was), Side::value(line, Value::Null));
            let problem = "the code fails".to_owned();
            let divergence = found.at(count, problem, recorded, replayed).await?;
            Ok(Some(divergence))
        }
        Ok(handled) if handled.body != record.input.body => {
            let side = |body: &Option<Value>| match body {
                Some(body) => Side::value("this answer".to_owned(), json!({ "body": body })),
                None => Side::value("no answer".to_owned(), Value::Null),
            };
            let (was, is) = (side(&record.input.body), side(&handled.body));
            let problem = "the code writes down another answer".to_owned();
            found.at(count, problem, was, is).await.map(Some)
        }
        Ok(_) => Ok(None),
    }
}

/// Names the members that differ, for events that read the same in words.
fn members(name: &str, was: &Value, is: &Value, before: &mut Vec<String>, now: &mut Vec<String>) {
    if was == is {
        return;
    }
    let inner = |key: &str| match name {
        "" => key.to_owned(),
        name => format!("{name}.{key}"),
    };
    match (was, is) {
        (Value::Object(one), Value::Object(other)) => {
            let keys: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for key in keys {
                members(&inner(key), &was[key], &is[key], before, now);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (at, (was, is)) in one.iter().zip(other).enumerate() {
                members(&inner(&at.to_string()), was, is, before, now);
            }
        }
        _ => {
            let told = |value: &Value| {
                let text = value.to_string();
                let short: String = text.chars().take(LONGEST).collect();
                let dots = if short.len() < text.len() { "…" } else { "" };
                format!("with {name} {short}{dots}")
            };
            before.push(told(was));
            now.push(told(is));
        }
    }
}

/// What a difference is made from.
struct Found<'a> {
    journal: &'a dyn Journal,
    before: &'a Execution,
    entry: &'a Entry,
    /// How many events are the same.
    same: usize,
}

impl Found<'_> {
    /// The state after all events that are the same.
    fn state(&self) -> Execution {
        let same = &self.entry.record.events[..self.same];
        same.iter().fold(self.before.clone(), evolve)
    }

    /// Events that differ.
    async fn event(&self, was: Option<&Event>, is: Option<&Event>) -> journal::Result<Divergence> {
        let named = was.and_then(place::of_event);
        let named = named.or_else(|| is.and_then(place::of_event));
        let at = match named.or_else(|| place::of_state(&self.state())) {
            Some(at) => Some(at),
            None => self.beginning(self.entry.record.observations.len()).await?,
        };
        let problem = match (was, is) {
            (_, None) => "the code comes to no such event",
            (None, _) => "the code comes to one event more",
            _ => "the code comes to another event",
        };
        let (mut recorded, mut replayed) = (Side::event(was), Side::event(is));
        if recorded.lines == replayed.lines {
            let (was, is) = (recorded.json.clone(), replayed.json.clone());
            members("", &was, &is, &mut recorded.lines, &mut replayed.lines);
        }
        Ok(self.divergence(at, problem.to_owned(), recorded, replayed))
    }

    /// Something else that differs once `count` answers of the world have been given.
    async fn at(
        &self,
        count: usize,
        problem: String,
        recorded: Side,
        replayed: Side,
    ) -> journal::Result<Divergence> {
        let notes = &self.entry.record.observations[..count];
        let evaluated = place::of_evaluation(self.journal, notes).await?;
        let at = match evaluated.or_else(|| place::of_state(&self.state())) {
            Some(at) => Some(at),
            None => self.beginning(count).await?,
        };
        let divergence = self.divergence(at, problem, recorded, replayed);
        Ok(Divergence {
            observation: Some(count + 1),
            ..divergence
        })
    }

    async fn beginning(&self, count: usize) -> journal::Result<Option<Definition>> {
        let record = &self.entry.record;
        let notes = &record.observations[..count];
        place::of_beginning(self.journal, &record.input, notes).await
    }

    fn divergence(
        &self,
        at: Option<Definition>,
        problem: String,
        recorded: Side,
        replayed: Side,
    ) -> Divergence {
        Divergence {
            version: self.entry.version,
            event: self.same + 1,
            observation: None,
            at,
            problem,
            recorded,
            replayed,
        }
    }
}
