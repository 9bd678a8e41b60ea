//! Streams and objects behind one trait: what happened, for ever and in order.
//!
//! Everything is a stream of records: an execution, and each flow, stage, user or session as a
//! stream of revisions with its current body kept beside it. This module knows bodies as bytes
//! and uses nothing of ours but the clock.

use std::collections::HashSet;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use uuid::Uuid;

mod body;
pub mod chain;
pub mod counter;
pub mod cursor;
mod error;
pub mod evidence;
#[cfg(test)]
pub(crate) mod faulty;
mod follower;
mod forgotten;
pub mod frame;
pub mod keys;
mod kind;
pub mod memory;
mod meter;
pub mod object;
mod objects;
mod pack;
pub mod postgres;
pub mod prepare;
mod queue;
pub mod seal;
pub mod sled;
mod span;
mod upcast;
mod varint;

pub use body::Body;
pub use error::Error;
pub use forgotten::Forgotten;
pub use kind::Kind;
pub use meter::Meter;
pub use objects::Objects;
pub use span::Spans;
pub use upcast::body as up_to_date;

/// The result of everything that the journal does.
pub type Result<T> = std::result::Result<T, Error>;

/// One stream: a kind and, within it, an id.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct StreamId {
    /// What the stream is about.
    pub kind: Kind,
    /// Which one of them.
    pub id: Uuid,
}

impl StreamId {
    /// The stream of `id` among those of `kind`.
    #[must_use]
    pub const fn new(kind: Kind, id: Uuid) -> Self {
        Self { kind, id }
    }
}

impl std::fmt::Display for StreamId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind, self.id)
    }
}

/// How many records a stream holds; the first record has version 1, an empty stream 0.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct Version(pub u64);

impl Version {
    /// The version of a stream in which nothing has been written.
    pub const NONE: Self = Self(0);

    /// The version after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The place of a record in the journal's global order; the first is 1.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct Position(pub u64);

/// SHA-256 over a frame's fields; all zero before a stream's first record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Hash(pub [u8; 32]);

/// Which key seals a body. Destroying a key makes every body under it unreadable for ever.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct KeyId(pub Uuid);

impl KeyId {
    /// The key shared by everything that belongs to nobody: flows, stages, brands, ...
    pub const SYSTEM: Self = Self(Uuid::nil());
}

/// A lookup key of an object. The store keeps only its HMAC, so it may hold personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Which lookup this is, such as `username`.
    pub name: &'static str,
    /// What is looked up.
    pub value: Vec<u8>,
}

impl Key {
    /// The lookup `name` with this value.
    pub fn new(name: &'static str, value: impl AsRef<[u8]>) -> Self {
        Self {
            name,
            value: value.as_ref().to_vec(),
        }
    }
}

/// When a commit is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Handed to the kernel: survives the process, not the machine.
    Relaxed,
    /// `fdatasync` has returned for the file that holds the bytes.
    Durable,
}

/// Changes that are written all together or not at all.
#[derive(Clone, Debug)]
pub struct Commit {
    /// What is written, in this order.
    pub writes: Vec<Write>,
    /// When the commit is acknowledged.
    pub durability: Durability,
    /// Refuses the commit when this lease has been taken over.
    pub fence: Option<Lease>,
    /// The one moment of the command that caused it.
    pub at: Timestamp,
    /// The request that caused it; ties journal and log together.
    pub correlation: Uuid,
}

/// One change within a [`Commit`].
#[derive(Clone, Debug)]
pub enum Write {
    /// Adds one record to a stream, holding all events of this commit.
    Append {
        /// The stream that grows.
        stream: StreamId,
        /// Its version before; anything else is a conflict.
        expected: Version,
        /// The key that seals the body.
        key: KeyId,
        /// The schema number of the body, for upcasting.
        schema: u16,
        /// The events, as JSON.
        body: Vec<u8>,
    },
    /// Adds a revision of an object and makes it the current one.
    Put {
        /// The object's stream.
        stream: StreamId,
        /// Its version before; [`Version::NONE`] for a new object.
        expected: Version,
        /// The key that seals the body.
        key: KeyId,
        /// The schema number of the body, for upcasting.
        schema: u16,
        /// The revision, as JSON.
        body: Vec<u8>,
        /// Lookups under which no other object of the kind may be found.
        unique: Vec<Key>,
        /// Lookups under which several may be found.
        index: Vec<Key>,
    },
    /// Ends an object: it has no current body any more, its revisions stay.
    Delete {
        /// The object's stream.
        stream: StreamId,
        /// Its version before.
        expected: Version,
    },
    /// Adds to a counter within bounds. It expects nothing, so it never conflicts.
    Add {
        /// The counter's name; the store keeps only its HMAC.
        counter: Vec<u8>,
        /// What is added.
        delta: i64,
        /// The least it may become.
        min: i64,
        /// The most it may become.
        max: i64,
        /// When it is forgotten; set only by the write that makes it.
        expires: Option<Timestamp>,
    },
    /// Makes a data key, wrapped under another one. A key that exists is left as it is.
    CreateKey {
        /// The new key.
        id: KeyId,
        /// The key that wraps it; [`KeyId::SYSTEM`] means the root key.
        under: KeyId,
    },
    /// Wraps an existing data key under another one.
    WrapKey {
        /// The key that is wrapped anew.
        id: KeyId,
        /// The key that wraps it from now on.
        under: KeyId,
    },
    /// Destroys a data key, in place and synced, whatever the commit's durability.
    DestroyKey {
        /// The key that goes.
        id: KeyId,
    },
}

/// A record as it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// The stream that it belongs to.
    pub stream: StreamId,
    /// Its place in that stream.
    pub version: Version,
    /// When it was recorded.
    pub at: Timestamp,
    /// The schema number of the body.
    pub schema: u16,
    /// The request that caused it.
    pub correlation: Uuid,
    /// Its own hash, which the next record of the stream names as the previous one.
    pub hash: Hash,
    /// The key that seals the body.
    pub key: KeyId,
    /// The opened body; `None` once it was removed or its key destroyed, or for a deletion.
    pub body: Option<Vec<u8>>,
    /// Whether there is a body that nobody can open, as its key was destroyed.
    pub is_locked: bool,
}

/// One revision of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// The object's stream.
    pub stream: StreamId,
    /// Which revision this is.
    pub version: Version,
    /// When it was written.
    pub at: Timestamp,
    /// The schema number of the body.
    pub schema: u16,
    /// The opened body.
    pub body: Body,
}

/// The right to be the only writer of something, until it runs out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What it is the right to.
    pub name: String,
    /// Grows with each taking; a commit fenced with an older epoch is refused.
    pub epoch: u64,
    /// When it runs out unless it is taken again.
    pub expires: Timestamp,
}

/// How much room a journal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// So many bytes are free.
    pub free: u64,
    /// With fewer bytes than this nothing new is begun.
    pub reserve: u64,
}

/// An append-only log of streams, and the current bodies of those that are objects.
#[async_trait]
pub trait Journal: Send + Sync + 'static {
    /// Writes all of `commit` or nothing, and returns once it is as durable as asked.
    ///
    /// # Errors
    /// [`Error::Conflict`] names the stream that had moved, [`Error::Taken`] the unique key;
    /// see `prepare::prepare` for the rest. Nothing was written then.
    async fn commit(&self, commit: Commit) -> Result<Position>;

    /// Whether there is room for something new to be begun. What is under way may still be written when
    /// there is not.
    ///
    /// # Errors
    /// [`Error::Full`] says how little is left.
    fn has_room(&self) -> Result<()> {
        Ok(())
    }

    /// What tells this process from the others that write to the same journal; `None` where there can be
    /// no others. It is another one after a restart.
    fn node(&self) -> Option<Uuid> {
        None
    }

    /// Whether other processes may write to it as well, so that what was read may be out of date.
    fn is_shared(&self) -> bool {
        self.node().is_some()
    }

    /// What all processes of this journal remember together for a while; `None` where there can be no
    /// others: then each keeps it in memory.
    fn spans(&self) -> Option<&dyn Spans> {
        None
    }

    /// How much room there is, where it is known.
    fn room(&self) -> Option<Left> {
        None
    }

    /// The records of `stream` after `after`, oldest first.
    async fn read(&self, stream: StreamId, after: Version) -> Result<Vec<Envelope>>;

    /// The last version of `stream` and the hash of that record.
    async fn head(&self, stream: StreamId) -> Result<(Version, Hash)>;

    /// Every record after `after` in the global order, and then those still to come.
    ///
    /// A record that cannot be opened is an error in its place.
    fn follow(&self, after: Position) -> BoxStream<'static, Result<(Position, Envelope)>>;

    /// The last position that was written; zero in an empty journal.
    fn last(&self) -> Position;

    /// Takes or renews the right called `name`, for this journal's process.
    ///
    /// Renewing before it runs out keeps its epoch; taking it, also after one's own ran out,
    /// raises the epoch, and commits fenced with the older one are refused from then on.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] while another process holds it.
    async fn lease(&self, name: &str, ttl: Duration) -> Result<Lease>;

    /// The current revision of an object.
    async fn get(&self, stream: StreamId) -> Result<Option<Object>>;

    /// The revision of an object that had this version; `None` when its body is gone.
    async fn get_at(&self, stream: StreamId, version: Version) -> Result<Option<Object>>;

    /// The object of `kind` that has this unique key.
    async fn find(&self, kind: Kind, key: Key) -> Result<Option<Object>>;

    /// The objects of `kind` that have this index key, by id, after `after`.
    async fn scan(
        &self,
        kind: Kind,
        key: Key,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Object>>;

    /// The objects of `kind`, by id, after `after`.
    async fn list(&self, kind: Kind, after: Option<Uuid>, limit: usize) -> Result<Vec<Object>>;

    /// The streams of `kind` with ids below `before`, the greatest id first.
    async fn streams(
        &self,
        kind: Kind,
        before: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<StreamId>>;

    /// What a counter stands at; zero when it is unknown or has expired at `now`.
    async fn counter(&self, counter: &[u8], now: Timestamp) -> Result<i64>;

    /// What wraps a data key; [`KeyId::SYSTEM`] means the root key. `None` when nothing can be opened
    /// with it any more.
    async fn wrapper(&self, key: KeyId) -> Result<Option<KeyId>>;

    /// The keys that are wrapped under another one, directly or by way of others: what goes with it.
    async fn keys_under(&self, key: KeyId) -> Result<Vec<KeyId>>;

    /// Takes the bodies of these records out of the log, with the lookups that were stored beside
    /// them; the records' frames stay, and so does the current revision of an object. Returns how many
    /// bodies went.
    ///
    /// This is for what lies under a key that has to stay. A store may keep old bytes, so only
    /// [`Write::DestroyKey`] makes a body unreadable for ever.
    ///
    /// # Errors
    /// When the log cannot be read or written; what was removed until then is gone.
    async fn remove_bodies(&self, records: HashSet<(StreamId, Version)>) -> Result<u64>;
}
