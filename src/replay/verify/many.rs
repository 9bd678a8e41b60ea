//! Many executions, on as many threads as are to be used. What one of them holds is in memory only
//! while it is run.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Divergence, Verified, verify};
use crate::expression::Workers;
use crate::journal::Journal;
use crate::replay::Error;

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
                let problem = error.to_string();
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
    let next = Arc::new(AtomicUsize::new(0));
    let jobs = jobs.clamp(1, executions.len().max(1));
    let threads: Vec<_> = (0..jobs)
        .map(|_| {
            let (journal, workers) = (Arc::clone(journal), workers.cloned());
            let (next, executions) = (Arc::clone(&next), executions.to_vec());
            let work = move || take(&journal, workers.as_ref(), &executions, &next);
            tokio::task::spawn_blocking(work)
        })
        .collect();
    let mut judged = vec![None; executions.len()];
    for thread in threads {
        let found = thread.await;
        let found = found.map_err(|error| Error::Broken(format!("a thread ended: {error}")))?;
        for (at, it) in found? {
            judged[at] = Some(it);
        }
    }
    Ok(judged.into_iter().flatten().collect())
}

type Place = (usize, Judged);

/// One thread: takes the next one as long as there are any.
fn take(
    journal: &Arc<dyn Journal>,
    workers: Option<&Workers>,
    executions: &[Uuid],
    next: &AtomicUsize,
) -> Result<Vec<Place>, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::Broken(format!("no runtime can be had: {error}")))?;
    let mut judged = Vec::new();
    loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        let Some(execution) = executions.get(at) else {
            return Ok(judged);
        };
        let verified = runtime.block_on(verify(journal, workers, *execution));
        judged.push((at, verified.into()));
    }
}
