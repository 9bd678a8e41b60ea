//! Runs recorded inputs through today's code and reports the first difference.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Entry, Error, entries};
use crate::expression::Workers;
use crate::flow::{Execution, evolve};
use crate::journal::Journal;
use crate::stage::{self, Handled, Stuck};
use crate::world::{self, Recorded, Revisions};

mod compare;
mod difference;
mod many;
mod place;
#[cfg(test)]
mod tests;

pub use compare::{Compared, compare};
pub use difference::{Divergence, Side};
pub use many::{Judged, verify_all};
pub use place::Definition;

/// What a verification came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

/// Runs an execution again on its own inputs and observations. Its expressions are run by
/// `workers`; without them, one that has any cannot be run again.
///
/// # Errors
/// When the execution cannot be read, or the code could not run; a difference is not an error.
pub async fn verify(
    journal: &Arc<dyn Journal>,
    workers: Option<&Workers>,
    execution: Uuid,
) -> Result<Verified, Error> {
    let revisions = Arc::new(Revisions::of(Arc::clone(journal)));
    one(&revisions, workers, execution).await
}

/// The same for one of many, with what the others have read.
async fn one(
    revisions: &Arc<Revisions>,
    workers: Option<&Workers>,
    execution: Uuid,
) -> Result<Verified, Error> {
    let entries = entries(revisions.journal(), execution).await?;
    again(revisions, workers, execution, &entries).await
}

/// The same for one whose records are at hand; what they refer to is among the revisions.
///
/// # Errors
/// When something that it saw cannot be read, or the code could not run.
pub async fn again(
    revisions: &Arc<Revisions>,
    workers: Option<&Workers>,
    execution: Uuid,
    entries: &[Entry],
) -> Result<Verified, Error> {
    let mut state = Execution::default();
    for entry in entries {
        let diverged = run(revisions, workers, execution, &state, entry).await?;
        if let Some(divergence) = diverged {
            return Ok(Verified::Diverged(divergence.into()));
        }
        state = entry.record.events.iter().fold(state, evolve);
    }
    Ok(Verified::Same {
        records: entries.len(),
    })
}

/// Runs one record again, from the state that was before it.
async fn run(
    revisions: &Arc<Revisions>,
    workers: Option<&Workers>,
    execution: Uuid,
    state: &Execution,
    entry: &Entry,
) -> Result<Option<Divergence>, Error> {
    let (world, handled) = attempt(revisions, workers, state, entry).await;
    let unread = world.unread();
    let handled = match handled {
        // What cannot be read now was read then, so that is no difference of the code. Where the code
        // asked something else before, that is what is told.
        Err(stuck) if unread.is_some() => {
            let Stuck { error, events } = *stuck;
            match error {
                stage::Error::World(world::Error::Journal(error)) => {
                    return Err(Error::Journal(error));
                }
                error => Err(Box::new(Stuck { error, events })),
            }
        }
        handled => handled,
    };
    let is_busy = matches!(
        handled.as_ref().map_err(|stuck| &stuck.error),
        Err(stage::Error::World(world::Error::Busy))
    );
    if is_busy || world.not_run().is_some() {
        let cause = match world.not_run() {
            Some(interrupted) => interrupted.to_string(),
            None => "too much is being evaluated at the moment".to_owned(),
        };
        let version = entry.version;
        return Err(Error::Broken(format!(
            "execution {execution} could not be run again, at record {version}: {cause}"
        )));
    }
    let found = difference::find(revisions.journal(), state, entry, &handled, &world).await?;
    if let (Some(problem), true) = (unread, found.is_some()) {
        let version = entry.version;
        return Err(Error::Broken(format!(
            "execution {execution} could not be run again, at record {version}: {problem}; `gatelog \
             journal verify` tells what is damaged"
        )));
    }
    match world.gone() {
        Some((object, at)) if found.is_some() => Err(Error::Incomplete {
            execution,
            object,
            at,
        }),
        _ => Ok(found),
    }
}

/// Runs one record again, and returns what it came to with the world that it saw.
pub(super) async fn attempt(
    revisions: &Arc<Revisions>,
    workers: Option<&Workers>,
    state: &Execution,
    entry: &Entry,
) -> (Recorded, Result<Handled, Box<Stuck>>) {
    let input = &entry.record.input;
    let notes = entry.record.observations.clone();
    let world = Recorded::new(Arc::clone(revisions), input.at, notes, workers.cloned());
    let handled = stage::attempt(state.clone(), input, input.body.as_ref(), &world).await;
    (world, handled)
}
