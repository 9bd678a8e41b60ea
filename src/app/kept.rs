//! The journal of this process, whichever it is: on the disk, or in PostgreSQL.
//!
//! The one place that tells them apart where the trait is not enough. What a journal cannot do, or
//! does in another way, is said here.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::store::{self, Pieces};
use crate::clock::Clock;
use crate::http::operator::Verified;
use crate::journal::evidence::{Checkpoint, Stand};
use crate::journal::frame::Frame;
use crate::journal::keys::{Keyring, RootKey};
use crate::journal::postgres::PostgresJournal;
use crate::journal::sled::SledJournal;
use crate::journal::{Error, Forgotten, Hash, Journal, Kind, Meter, Position, Result, StreamId};
use crate::settings::Settings;

/// How many pieces of an export wait for a slow reader.
const PIECES: usize = 16;

/// An open journal. Clones are the same one.
#[derive(Clone)]
pub enum Kept {
    /// On this machine's disk, where nobody else has it.
    Disk(Arc<SledJournal>),
    /// In a database, where other nodes have it as well.
    Shared(Arc<PostgresJournal>),
}

impl Kept {
    /// Opens the journal that the settings name, with its keys.
    ///
    /// # Errors
    /// When it cannot be opened, or a key that has to be there is not.
    pub(super) async fn open(settings: &Settings, clock: &Clock) -> anyhow::Result<Self> {
        let Some(options) = store::database(settings)? else {
            let keyring = store::keyring(settings, clock)?;
            let disk = SledJournal::open(&store::options(settings), keyring, clock.clone());
            return Ok(Self::Disk(Arc::new(disk?)));
        };
        let root = store::shared_root(settings, clock);
        let shared = PostgresJournal::open(&options, root, clock.clone()).await;
        Ok(Self::Shared(Arc::new(shared?)))
    }

    /// The journal as everybody knows it.
    #[must_use]
    pub fn journal(&self) -> Arc<dyn Journal> {
        match self {
            Self::Disk(disk) => Arc::clone(disk) as Arc<dyn Journal>,
            Self::Shared(shared) => Arc::clone(shared) as Arc<dyn Journal>,
        }
    }

    /// Its keys, for what they derive.
    pub(super) fn keyring(&self) -> &Arc<Keyring> {
        match self {
            Self::Disk(disk) => disk.keyring(),
            Self::Shared(shared) => shared.keyring(),
        }
    }

    /// What is counted of its work.
    pub(super) fn meter(&self) -> &Meter {
        match self {
            Self::Disk(disk) => disk.meter(),
            Self::Shared(shared) => shared.meter(),
        }
    }

    /// What it is now, none of which may be lost any more.
    pub(super) async fn stand(&self) -> Result<Stand> {
        match self {
            Self::Disk(disk) => disk.stand().await,
            Self::Shared(shared) => shared.stand().await,
        }
    }

    /// The root of the tree when it had `size` records; `None` when it never had so many.
    pub(super) async fn root_at(&self, size: u64) -> Result<Option<Hash>> {
        match self {
            // It reads a few hashes.
            Self::Disk(disk) => disk.root_at(size),
            Self::Shared(shared) => shared.root_at(size).await,
        }
    }

    /// The positions of all records of a stream.
    pub(super) async fn positions(&self, stream: StreamId) -> Result<Vec<Position>> {
        match self {
            Self::Disk(disk) => on(disk, move |disk| disk.positions(stream)).await,
            Self::Shared(shared) => shared.positions(stream).await,
        }
    }

    /// The frame of a record, and what shows that it is one of the first `size`.
    pub(super) async fn inclusion(
        &self,
        position: Position,
        size: u64,
    ) -> Result<Option<(Frame, Vec<Hash>)>> {
        match self {
            Self::Disk(disk) => on(disk, move |disk| disk.inclusion(position, size)).await,
            Self::Shared(shared) => shared.inclusion(position, size).await,
        }
    }

    /// What shows that the first `to` records begin with the first `from`.
    pub(super) async fn consistency(&self, from: u64, to: u64) -> Result<Option<Vec<Hash>>> {
        match self {
            Self::Disk(disk) => on(disk, move |disk| disk.consistency(from, to)).await,
            Self::Shared(shared) => shared.consistency(from, to).await,
        }
    }

    /// Checks every record, also against checkpoints that somebody has kept.
    ///
    /// # Errors
    /// Only when it cannot be read; damage is among the findings.
    pub async fn verify(&self, held: Vec<Checkpoint>) -> Result<Verified> {
        match self {
            Self::Disk(disk) => {
                on(disk, move |disk| Ok(store::verified(&disk.verify(&held)?))).await
            }
            Self::Shared(shared) => Ok(store::verified_shared(shared.verify(&held).await?)),
        }
    }

    /// Shows the frame of every record that there is now, in order, and whether its body is there.
    pub(super) async fn frames<T: Send + 'static>(
        &self,
        mut into: T,
        mut look: impl FnMut(&mut T, &Frame, bool) + Send + 'static,
    ) -> Result<T> {
        match self {
            Self::Disk(disk) => {
                let looking = move |disk: &SledJournal| {
                    disk.frames(|frame, _, has_body| look(&mut into, frame, has_body))?;
                    Ok(into)
                };
                on(disk, looking).await
            }
            Self::Shared(shared) => {
                let looked = shared.frames(|frame, has_body| look(&mut into, frame, has_body));
                looked.await?;
                Ok(into)
            }
        }
    }

    /// Removes the bodies of which `goes` says so; see [`SledJournal::forget`].
    pub(super) async fn forget(
        &self,
        keyed: Kind,
        goes: impl Fn(StreamId, Timestamp) -> bool + Send + Sync + 'static,
    ) -> Result<Forgotten> {
        match self {
            Self::Disk(disk) => on(disk, move |disk| disk.forget(keyed, goes)).await,
            Self::Shared(shared) => shared.forget(keyed, goes).await,
        }
    }

    /// Wraps all keys under another root key, which takes the place of the one in the file.
    pub(super) async fn rotate_root(&self, clock: &Clock) -> Result<()> {
        match self {
            Self::Disk(disk) => {
                let new = RootKey::generate(clock);
                on(disk, move |disk| disk.keyring().rotate(&new)).await
            }
            // Each node has the file, and a node that has the old one could open nothing any more.
            Self::Shared(_) => Err(Error::KeyRefused {
                id: uuid::Uuid::nil(),
                problem: "is wrapped under a root key that other nodes have as well, and cannot be \
                          changed while the journal is in PostgreSQL: copy the journal to a data \
                          directory, change it there, and copy it back",
            }),
        }
    }

    /// The whole journal as one export.
    pub(super) fn export(&self) -> BoxStream<'static, io::Result<Bytes>> {
        let (to, pieces) = mpsc::channel(PIECES);
        let kept = self.clone();
        tokio::task::spawn_blocking(move || {
            let failures = to.clone();
            let exported = match kept {
                Self::Disk(disk) => disk.export(Pieces(to)),
                Self::Shared(shared) => shared.export(Pieces(to)),
            };
            if let Err(error) = exported {
                tracing::error!(%error, "an export broke off");
                let _ = failures.blocking_send(Err(io::Error::other(error.to_string())));
            }
        });
        stream::unfold(pieces, |mut pieces| async move {
            Some((pieces.recv().await?, pieces))
        })
        .boxed()
    }

    /// Writes what is queued and closes it.
    ///
    /// # Errors
    /// What went wrong while writing, now or earlier.
    pub(super) async fn close(self) -> anyhow::Result<()> {
        match self {
            // It waits for the disk.
            Self::Disk(disk) => Ok(on(&disk, SledJournal::close).await?),
            Self::Shared(shared) => {
                shared.close().await;
                Ok(())
            }
        }
    }
}

/// Does what takes its time away from the threads that serve requests.
async fn on<T: Send + 'static>(
    disk: &Arc<SledJournal>,
    work: impl FnOnce(&SledJournal) -> Result<T> + Send + 'static,
) -> Result<T> {
    let disk = Arc::clone(disk);
    tokio::task::spawn_blocking(move || work(&disk))
        .await
        .map_err(|error| Error::Unavailable(error.to_string().into()))?
}
