//! Who changed what. Whatever is changed from outside of an execution carries a note in the same
//! commit, under the commit's own id, so that the stream of any object leads to who wrote each of
//! its revisions.
//!
//! What an execution changes needs no note: its own trail tells. Nothing here commits.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::journal::{self, Envelope, Error, Journal, KeyId, Kind, StreamId, Version, Write};

/// The kind of the streams that hold the notes, one stream for each commit.
pub const KIND: Kind = Kind::new("change");

/// The schema number of a note.
const SCHEMA: u16 = 1;

/// What is counted or kept for the server's own use, and of which nobody is the author.
const UNNOTED: [&str; 1] = ["install"];

/// Who changes something, and by what means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// The user, where it is one.
    pub user: Option<Uuid>,
    /// The token that stood for the user, where it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Uuid>,
    /// By what means.
    pub means: Means,
    /// The address that the request came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The request's method and path, without what it asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}

/// By what means something is changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// The management API.
    Api,
    /// A form of the user's own page.
    Page,
    /// The operator's own commands, on the machine of the server.
    Operator,
    /// A file in the watched folder, or a blueprint that is kept here.
    Blueprint(String),
    /// The server by itself, such as at its first start.
    Server,
}

impl Author {
    /// Whoever owns the machine.
    #[must_use]
    pub fn operator() -> Self {
        Self::by(Means::Operator)
    }

    /// The server itself.
    #[must_use]
    pub fn server() -> Self {
        Self::by(Means::Server)
    }

    /// Nobody in particular, by these means.
    #[must_use]
    pub fn by(means: Means) -> Self {
        Self {
            user: None,
            token: None,
            means,
            address: None,
            request: None,
        }
    }
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Did {
    /// It was made.
    Created,
    /// It was changed.
    Updated,
    /// It was removed.
    Deleted,
    /// Its secret was shown to somebody; nothing of it changed.
    Viewed,
}

/// One object of a commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// What kind of object.
    pub kind: Kind,
    /// Which one.
    pub id: Uuid,
    /// Its revision afterwards.
    pub version: Version,
    /// What happened to it.
    pub did: Did,
}

/// The note of one commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Who.
    pub author: Author,
    /// What.
    pub objects: Vec<Changed>,
}

/// Adds the note to the writes of the commit with this id; nothing to writes of nothing.
///
/// It is sealed by the system's key, and names people by their identifiers only: who changed a
/// flow stays to be told when the account is gone.
pub fn note(writes: &mut Vec<Write>, author: &Author, correlation: Uuid) {
    let objects: Vec<Changed> = writes.iter().filter_map(changed).collect();
    if objects.is_empty() {
        return;
    }
    writes.push(noted(objects, author, correlation));
}

/// The note that this happened to these objects, in the commit with this id.
///
/// # Panics
/// Never: a note has only string keys.
#[must_use]
pub fn noted(objects: Vec<Changed>, author: &Author, correlation: Uuid) -> Write {
    let change = Change {
        author: author.clone(),
        objects,
    };
    Write::Append {
        stream: StreamId::new(KIND, correlation),
        expected: Version::NONE,
        key: KeyId::SYSTEM,
        schema: SCHEMA,
        body: serde_json::to_vec(&change).expect("a note has only string keys"),
    }
}

fn changed(write: &Write) -> Option<Changed> {
    let (stream, version, did) = match write {
        Write::Put {
            stream, expected, ..
        } if *expected == Version::NONE => (stream, expected, Did::Created),
        Write::Put {
            stream, expected, ..
        } => (stream, expected, Did::Updated),
        Write::Delete { stream, expected } => (stream, expected, Did::Deleted),
        _ => return None,
    };
    (!UNNOTED.contains(&stream.kind.as_str())).then(|| Changed {
        kind: stream.kind,
        id: stream.id,
        version: version.next(),
        did,
    })
}

/// Reads a note; `None` of a record without a body.
///
/// # Errors
/// [`Error::Corrupt`] when the body is no note.
pub fn open(record: &Envelope) -> journal::Result<Option<Change>> {
    let Some(body) = &record.body else {
        return Ok(None);
    };
    let change = serde_json::from_slice(body).map_err(|error| Error::Corrupt {
        stream: record.stream,
        version: record.version,
        problem: format!("the note of a change cannot be read: {error}"),
    })?;
    Ok(Some(change))
}

/// One revision of an object, and who wrote it.
#[derive(Clone, Debug)]
pub struct Revision {
    /// Which revision.
    pub version: Version,
    /// When it was written.
    pub at: Timestamp,
    /// The commit.
    pub correlation: Uuid,
    /// What it holds; `None` of a removal, and where nobody can read it any more.
    pub body: Option<Vec<u8>>,
    /// The note; `None` where an execution wrote it, or a version that made no notes.
    pub change: Option<Change>,
}

/// The revisions of an object, the oldest first.
pub async fn history(journal: &dyn Journal, object: StreamId) -> journal::Result<Vec<Revision>> {
    let mut revisions = Vec::new();
    for record in journal.read(object, Version::NONE).await? {
        let note = StreamId::new(KIND, record.correlation);
        let change = match journal.read(note, Version::NONE).await?.first() {
            Some(note) => open(note)?,
            None => None,
        };
        revisions.push(Revision {
            version: record.version,
            at: record.at,
            correlation: record.correlation,
            body: record.body,
            change,
        });
    }
    Ok(revisions)
}
