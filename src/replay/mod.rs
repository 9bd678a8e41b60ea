//! Reads executions back: what happened, where they stood, and whether today's code would come
//! to the same. Writes nothing.

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::directory::{Session, User};
use crate::flow::context::{Value, key};
use crate::flow::event::Event;
use crate::flow::execution::{End, Running};
use crate::flow::{Execution, evolve};
use crate::journal::object::Stored as _;
use crate::journal::{self, Journal, StreamId, Version};
use crate::world::record::KIND;
use crate::world::{Observation, Record};

mod inspect;
mod verify;

pub use inspect::{Inspection, Moment, inspect};
pub use verify::{Compared, Divergence, Verified, compare, verify};

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
    #[error("execution {0} can no longer be read: its bodies were removed or their key destroyed")]
    Erased(Uuid),
    /// The code that judges could not run at all.
    #[error("{0}")]
    Broken(String),
}

/// One record of an execution, with what the journal knows about it.
#[derive(Clone, Debug, Serialize)]
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

/// What a list shows of an execution.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Its id.
    pub execution: Uuid,
    /// When it began.
    pub started: Timestamp,
    /// When it was last touched.
    pub last: Timestamp,
    /// The flow's slug.
    pub flow: String,
    /// Who went through it, as far as is known: a user's id, or what was typed. Where nobody was
    /// named, whoever was logged in when it began.
    pub user: Option<String>,
    /// From where.
    pub address: String,
    /// How it stands: `running`, `completed`, `denied`, `cancelled`, `expired`.
    pub state: &'static str,
    /// The stage it is at, or the reason why it ended.
    pub detail: String,
}

/// All records of an execution, oldest first.
///
/// # Errors
/// [`Error::Unknown`], [`Error::Erased`], or what the journal said.
pub async fn entries(journal: &dyn Journal, execution: Uuid) -> Result<Vec<Entry>, Error> {
    let stream = StreamId::new(KIND, execution);
    let mut entries = Vec::new();
    for envelope in journal.read(stream, Version::NONE).await? {
        let body = envelope.body.as_deref().ok_or(Error::Erased(execution))?;
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

/// The latest executions that began before `before`, the newest first.
///
/// Those that can no longer be read are left out, and do not count.
///
/// # Errors
/// What the journal said.
pub async fn list(
    journal: &dyn Journal,
    before: Option<Uuid>,
    limit: usize,
) -> Result<Vec<Summary>, Error> {
    let mut summaries = Vec::new();
    let mut before = before;
    while summaries.len() < limit {
        let streams = journal.streams(KIND, before, limit).await?;
        let Some(last) = streams.last() else {
            break;
        };
        before = Some(last.id);
        for stream in streams {
            match entries(journal, stream.id).await {
                Ok(entries) => summaries.extend(summary(&entries)),
                Err(Error::Erased(_)) => {}
                Err(error) => return Err(error),
            }
            if summaries.len() == limit {
                break;
            }
        }
    }
    Ok(summaries)
}

fn summary(entries: &[Entry]) -> Option<Summary> {
    let (_, state) = fold(entries);
    let latest = state.latest()?;
    let (first, last) = (entries.first()?, entries.last()?);
    let (word, detail) = standing(&state);
    Some(Summary {
        execution: latest.execution,
        started: first.at,
        last: last.at,
        flow: latest.slug.clone(),
        user: user(latest).or_else(|| logged_in(latest, first)),
        address: first.record.input.client.address.to_string(),
        state: word,
        detail,
    })
}

fn user(running: &Running) -> Option<String> {
    match running.context.get(key::PENDING_USER)? {
        Value::User(id) => Some(id.to_string()),
        Value::Stranger { identifier } => Some(identifier.clone()),
        _ => None,
    }
}

/// The user who was logged in when the execution began: what is looked at right after the session
/// is its user.
fn logged_in(running: &Running, first: &Entry) -> Option<String> {
    let notes = &first.record.observations;
    let user = notes.windows(2).find_map(|pair| match pair {
        [
            Observation::Object { kind, id, .. },
            Observation::Object {
                kind: next,
                id: user,
                version: Some(_),
            },
        ] => {
            let is_user = *kind == Session::KIND && *id == running.session && *next == User::KIND;
            is_user.then_some(*user)
        }
        _ => None,
    });
    user.map(|user| user.to_string())
}

fn standing(state: &Execution) -> (&'static str, String) {
    match state {
        Execution::Unstarted => ("unstarted", String::new()),
        Execution::Running(running) => {
            let current = running.plan.current().map(|stage| stage.name.clone());
            ("running", current.unwrap_or_default())
        }
        Execution::Ended(ended) => match &ended.how {
            End::Completed { destination } => ("completed", destination.clone()),
            End::Denied { message, .. } => ("denied", message.clone()),
            End::Cancelled => ("cancelled", String::new()),
            End::Expired => ("expired", String::new()),
        },
    }
}

/// All events of an execution, oldest first.
#[must_use]
pub fn events(entries: &[Entry]) -> Vec<&Event> {
    entries
        .iter()
        .flat_map(|entry| &entry.record.events)
        .collect()
}
