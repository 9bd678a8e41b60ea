//! The events of a bundle from which personal words were taken, as the code comes to them now: what
//! it derives from a word is then derived from the one that stands in its place.

use serde_json::{Value, json};

use std::sync::Arc;

use super::Bundle;
use crate::expression::Workers;
use crate::flow::{Event, Execution, evolve};
use crate::replay::{Entry, Error, verify};
use crate::world::Revisions;

/// Replaces the events by those that the code comes to. They stay as they are where it comes to
/// something that differs in more than words: somebody goes by what was replaced.
pub(super) async fn events(bundle: &mut Bundle, workers: Option<&Workers>) -> Result<(), Error> {
    let revisions = Arc::new(Revisions::of(Arc::new(bundle.clone().unpack())));
    let mut state = Execution::default();
    let mut made = Vec::with_capacity(bundle.records.len());
    for entry in &bundle.records {
        let (world, handled) = verify::attempt(&revisions, workers, &state, entry).await;
        let is_as_before = world.divergence().is_none() && world.not_run().is_none();
        let Some(handled) = handled.ok().filter(|_| is_as_before) else {
            return Ok(());
        };
        let record = &entry.record;
        let shapes = |events: &[Event]| shape(json!(events));
        if shapes(&handled.events) != shapes(&record.events)
            || shape(json!(handled.body)) != shape(json!(record.input.body))
        {
            return Ok(());
        }
        let mut entry: Entry = entry.clone();
        entry.record.input.body = handled.body;
        entry.record.events = handled.events;
        state = entry.record.events.iter().fold(state, evolve);
        made.push(entry);
    }
    bundle.records = made;
    Ok(())
}

/// What is left of a value when its texts say nothing, but for which event it is.
fn shape(value: Value) -> Value {
    match value {
        Value::String(_) => Value::String(String::new()),
        Value::Array(items) => items.into_iter().map(shape).collect(),
        Value::Object(entries) => {
            let kept = |name: &str| matches!(name, "event" | "check" | "component" | "code" | "is");
            let entries = entries.into_iter().map(|(name, value)| {
                let value = if kept(&name) { value } else { shape(value) };
                (name, value)
            });
            Value::Object(entries.collect())
        }
        other => other,
    }
}
