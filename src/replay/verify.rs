//! Runs recorded inputs through today's code and reports the first difference.

use std::sync::Arc;

use serde::Serialize;
use uuid::Uuid;

use super::{Error, entries, fold};
use crate::expression::Workers;
use crate::flow::event::Event;
use crate::flow::{Execution, evolve};
use crate::journal::{Journal, Version};
use crate::stage;
use crate::world::Recorded;

/// What a verification came to.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Verified {
    /// Today's code comes to the same events.
    Same {
        /// How many records were run again.
        records: usize,
    },
    /// It does not.
    Diverged(Box<Divergence>),
}

/// The first difference between what was recorded and what today's code does.
#[derive(Clone, Debug, Serialize)]
pub struct Divergence {
    /// The record.
    pub version: Version,
    /// What is different, in a sentence.
    pub problem: String,
    /// The first event that differs, as it was recorded.
    pub recorded: Option<Event>,
    /// The event that today's code comes to instead.
    pub replayed: Option<Event>,
}

/// Runs an execution again on its own inputs and observations. Its expressions are run by
/// `workers`; without them, an execution that has any diverges.
///
/// # Errors
/// When the execution cannot be read; a difference is not an error.
pub async fn verify(
    journal: &Arc<dyn Journal>,
    workers: Option<&Workers>,
    execution: Uuid,
) -> Result<Verified, Error> {
    let entries = entries(journal.as_ref(), execution).await?;
    let mut state = Execution::default();
    for entry in &entries {
        let record = &entry.record;
        let input = &record.input;
        let world = Recorded::new(
            Arc::clone(journal),
            input.at,
            record.observations.clone(),
            workers.cloned(),
        );
        let handled = stage::handle(state.clone(), input, input.body.as_ref(), &world).await;
        let diverged = |problem, recorded, replayed| {
            let version = entry.version;
            Ok(Verified::Diverged(
                Divergence {
                    version,
                    problem,
                    recorded,
                    replayed,
                }
                .into(),
            ))
        };
        if let Some(divergence) = world.divergence() {
            return diverged(divergence.to_string(), None, None);
        }
        let handled = match handled {
            Ok(handled) => handled,
            Err(error) => return diverged(format!("the code fails: {error}"), None, None),
        };
        if handled.events != record.events {
            let (recorded, replayed) = first_difference(&record.events, &handled.events);
            let problem = "the code comes to another event".to_owned();
            return diverged(problem, recorded, replayed);
        }
        if handled.body != input.body {
            let problem = "the code writes down another answer".to_owned();
            return diverged(problem, None, None);
        }
        state = record.events.iter().fold(state, evolve);
    }
    Ok(Verified::Same {
        records: entries.len(),
    })
}

/// What comparing the state in memory with the journal came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Compared {
    /// The journal folds into the same state.
    Equal,
    /// It folds into another one.
    Different {
        /// The version that both stand for.
        version: Version,
        /// What the journal folds into.
        folded: Box<Execution>,
        /// What is in memory.
        live: Box<Execution>,
    },
}

/// Compares the state that an actor holds with the fold of the same records.
///
/// # Errors
/// When the execution cannot be read; a difference is not an error.
pub async fn compare(
    journal: &dyn Journal,
    execution: Uuid,
    (version, live): (Version, Execution),
) -> Result<Compared, Error> {
    let mut entries = entries(journal, execution).await?;
    // What was written since the actor was asked is no difference.
    entries.retain(|entry| entry.version <= version);
    let (at, folded) = fold(&entries);
    if at == version && folded == live {
        return Ok(Compared::Equal);
    }
    Ok(Compared::Different {
        version,
        folded: folded.into(),
        live: live.into(),
    })
}

fn first_difference(recorded: &[Event], replayed: &[Event]) -> (Option<Event>, Option<Event>) {
    let length = recorded.len().max(replayed.len());
    let differs = (0..length).find(|at| recorded.get(*at) != replayed.get(*at));
    let at = differs.unwrap_or(length);
    (recorded.get(at).cloned(), replayed.get(at).cloned())
}
