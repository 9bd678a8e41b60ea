//! One record as the feed has it.

use jiff::Timestamp;
use uuid::Uuid;

use crate::directory::change::{self, Change};
use crate::directory::{Remark, User, remark};
use crate::flow::event::Event;
use crate::journal::object::Stored;
use crate::journal::{Envelope, Error, Position, Result, Version};
use crate::world::Observation;
use crate::world::record::{self, Record};

/// One record, with what the journal knows about it.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its place in the journal, which is the cursor.
    pub position: Position,
    /// When it was written.
    pub at: Timestamp,
    /// The execution, or the commit.
    pub id: Uuid,
    /// Its place in the stream of the execution; 1 for anything else.
    pub version: Version,
    /// The request that caused it.
    pub correlation: Uuid,
    /// What it holds.
    pub what: What,
}

/// What an item holds.
#[derive(Clone, Debug)]
pub enum What {
    /// One command to an execution, and what happened.
    Execution(Box<Record>),
    /// What was changed from outside of one.
    Change(Change),
    /// What was done that is no change.
    Remark(Box<Remark>),
}

/// Reads a record. `None` for what is no part of the feed: objects, which hold secrets, and what
/// cannot be read any more.
///
/// # Errors
/// [`Error::Corrupt`] when it is not what its kind says. It is not passed over: nothing is.
pub fn read(position: Position, envelope: &Envelope) -> Result<Option<Item>> {
    let what = match envelope.stream.kind {
        record::KIND => {
            let Some(body) = &envelope.body else {
                return Ok(None);
            };
            let record = serde_json::from_slice(body).map_err(|error| Error::Corrupt {
                stream: envelope.stream,
                version: envelope.version,
                problem: format!("its body cannot be read: {error}"),
            })?;
            Some(What::Execution(Box::new(record)))
        }
        change::KIND => change::open(envelope)?.map(What::Change),
        remark::KIND => remark::open(envelope)?.map(|it| What::Remark(Box::new(it))),
        _ => None,
    };
    Ok(what.map(|what| Item {
        position,
        at: envelope.at,
        id: envelope.stream.id,
        version: envelope.version,
        correlation: envelope.correlation,
        what,
    }))
}

/// The user that an execution's record is about, where one event of it does not say: the one who
/// was looked at last.
#[must_use]
pub fn user_of(record: &Record) -> Option<Uuid> {
    let named = record.events.iter().rev().find_map(|event| match event {
        Event::SessionStarted { user, .. }
        | Event::PasswordVerified { user, .. }
        | Event::UserWritten { user, .. }
        | Event::DeviceEnrolled { user, .. } => Some(*user),
        Event::UserIdentified { user, .. } | Event::PasswordRejected { user, .. } => *user,
        _ => None,
    });
    let seen = record
        .observations
        .iter()
        .rev()
        .find_map(|note| match note {
            Observation::Object { kind, id, version }
                if *kind == User::KIND && version.is_some() =>
            {
                Some(*id)
            }
            _ => None,
        });
    named.or(seen)
}
