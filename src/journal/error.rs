//! What can go wrong in the journal.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Kind, StreamId, Version};

/// Why the journal could not do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// Somebody else wrote first. Reload and decide again.
    #[error("{stream} is at version {actual}, not {expected}")]
    Conflict {
        /// The stream that had moved.
        stream: StreamId,
        /// The version that the commit was based on.
        expected: Version,
        /// The version that it has.
        actual: Version,
    },
    /// Another object already has this unique key.
    #[error("another {kind} already has this {name}")]
    Taken {
        /// The kind of both objects.
        kind: Kind,
        /// The name of the key.
        name: String,
    },
    /// The fence of a commit is no longer held.
    #[error("the lease {name:?} is held by somebody else now")]
    LeaseLost {
        /// The lease.
        name: String,
    },
    /// A record's bytes are not what was written.
    #[error("{stream} is damaged at version {version}: {problem}")]
    Corrupt {
        /// The stream.
        stream: StreamId,
        /// The first damaged record.
        version: Version,
        /// What is wrong with it.
        problem: String,
    },
    /// A file of the journal is not what was written.
    #[error("{}: {problem}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// A newer version of this program wrote it, and this one cannot read it, or must not write beside it.
    #[error(
        "{what} has {sort} {found}, and this version of Gatelog knows {sort}s up to {known}: install the \
         version that wrote it"
    )]
    Newer {
        /// What it is.
        what: String,
        /// What is numbered: a schema or a format.
        sort: &'static str,
        /// The number that was found.
        found: u32,
        /// The greatest that this version knows.
        known: u32,
    },
    /// The key that seals a body was destroyed or never existed.
    #[error("the key {0} does not exist")]
    NoKey(uuid::Uuid),
    /// A key cannot be what was asked of it, such as its own wrapper.
    #[error("the key {id} {problem}")]
    KeyRefused {
        /// The key.
        id: uuid::Uuid,
        /// What cannot be done with it.
        problem: &'static str,
    },
    /// A sealed body does not open under its key and in its place.
    #[error("a body sealed under the key {0} was altered")]
    Altered(uuid::Uuid),
    /// A commit is larger than the limit of 4 MiB.
    #[error("the commit has {size} bytes, more than the {limit} that one may have")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
        /// The most it may have.
        limit: usize,
    },
    /// The store refuses everything since a write failed; restart the server.
    #[error("the journal cannot be written: {0}")]
    Unavailable(Arc<str>),
    /// So little of the disk is free that this is not written. It passes when there is room again.
    #[error("the disk is full: {free} bytes are free, and {least} have to be {what}")]
    Full {
        /// How many bytes are free.
        free: u64,
        /// How many have to be for what was asked.
        least: u64,
        /// What was asked, and the setting that says how many, where one does.
        what: &'static str,
    },
    /// Reading or writing a file failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: Arc<std::io::Error>,
    },
}

impl Error {
    /// Whether more room on the disk would have helped.
    #[must_use]
    pub fn is_about_room(&self) -> bool {
        let is_full = |source: &std::io::Error| source.kind() == std::io::ErrorKind::StorageFull;
        match self {
            Self::Full { .. } => true,
            Self::Io { source, .. } => is_full(source),
            // What stopped the writer is known in words only, which end with the system's number for it.
            // PostgreSQL has a number of its own.
            Self::Unavailable(why) => why.contains("os error 28") || why.contains("(53100)"),
            _ => false,
        }
    }

    /// Whether something is not as it was written.
    #[must_use]
    pub const fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::Damaged { .. } | Self::Corrupt { .. } | Self::Altered(_)
        )
    }

    /// An input or output error that names its file.
    pub fn io(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self::Io {
            path: path.into(),
            source: Arc::new(source),
        }
    }
}
