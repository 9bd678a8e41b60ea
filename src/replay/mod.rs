//! Reads executions back: what happened, where they stood, and whether today's code would come
//! to the same. Writes nothing.

use std::io::ErrorKind;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::flow::event::Event;
use crate::flow::{Execution, evolve};
use crate::journal::{self, Journal, StreamId, Version};
use crate::world::Record;
use crate::world::record::KIND;

pub mod bearers;
pub mod bundle;
pub mod diff;
mod gone;
mod inspect;
mod letters;
pub mod many;
pub mod mask;
pub mod sentence;
mod state;
mod summary;
mod timeline;
mod verify;
pub mod watch;
pub mod what_if;
pub mod why;

pub use gone::{Gone, Why};
pub use inspect::{Inspection, Moment, inspect};
pub use state::{Change, How, Known, Node, Place, Shown, State, Waiting, client, state, states};
pub use summary::{STATES, Summary, UNFINISHED, by_code, found, list, summary};
pub use timeline::{Step, Told, timeline};
pub use verify::{
    Compared, Definition, Divergence, Judged, Side, Verified, again, compare, verify, verify_all,
};

/// Why an execution could not be read back.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such execution.
    #[error("there is no execution {0}")]
    Unknown(Uuid),
    /// The journal could not be read.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// Its key was destroyed, or retention removed what it held.
    #[error("{0}")]
    Erased(Box<Gone>),
    /// Something that it looked at can no longer be read, and without it the code comes to
    /// something else.
    #[error(
        "execution {execution} cannot be run again: it saw {object} at version {at}, which can no \
         longer be read"
    )]
    Incomplete {
        /// The execution.
        execution: Uuid,
        /// What it looked at.
        object: StreamId,
        /// In which revision.
        at: Version,
    },
    /// The code that judges could not run at all, which says nothing about what it would come to.
    #[error("{0}")]
    Broken(String),
}

impl Error {
    /// Whether something of the journal is not as it was written, which says nothing about the rest
    /// of it.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Journal(journal::Error::Corrupt { .. } | journal::Error::Damaged { .. }) => true,
            // The store reports some damage like this.
            Self::Journal(journal::Error::Io { source, .. }) => matches!(
                source.kind(),
                ErrorKind::InvalidData | ErrorKind::UnexpectedEof
            ),
            _ => false,
        }
    }

    /// Whether this one execution cannot be read, which says nothing about the others: it is damaged, or a
    /// newer version wrote it.
    #[must_use]
    pub fn is_about_one(&self) -> bool {
        self.is_damage() || matches!(self, Self::Journal(journal::Error::Newer { .. }))
    }
}

/// One record of an execution, with what the journal knows about it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Its place in the stream.
    pub version: Version,
    /// When it was recorded.
    pub at: Timestamp,
    /// The request that caused it.
    pub correlation: Uuid,
    /// What it holds.
    pub record: Record,
}

/// All records of an execution, oldest first.
///
/// # Errors
/// [`Error::Unknown`], [`Error::Erased`], or what the journal said.
pub async fn entries(journal: &dyn Journal, execution: Uuid) -> Result<Vec<Entry>, Error> {
    let stream = StreamId::new(KIND, execution);
    let mut entries = Vec::new();
    let records = journal.read(stream, Version::NONE).await?;
    for envelope in &records {
        let Some(body) = envelope.body.as_deref() else {
            let gone = Gone::of(journal, execution, &records).await?;
            return Err(Error::Erased(gone.into()));
        };
        let record = serde_json::from_slice(body).map_err(|error| journal::Error::Corrupt {
            stream,
            version: envelope.version,
            problem: format!("its body cannot be read: {error}"),
        })?;
        entries.push(Entry {
            version: envelope.version,
            at: envelope.at,
            correlation: envelope.correlation,
            record,
        });
    }
    if entries.is_empty() {
        Err(Error::Unknown(execution))
    } else {
        Ok(entries)
    }
}

/// When an execution began, as its id says.
#[must_use]
pub fn began(execution: Uuid) -> Timestamp {
    let millisecond = i64::try_from(execution.as_u128() >> 80).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(millisecond).unwrap_or(Timestamp::MAX)
}

/// The least id of what began at a moment or later; `None` before 1970.
#[must_use]
pub fn first_of(moment: Timestamp) -> Option<Uuid> {
    let millisecond = u128::try_from(moment.as_millisecond()).ok()?;
    Some(Uuid::from_u128(millisecond << 80))
}

/// The state after all of `entries`, and the version that it stands for.
#[must_use]
pub fn fold(entries: &[Entry]) -> (Version, Execution) {
    let events = entries.iter().flat_map(|entry| &entry.record.events);
    let state = events.fold(Execution::default(), evolve);
    (
        entries.last().map_or(Version::NONE, |entry| entry.version),
        state,
    )
}

/// All events of an execution, oldest first.
#[must_use]
pub fn events(entries: &[Entry]) -> Vec<&Event> {
    entries
        .iter()
        .flat_map(|entry| &entry.record.events)
        .collect()
}
