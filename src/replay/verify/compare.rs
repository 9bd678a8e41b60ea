//! Whether the state in memory is what the journal folds into.

use serde::Serialize;
use uuid::Uuid;

use crate::flow::Execution;
use crate::journal::{Journal, Version};
use crate::replay::{Error, entries, fold};

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
