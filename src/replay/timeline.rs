//! An execution as people read it: what was asked of it, and what happened, in sentences.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Entry, mask, sentence};
use crate::flow::{Event, Execution, evolve};
use crate::journal::Version;

/// One command to an execution, and what happened. Nothing secret is in it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// Its place in the stream.
    pub version: Version,
    /// When it was recorded.
    pub at: Timestamp,
    /// The request that caused it.
    pub request: Uuid,
    /// From where that came.
    pub address: IpAddr,
    /// What was asked, and by whom, in a sentence.
    pub asked: String,
    /// What happened.
    pub events: Vec<Told>,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Told {
    /// What sort of event it is, such as `stage_entered`.
    pub kind: String,
    /// The stage at which it happened, by its name.
    pub stage: Option<String>,
    /// The event in a sentence, with further lines where there is more to say.
    pub lines: Vec<String>,
    /// What it holds.
    pub details: Value,
}

/// Tells an execution from its beginning.
#[must_use]
pub fn timeline(entries: &[Entry]) -> Vec<Step> {
    let mut state = Execution::default();
    let mut steps = Vec::with_capacity(entries.len());
    for entry in entries {
        let record = &entry.record;
        let shown: Vec<Value> = record
            .events
            .iter()
            .map(|event| json!(mask::event(event)))
            .collect();
        let lines = sentence::each_told(&shown);
        let mut events = Vec::with_capacity(shown.len());
        for ((event, details), lines) in record.events.iter().zip(shown).zip(lines) {
            let before = stage(&state);
            state = evolve(state, event);
            events.push(told(details, lines, event, before, &state));
        }
        steps.push(Step {
            version: entry.version,
            at: entry.at,
            request: entry.correlation,
            address: record.input.client.address,
            asked: sentence::asked(&json!(record.input)),
            events,
        });
    }
    steps
}

fn told(
    details: Value,
    lines: Vec<String>,
    event: &Event,
    before: Option<String>,
    after: &Execution,
) -> Told {
    let stage = match event {
        Event::StageEntered { stage, .. }
        | Event::StageSkipped { stage, .. }
        | Event::StageCompleted { stage, .. }
        | Event::StageFailed { stage, .. } => Some(stage.clone()),
        _ => before.or_else(|| stage(after)),
    };
    let mut details = details;
    let kind = details.as_object_mut().and_then(|it| it.remove("event"));
    let kind = kind.and_then(|it| it.as_str().map(ToOwned::to_owned));
    Told {
        kind: kind.unwrap_or_default(),
        stage,
        lines,
        details: mask::handles(mask::masked("", details)),
    }
}

/// The stage that the visitor is at.
fn stage(state: &Execution) -> Option<String> {
    let running = state.running().filter(|it| it.entered)?;
    Some(running.plan.current()?.name.clone())
}
