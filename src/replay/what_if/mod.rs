//! What if: recorded executions once more, under policies, bindings and stages that are not those
//! that they ran under.
//!
//! The visitor does what they did, as far as they are asked for it again. Objects are those that
//! the execution saw, but for those that are changed; what it did not look at is read as the
//! journal has it for that moment. What nobody knows, such as an answer to a question that was
//! never asked, is counted as unknown, never guessed. Nothing here writes.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::{Entry, Error};
use crate::expression::Workers;
use crate::flow::{Event, code};
use crate::journal::Journal;

mod changes;
mod keys;
mod many;
mod missing;
mod outcome;
mod past;
mod seen;
mod table;
mod visitor;
mod world;

pub use changes::Changes;
pub use many::{Range, many};
pub use missing::Missing;
pub use outcome::Outcome;
pub use past::Past;
pub use table::{Example, Row, Table};

/// One execution, as it went and as it would go.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Case {
    /// Which one.
    pub execution: Uuid,
    /// Its short code.
    pub code: String,
    /// When it began.
    pub started: Timestamp,
    /// The slug of the flow that it began in.
    pub flow: String,
    /// How it went.
    pub was: Outcome,
    /// How it would go.
    pub now: Outcome,
    /// Whether something was read out of the history of the journal, because the execution had
    /// not looked at it.
    pub reconstructed: bool,
}

/// The world that is supposed: what is changed, what there was, and what runs expressions.
#[derive(Clone)]
pub struct Supposition {
    /// What is not as it was.
    pub changes: Arc<Changes>,
    /// What was.
    pub past: Arc<Past>,
    /// What runs expressions; without it, whatever has to run one is unknown.
    pub workers: Option<Workers>,
}

impl Supposition {
    /// Runs an execution with these records once more.
    ///
    /// # Errors
    /// [`Error::Unknown`] for one that never began.
    async fn case(&self, execution: Uuid, entries: &[Entry]) -> Result<Case, Error> {
        let (started, flow) = beginning(entries).ok_or(Error::Unknown(execution))?;
        let was = outcome::recorded(entries);
        let (now, reconstructed) = visitor::goes_again(self, execution, entries).await;
        Ok(Case {
            execution,
            code: code(execution).to_string(),
            started,
            flow: flow.to_owned(),
            was,
            now,
            reconstructed,
        })
    }
}

/// When an execution began, and in which flow; `None` for one that never did.
fn beginning(entries: &[Entry]) -> Option<(Timestamp, &str)> {
    let first = entries.first()?;
    let slug = first.record.events.iter().find_map(|event| match event {
        Event::Started { slug, .. } => Some(slug.as_str()),
        _ => None,
    });
    Some((first.at, slug?))
}

/// A supposition over a journal.
#[must_use]
pub fn suppose(
    journal: Arc<dyn Journal>,
    changes: Changes,
    workers: Option<Workers>,
) -> Supposition {
    Supposition {
        changes: Arc::new(changes),
        past: Arc::new(Past::of(journal)),
        workers,
    }
}
