//! Stages as they may be in another version: for tests of what a replay then says.

use std::cell::Cell;

use serde_json::{Map, Value};

use super::{Error, Turn, Verdict};

/// What is different in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It takes every answer.
    TakesAnything,
    /// Its challenge has another field.
    ShowsMore,
    /// It wants to know something of the world that it did not ask for.
    AsksMore,
}

thread_local! {
    static CHANGED: Cell<Option<(&'static str, Change)>> = const { Cell::new(None) };
}

/// From now on, on this thread, stages of this kind are different.
pub(crate) fn change(kind: &'static str, change: Change) {
    CHANGED.set(Some((kind, change)));
}

fn is(kind: &str, change: Change) -> bool {
    CHANGED.get() == Some((kind, change))
}

/// What a stage thinks of an answer.
pub(super) fn verdict(kind: &str, verdict: Result<Verdict, Error>) -> Result<Verdict, Error> {
    if is(kind, Change::TakesAnything) {
        return Ok(Verdict::Passed);
    }
    verdict
}

/// What it shows.
pub(super) async fn fields(
    turn: &Turn<'_>,
    mut fields: Map<String, Value>,
) -> Result<Map<String, Value>, Error> {
    if is(&turn.stage.kind, Change::ShowsMore) {
        fields.insert("more".to_owned(), true.into());
    }
    if is(&turn.stage.kind, Change::AsksMore) {
        turn.world.counter("more").await?;
    }
    Ok(fields)
}
