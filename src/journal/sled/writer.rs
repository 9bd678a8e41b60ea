//! The one thread that writes.
//!
//! It takes all that is queued, checks it, writes one batch to the log, makes it durable once,
//! brings the state along and acknowledges all. While a sync runs the next batch grows by itself.
//! After the first failure to write it refuses everything: a failed sync must not be repeated.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use tokio::sync::oneshot;

use super::super::evidence::Stand;
use super::super::evidence::tree::Nodes as _;
use super::super::{Error, Position, Result};
use super::Shared;
use super::archive;
use super::batch::{Batch, Request};
use super::checkpoint::Checkpoints;
use super::prove::no_tree;
use super::retain;
use super::state::Applied;
use super::store::Store;
use super::tree::Stored;

/// A checkpoint is written after so many commits, or after [`PERIOD`].
const COMMITS: u64 = 1_000;

/// How long changes wait for a checkpoint, and the state for its way to the disk.
const PERIOD: Duration = Duration::from_secs(10);

/// The state goes to the disk after so many commits; what it lacks is re-applied at the start.
const STATE_COMMITS: u64 = 20_000;

/// The writer and what only it touches.
pub(super) struct Writer {
    shared: Arc<Shared>,
    requests: Receiver<Request>,
    log: Arc<Store>,
    applied: Applied,
    checkpoints: Checkpoints,
    archive: Option<Sender<archive::Job>>,
    segment_records: u64,
    /// Whether the log holds bytes that no sync has covered.
    unsynced: bool,
    since_checkpoint: u64,
    since_state: u64,
    last_period: Instant,
    held: Option<Request>,
    /// Whether it was said that the disk is full.
    is_full: bool,
    poison: Option<Arc<str>>,
}

impl Writer {
    /// A writer that goes on after `applied`.
    pub(super) fn new(
        shared: Arc<Shared>,
        requests: Receiver<Request>,
        log: Arc<Store>,
        applied: Applied,
        checkpoints: Checkpoints,
        archive: Sender<archive::Job>,
        segment_records: u64,
    ) -> Self {
        let last_period = shared.clock.monotonic();
        Self {
            shared,
            requests,
            log,
            applied,
            checkpoints,
            archive: Some(archive),
            segment_records,
            unsynced: false,
            since_checkpoint: 0,
            since_state: 0,
            last_period,
            held: None,
            is_full: false,
            poison: None,
        }
    }

    /// Writes until the journal is closed; returns what went wrong, if anything did.
    pub(super) fn run(mut self) -> Result<()> {
        loop {
            let first = match self.held.take() {
                Some(request) => Ok(request),
                None => self.requests.recv_timeout(PERIOD),
            };
            match first {
                Ok(request) => self.guarded(|writer| writer.round(request)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.guarded(Self::maintain);
        }
        self.guarded(Self::finish);
        self.archive = None;
        match self.poison {
            Some(why) => Err(Error::Unavailable(why)),
            None => Ok(()),
        }
    }

    /// Remembers the first failure. sled panics on some of them.
    fn guarded(&mut self, work: impl FnOnce(&mut Self) -> Result<()>) {
        let result = catch_unwind(AssertUnwindSafe(|| work(self)));
        let why: Arc<str> = match result {
            Ok(Ok(())) => return,
            Ok(Err(Error::Unavailable(why))) => why,
            Ok(Err(error)) => error.to_string().into(),
            Err(_) => "sled gave up while it wrote; see the messages before".into(),
        };
        if self.poison.is_none() {
            tracing::error!(error = %why, "the journal cannot be written any more; restart");
            // Nobody else sets it.
            let _unset = self.shared.failed.set(Arc::clone(&why));
            self.shared.meter.failed.set(1);
            self.poison = Some(why);
        }
    }

    fn round(&mut self, first: Request) -> Result<()> {
        if let Some(why) = &self.poison {
            first.refuse(&Error::Unavailable(Arc::clone(why)));
            return Ok(());
        }
        let first = match first {
            Request::Remove { positions, answer } => {
                let removed = retain::remove(&self.log, &positions);
                self.shared.opened.clear();
                return answered(answer, removed);
            }
            Request::Stand { answer } => return answered(answer, self.stand()),
            other => other,
        };
        if let Err(full) = self.shared.room.for_anything() {
            self.note_full(&full);
            first.refuse(&full);
            return Ok(());
        }
        self.is_full = false;
        let shared = Arc::clone(&self.shared);
        let mut batch = Batch::new(&shared, self.applied);
        batch.add(first);
        while !batch.is_full() {
            let Ok(request) = self.requests.try_recv() else {
                break;
            };
            if batch.must_wait(&request) {
                self.held = Some(request);
                break;
            }
            batch.add(request);
        }
        match self.write(&mut batch) {
            Ok(()) => {
                batch.acknowledge();
                Ok(())
            }
            Err(error) => {
                let why: Arc<str> = error.to_string().into();
                batch.refuse(&Error::Unavailable(Arc::clone(&why)));
                Err(Error::Unavailable(why))
            }
        }
    }

    /// Says once that the disk is full; it is no failure, and passes by itself.
    fn note_full(&mut self, full: &Error) {
        if !self.is_full {
            tracing::error!(error = %full, "nothing is written until there is room again");
            self.is_full = true;
        }
    }

    fn write(&mut self, batch: &mut Batch<'_>) -> Result<()> {
        if let Some(error) = batch.failure() {
            return Err(error);
        }
        if batch.is_durable() {
            // Bodies in the log must never outlast the keys that open them.
            self.shared.keyring.sync()?;
        }
        if batch.is_empty() {
            return batch.destroy_keys();
        }
        let applied = batch.applied();
        self.roll_if_full()?;
        self.log.apply(batch.take_log())?;
        self.log.flush()?;
        self.unsynced = true;
        if batch.is_durable() {
            self.sync()?;
        }
        batch.destroy_keys()?;
        batch.apply()?;
        let meter = &self.shared.meter;
        meter
            .records
            .inc_by(applied.place.last_record() - self.applied.place.last_record());
        meter.batch_commits.observe(f64_of(batch.commits()));
        self.applied = applied;
        self.since_checkpoint += batch.commits();
        self.since_state += batch.commits();
        let position = Position(applied.place.last_record());
        self.shared.last.send_if_modified(|last| {
            let moved = last.position.0 != position.0;
            last.position = position;
            moved
        });
        Ok(())
    }

    /// What the journal is. Nothing of it may be lost any more, since it is going to be signed.
    fn stand(&mut self) -> Result<Stand> {
        let stored = Stored::read(&self.shared.state)?;
        let stand = stored
            .map(|tree| Stand::of(tree.edge()))
            .ok_or_else(|| no_tree(&self.shared))?;
        self.log.flush()?;
        self.unsynced = true;
        self.sync()?;
        Ok(stand)
    }

    fn sync(&mut self) -> Result<()> {
        if self.unsynced {
            let Shared { meter, clock, .. } = self.shared.as_ref();
            let began = clock.monotonic();
            self.shared.keyring.sync()?;
            self.log.sync()?;
            let took = clock.monotonic().duration_since(began);
            meter.sync_seconds.observe(took.as_secs_f64());
            self.unsynced = false;
        }
        Ok(())
    }

    /// The last segment holds so many records that the next batch begins another one.
    fn roll_if_full(&mut self) -> Result<()> {
        let next = self.applied.place.last_record() + 1;
        let closing = self.shared.segments.last();
        if next < closing.first() + self.segment_records {
            return Ok(());
        }
        self.sync()?;
        self.log = self.shared.segments.roll(next)?;
        if let Some(archive) = &self.archive {
            // The archive has ended when the journal is being closed, or has much to do; the next
            // start exports.
            let _ = archive.try_send(archive::Job::Export(closing));
        }
        Ok(())
    }

    fn maintain(&mut self) -> Result<()> {
        if self.poison.is_some() {
            return Ok(());
        }
        let now = self.shared.clock.monotonic();
        let period = now.duration_since(self.last_period) >= PERIOD;
        if self.since_checkpoint >= COMMITS || (period && self.since_checkpoint > 0) {
            self.sync()?;
            self.checkpoints.add(self.applied)?;
            self.since_checkpoint = 0;
        }
        if self.since_state >= STATE_COMMITS || (period && self.since_state > 0) {
            // Never let the state on disk get ahead of the log on disk.
            self.sync()?;
            self.checkpoints.sync()?;
            self.shared.state.flush()?;
            self.since_state = 0;
        }
        if period {
            self.last_period = now;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        if self.poison.is_some() {
            return Ok(());
        }
        self.shared.keyring.sync()?;
        self.log.flush()?;
        self.unsynced = true;
        self.sync()?;
        self.checkpoints.add(self.applied)?;
        self.checkpoints.sync()?;
        self.shared.state.flush()?;
        self.shared.state.sync()
    }
}

/// A small count as what a histogram takes.
fn f64_of(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

/// Answers what is done between two batches. A failure of the disk is one for all who come after.
fn answered<T>(answer: oneshot::Sender<Result<T>>, result: Result<T>) -> Result<()> {
    let failed = matches!(result, Err(Error::Io { .. } | Error::Damaged { .. }));
    let why = result.as_ref().err().filter(|_| failed).cloned();
    // Nobody may be waiting any more, which is no error.
    let _ = answer.send(result);
    why.map_or(Ok(()), Err)
}
