//! The journal on this machine's disk.
//!
//! `log/` holds every record, in segments of the embedded store sled; `state/` what makes answers
//! fast, rebuilt from the log whenever it is in doubt; `checkpoints` proves how long the log was.
//! One thread writes (see `writer`), everybody reads. Bodies arrive and leave sealed: nothing but
//! `seal` opens them.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use crossbeam_channel::Sender;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use tokio::sync::{oneshot, watch};
use uuid::Uuid;

use super::follower::Last;
use super::keys::Keyring;
use super::pack::Bodies;
use super::queue::Queue;
use super::{
    Commit, Envelope, Error, Hash, Journal, Key, KeyId, Kind, Lease, Left, Meter, Object, Position,
    Result, StreamId, Version, seal,
};
use crate::clock::Clock;

mod archive;
mod batch;
mod checkpoint;
mod disk;
mod examine;
mod export;
#[cfg(feature = "shifted-clock")]
mod faults;
mod fold;
mod follow;
mod log;
mod note;
mod opened;
mod options;
mod overlay;
mod place;
mod portable;
mod prove;
mod read;
mod recover;
mod retain;
mod room;
mod segment;
mod segments;
mod state;
mod store;
mod tree;
mod verify;
mod writer;

use batch::Request;
use checkpoint::Checkpoints;
use opened::Opened;
use room::Room;
use segments::Segments;
use store::Store;

pub use disk::OnSync;
pub use examine::verify_exports;
pub use options::Options;
pub(super) use portable::Portable;
pub use portable::export;
pub use recover::rebuild;
pub use room::FLOOR;
pub use verify::{Finding, Report, verify};

/// How many closed segments may wait for their export, beside those of the start.
const EXPORTS: usize = 64;

/// What a list holds beyond this is read on a thread that may block.
const LONG: usize = 256;

/// A journal on disk. Dropping it closes it; [`SledJournal::close`] also says whether all went
/// well.
pub struct SledJournal {
    shared: Arc<Shared>,
    queue: Queue,
    requests: Mutex<Option<Sender<Request>>>,
    threads: Mutex<Option<Threads>>,
}

struct Threads {
    writer: JoinHandle<Result<()>>,
    archive: JoinHandle<()>,
    stop_archive: Arc<AtomicBool>,
}

/// What readers and the writer share.
struct Shared {
    directory: PathBuf,
    state: Store,
    segments: Segments,
    keyring: Arc<Keyring>,
    opened: Opened,
    /// The last position that is as durable as was asked, for those who follow.
    last: watch::Sender<Last>,
    /// Why nothing is written any more, once that is so.
    failed: OnceLock<Arc<str>>,
    room: Room,
    /// Whoever verifies has the only place for a scratch state.
    verifying: Mutex<()>,
    meter: Meter,
    clock: Clock,
}

impl Shared {
    fn told<T>(&self, read: Result<T>) -> Result<T> {
        self.meter.read(&read);
        told(read, self.failed.get())
    }
}

/// What was read. Once a write has failed, sled refuses to read as well: that is no other problem,
/// and passes with the same restart.
fn told<T>(read: Result<T>, failed: Option<&Arc<str>>) -> Result<T> {
    match (read, failed) {
        (Err(Error::Io { .. }), Some(why)) => Err(Error::Unavailable(Arc::clone(why))),
        (read, _) => read,
    }
}

impl SledJournal {
    /// Opens the journal and makes it if there is none; brings the state up to the log.
    ///
    /// The caller makes sure that no other process has the data directory.
    ///
    /// # Errors
    /// [`Error::Damaged`] and [`Error::Corrupt`] name what of the log cannot be read, and the
    /// remedy; [`Error::Unavailable`] when another process has it open.
    ///
    /// # Panics
    /// When the system gives no thread.
    pub fn open(options: &Options, keyring: Arc<Keyring>, clock: Clock) -> Result<Self> {
        let directory = options.directory.clone();
        disk::create_directory(&directory)?;
        let tuning = options.tuning();
        let segments = Segments::open(&directory.join("log"), tuning.clone())?;
        let (state, applied) = recover::state(&directory, &tuning, &segments, &keyring)?;
        let checkpoints = Checkpoints::open(&directory.join("checkpoints"))?;
        recover::check(&directory, &checkpoints, applied)?;
        let log = segments.open_for_writing()?;
        let shared = Arc::new(Shared {
            directory,
            state,
            segments,
            keyring,
            opened: Opened::default(),
            last: watch::Sender::new(Last {
                position: Position(applied.place.last_record()),
                closed: false,
            }),
            failed: OnceLock::new(),
            room: Room::of(&options.directory, options.reserve),
            verifying: Mutex::default(),
            meter: Meter::default(),
            clock,
        });
        let closed = shared.segments.closed();
        // What finds no place is exported after the next start: the directory stays until then.
        let (jobs, archive_jobs) = crossbeam_channel::bounded(closed.len() + EXPORTS);
        for segment in closed {
            if !segment.has_export() || options.remove_exported {
                let _ = jobs.try_send(archive::Job::Export(segment));
            }
        }
        let stop_archive = Arc::new(AtomicBool::new(false));
        let archive = {
            let (stop, remove) = (Arc::clone(&stop_archive), options.remove_exported);
            spawn("journal-archive", move || {
                archive::run(&archive_jobs, remove, &stop);
            })
        };
        // What may wait is bounded by the semaphore, so that nobody blocks a thread to wait; whoever
        // removes bodies asks for one portion after the other.
        let (requests, queued) = crossbeam_channel::unbounded();
        let writer = writer::Writer::new(
            Arc::clone(&shared),
            queued,
            log,
            applied,
            checkpoints,
            jobs,
            options.segment_records,
        );
        let writer = spawn("journal-writer", move || writer.run());
        Ok(Self {
            shared,
            queue: Queue::new(),
            requests: Mutex::new(Some(requests)),
            threads: Mutex::new(Some(Threads {
                writer,
                archive,
                stop_archive,
            })),
        })
    }

    /// Writes what is queued, makes all of it durable, ends the threads and the followers.
    ///
    /// Reading goes on until the journal is dropped, which is what closes its files.
    ///
    /// # Errors
    /// What went wrong while writing, now or earlier.
    pub fn close(&self) -> Result<()> {
        self.end()
    }

    /// The keys that seal the bodies.
    #[must_use]
    pub fn keyring(&self) -> &Arc<Keyring> {
        &self.shared.keyring
    }

    /// What is counted of its work; a clone of it counts on.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        &self.shared.meter
    }

    /// The last position.
    #[must_use]
    pub fn last(&self) -> Position {
        self.shared.last.borrow().position
    }

    fn end(&self) -> Result<()> {
        drop(lock(&self.requests).take());
        let Some(threads) = lock(&self.threads).take() else {
            return Ok(());
        };
        let written = threads.writer.join();
        self.shared.last.send_modify(|last| last.closed = true);
        threads.stop_archive.store(true, Ordering::Relaxed);
        let _ = threads.archive.join();
        written.unwrap_or_else(|_| Err(batch::closed()))
    }

    /// Hands a commit to the writer once there is room for it, and waits for the answer.
    async fn queued(&self, commit: Commit) -> Result<Position> {
        let permit = self.queue.place_for(&commit).await;
        let (answer, answered) = oneshot::channel();
        let bodies = Bodies::of(&commit);
        self.send(Request::Commit {
            commit,
            bodies,
            answer,
            permit,
        })?;
        answered.await.map_err(|_| batch::closed())?
    }

    fn send(&self, request: Request) -> Result<()> {
        match lock(&self.requests).as_ref() {
            Some(requests) => requests.send(request).map_err(|_| batch::closed()),
            None => Err(batch::closed()),
        }
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let shared = Arc::clone(&self.shared);
        match tokio::task::spawn_blocking(move || work(&shared)).await {
            Ok(result) => result,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(batch::closed()),
        }
    }
}

impl Drop for SledJournal {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::error!(%error, "the journal was not closed well");
        }
    }
}

impl std::fmt::Debug for SledJournal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SledJournal")
            .field("directory", &self.shared.directory)
            .field("last", &self.last())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Journal for SledJournal {
    async fn commit(&self, commit: Commit) -> Result<Position> {
        seal::check_size(&commit)?;
        let Shared { meter, clock, .. } = self.shared.as_ref();
        let (_waits, began) = (meter.waits(), clock.monotonic());
        let result = self.queued(commit).await;
        meter.answered(&result, clock.monotonic().duration_since(began));
        result
    }

    fn has_room(&self) -> Result<()> {
        self.shared.room.for_something_new()
    }

    fn room(&self) -> Option<Left> {
        self.shared.room.left()
    }

    async fn read(&self, stream: StreamId, after: Version) -> Result<Vec<Envelope>> {
        if self.shared.is_fast(stream, after) {
            return self.shared.told(self.shared.read(stream, after));
        }
        self.blocking(move |shared| shared.told(shared.read(stream, after)))
            .await
    }

    async fn head(&self, stream: StreamId) -> Result<(Version, Hash)> {
        let head = self.shared.told(self.shared.head(stream))?;
        let head = head.unwrap_or_default();
        Ok((head.version, head.hash))
    }

    fn follow(&self, after: Position) -> BoxStream<'static, Result<(Position, Envelope)>> {
        follow::follow(&self.shared, after)
    }

    fn last(&self) -> Position {
        Self::last(self)
    }

    async fn lease(&self, name: &str, ttl: Duration) -> Result<Lease> {
        let _place = self.queue.place().await;
        let (answer, answered) = oneshot::channel();
        let name = name.to_owned();
        self.send(Request::Lease { name, ttl, answer })?;
        answered.await.map_err(|_| batch::closed())?
    }

    async fn get(&self, stream: StreamId) -> Result<Option<Object>> {
        self.shared.told(self.shared.get(stream))
    }

    async fn get_at(&self, stream: StreamId, version: Version) -> Result<Option<Object>> {
        let Some(before) = version.0.checked_sub(1) else {
            return Ok(None);
        };
        if let Some(object) = self.shared.opened.revision(stream, version) {
            return Ok(Some(object));
        }
        if self.shared.is_fast(stream, Version(before)) {
            return self.shared.told(self.shared.get_at(stream, version));
        }
        self.blocking(move |shared| shared.told(shared.get_at(stream, version)))
            .await
    }

    async fn find(&self, kind: Kind, key: Key) -> Result<Option<Object>> {
        self.shared.told(self.shared.find(kind, &key))
    }

    async fn scan(
        &self,
        kind: Kind,
        key: Key,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Object>> {
        let found = self.shared.scan(kind, &key, after, limit);
        self.shared.told(found)
    }

    async fn list(&self, kind: Kind, after: Option<Uuid>, limit: usize) -> Result<Vec<Object>> {
        // Most lists are short, whatever is asked for.
        let first = self
            .shared
            .told(self.shared.list(kind, after, limit.min(LONG)))?;
        if limit <= LONG || first.len() < LONG {
            return Ok(first);
        }
        let (after, limit) = (first.last().map(|it| it.stream.id), limit - LONG);
        let rest = self.blocking(move |shared| shared.told(shared.list(kind, after, limit)));
        Ok([first, rest.await?].concat())
    }

    async fn streams(
        &self,
        kind: Kind,
        before: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<StreamId>> {
        self.shared.told(self.shared.streams(kind, before, limit))
    }

    async fn counter(&self, counter: &[u8], now: Timestamp) -> Result<i64> {
        self.shared.told(self.shared.counter(counter, now))
    }

    async fn wrapper(&self, key: KeyId) -> Result<Option<KeyId>> {
        Ok(self.shared.keyring.wrapper(key))
    }

    async fn keys_under(&self, key: KeyId) -> Result<Vec<KeyId>> {
        Ok(self.shared.keyring.under(key))
    }

    async fn remove_bodies(&self, records: HashSet<(StreamId, Version)>) -> Result<u64> {
        self.remove_those(records).await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .expect("the system gives a thread to a server that starts")
}

/// The directory of the log within a data directory.
fn log_of(directory: &Path) -> PathBuf {
    directory.join("log")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_because_the_disk_was_full_is_unavailable_and_not_broken() {
        let full = || Error::io("log", std::io::Error::from(std::io::ErrorKind::StorageFull));
        let why: Arc<str> = "the disk is full".into();
        let read = told::<()>(Err(full()), Some(&why));
        assert!(matches!(read, Err(Error::Unavailable(_))), "{read:?}");
        let read = told::<()>(Err(full()), None);
        assert!(matches!(read, Err(Error::Io { .. })), "{read:?}");
        assert_eq!(told(Ok(1), Some(&why)).expect("it was read"), 1);
    }
}
