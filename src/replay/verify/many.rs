//! Many executions run again, and what each of them came to.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Divergence, Verified, one};
use crate::expression::Workers;
use crate::journal::Journal;
use crate::replay::Error;
use crate::replay::many::each;
use crate::world::Revisions;

/// What running one of many again came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Judged {
    /// Today's code comes to the same events.
    Same {
        /// How many records were run again.
        records: usize,
    },
    /// It does not.
    Diverged(Box<Divergence>),
    /// It, or something that it saw, was erased or removed, so there is nothing to compare.
    Unreadable {
        /// What is missing.
        problem: String,
    },
    /// It could not be run again, which says nothing about the code.
    NotRun {
        /// Why.
        problem: String,
    },
}

impl From<Result<Verified, Error>> for Judged {
    fn from(verified: Result<Verified, Error>) -> Self {
        match verified {
            Ok(Verified::Same { records }) => Self::Same { records },
            Ok(Verified::Diverged(divergence)) => Self::Diverged(divergence),
            Err(error) => {
                let mut problem = error.to_string();
                if error.is_damage() {
                    problem += "; `gatelog journal verify` tells what is damaged";
                }
                match error {
                    Error::Erased(_) | Error::Incomplete { .. } => Self::Unreadable { problem },
                    Error::Unknown(_) | Error::Journal(_) | Error::Broken(_) => {
                        Self::NotRun { problem }
                    }
                }
            }
        }
    }
}

/// Runs these executions again, on `jobs` threads, and says what each came to, in the same order.
///
/// # Errors
/// [`Error::Broken`] when no thread can be had.
pub async fn verify_all(
    journal: &Arc<dyn Journal>,
    workers: Option<&Workers>,
    executions: &[Uuid],
    jobs: usize,
) -> Result<Vec<Judged>, Error> {
    let revisions = Arc::new(Revisions::of(Arc::clone(journal)));
    let workers = workers.cloned();
    let work = async move |execution| {
        let verified = one(&revisions, workers.as_ref(), execution).await;
        Ok(verified.into())
    };
    each(executions, jobs, 1, work).await
}
