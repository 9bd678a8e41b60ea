//! What was done that the objects do not show, or not all of it, such as why a session was ended.
//! Noted like a change, but under the key of whoever it is about; told by `audit`.
//!
//! Nothing here commits, and nothing secret is noted.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Author;
use super::change::Changed;
use crate::journal::{self, Envelope, Error, KeyId, Kind, StreamId, Version, Write};

/// The kind of the streams that hold them, one stream for each commit.
pub const KIND: Kind = Kind::new("remark");

/// The schema number of a remark.
const SCHEMA: u16 = 1;

/// One thing that was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Remark {
    /// Who did it.
    pub author: Author,
    /// What: the action of an audit event, such as `logout`.
    pub action: String,
    /// The object that it was done to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Changed>,
    /// What else there is to say.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub context: Map<String, Value>,
}

/// The write that notes what was done, in the commit with this id. It is sealed by the key of the
/// author, as it may say from where they did it.
///
/// # Panics
/// Never: a remark has only string keys.
#[must_use]
pub fn remark(remark: &Remark, correlation: Uuid) -> Write {
    Write::Append {
        stream: StreamId::new(KIND, correlation),
        expected: Version::NONE,
        key: remark.author.user.map_or(KeyId::SYSTEM, KeyId),
        schema: SCHEMA,
        body: serde_json::to_vec(remark).expect("a remark has only string keys"),
    }
}

/// Reads one; `None` of a record without a body.
///
/// # Errors
/// [`Error::Corrupt`] when the body is no remark.
pub fn open(record: &Envelope) -> journal::Result<Option<Remark>> {
    let Some(body) = &record.body else {
        return Ok(None);
    };
    let remark = serde_json::from_slice(body).map_err(|error| Error::Corrupt {
        stream: record.stream,
        version: record.version,
        problem: format!("a remark cannot be read: {error}"),
    })?;
    Ok(Some(remark))
}
