//! The journal in PostgreSQL, which several nodes share.
//!
//! The tables are in `schema`. One task of each node writes (see `writer`), one node at a time;
//! everybody reads, and asks the database each time, so that nothing that another node wrote is
//! missed. Bodies arrive and leave sealed, and keys come with what they open: a node keeps nothing
//! but its root key. The journal has threads of its own, since connections must outlive whoever asks.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::Pool;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use secrecy::SecretString;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_postgres::{Config, Row};
use uuid::Uuid;

use super::evidence::Checkpoint;
use super::follower::Last;
use super::keys::remote::Wrapped;
use super::keys::{Keyring, RootKey};
use super::pack::Bodies;
use super::queue::Queue;
use super::{
    Commit, Envelope, Error, Hash, Journal, Key, KeyId, Kind, Lease, Meter, Object, Position,
    Result, Spans, StreamId, Version, seal,
};
use crate::clock::Clock;

mod connect;
mod copy;
mod fold;
mod follow;
mod patience;
mod portable;
mod prove;
mod read;
mod retain;
mod save;
mod schema;
mod span;
mod tls;
mod verify;
mod wanted;
mod writer;

use connect::Failure;
use patience::patiently;
use read::Values;
use tls::Tls;
use writer::{Request, Writer};

pub use verify::Report;

/// Threads that speak with the server. They wait nearly all of the time.
const THREADS: usize = 2;

/// Where the database is, and how it is reached.
#[derive(Clone)]
pub struct Options {
    /// The address: `postgres://user@host/database`, several hosts with commas between them.
    pub url: SecretString,
    /// The password, if the address has none.
    pub password: Option<SecretString>,
    /// Whom encrypted connections believe; without it there are none.
    pub tls: Option<Arc<rustls::ClientConfig>>,
    /// How many connections there may be, beside the one that listens.
    pub connections: usize,
}

impl Options {
    /// The usual settings for a journal at this address.
    #[must_use]
    pub fn new(url: SecretString) -> Self {
        Self {
            url,
            password: None,
            tls: None,
            connections: 16,
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

/// A journal in PostgreSQL. [`PostgresJournal::close`] writes what waits; dropping it does not.
pub struct PostgresJournal {
    shared: Arc<Shared>,
    queue: Queue,
    requests: Mutex<Option<mpsc::UnboundedSender<Request>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    listener: JoinHandle<()>,
    runtime: Option<Runtime>,
}

/// What readers, followers and the writer share.
struct Shared {
    pool: Pool,
    config: Config,
    tls: Tls,
    /// The journal's own id, the same for every node.
    journal: Uuid,
    /// This process.
    node: Uuid,
    ring: Arc<Keyring>,
    /// The last position that this node has seen.
    last: watch::Sender<Last>,
    /// Why nothing is written any more, once that is so.
    failed: OnceLock<Arc<str>>,
    meter: Meter,
    clock: Clock,
    handle: Handle,
}

impl PostgresJournal {
    /// Opens the journal, and makes its tables and its first key where there are none.
    ///
    /// `root` gives the root key, and is told whether there are keys already that it has to open: then it
    /// must not make a new one.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database cannot be reached, [`Error::Newer`] when it is of a
    /// newer version, [`Error::Damaged`] when its keys were wrapped under another root key.
    pub async fn open(
        options: &Options,
        root: impl FnOnce(bool) -> Result<RootKey> + Send + 'static,
        clock: Clock,
    ) -> Result<Self> {
        Self::open_with(options, Vec::new(), root, clock).await
    }

    /// As [`PostgresJournal::open`]; an empty database gets these keys instead of a new one.
    async fn open_with(
        options: &Options,
        keys: Vec<Wrapped>,
        root: impl FnOnce(bool) -> Result<RootKey> + Send + 'static,
        clock: Clock,
    ) -> Result<Self> {
        let (config, tls) = connect::config(options)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("journal-postgres")
            .enable_all()
            .build()
            .map_err(|error| Error::Unavailable(error.to_string().into()))?;
        let handle = runtime.handle().clone();
        let pool = connect::pool(config.clone(), tls.clone(), options.connections)?;
        let opening = {
            let (pool, clock) = (pool.clone(), clock.clone());
            handle.spawn(async move {
                let mut client = pool.get().await?;
                let opened = schema::open(&mut client, keys, root, &clock).await?;
                connect::warn_of_loss(&client).await?;
                Ok::<_, Failure>(opened)
            })
        };
        let opened = match opening.await {
            Ok(opened) => opened.map_err(Failure::into_error),
            Err(_) => Err(closed()),
        };
        let opened = match opened {
            Ok(opened) => opened,
            Err(error) => {
                runtime.shutdown_background();
                return Err(error);
            }
        };
        let shared = Arc::new(Shared {
            pool,
            config,
            tls,
            journal: opened.id,
            node: clock.opaque_id(),
            ring: Arc::new(opened.ring),
            last: watch::Sender::new(Last {
                position: Position(opened.position),
                closed: false,
            }),
            failed: OnceLock::new(),
            meter: Meter::default(),
            clock,
            handle: handle.clone(),
        });
        // What may wait is bounded by the semaphore, so that nobody blocks a thread to wait.
        let (requests, queued) = mpsc::unbounded_channel();
        let writer = handle.spawn(Writer::new(Arc::clone(&shared), queued).run());
        let listener = handle.spawn(follow::listen(Arc::downgrade(&shared)));
        Ok(Self {
            shared,
            queue: Queue::new(),
            requests: Mutex::new(Some(requests)),
            writer: Mutex::new(Some(writer)),
            listener,
            runtime: Some(runtime),
        })
    }

    /// Writes what is queued, and ends the followers. Reading goes on until the journal is dropped.
    pub async fn close(&self) {
        drop(lock(&self.requests).take());
        let writer = lock(&self.writer).take();
        if let Some(writer) = writer {
            // It ends by itself; how its requests went was told to whoever waits.
            let _ = writer.await;
            let gone = "DELETE FROM node WHERE id = $1";
            let values: Values = vec![Box::new(self.shared.node)];
            if let Err(error) = self.shared.asked(gone, values).await {
                tracing::debug!(%error, "this node's row was left behind");
            }
        }
        self.listener.abort();
        self.shared.last.send_modify(|last| last.closed = true);
    }

    /// The keys that seal the bodies. Only what they derive is of use to others: the data keys are in
    /// the database.
    #[must_use]
    pub fn keyring(&self) -> &Arc<Keyring> {
        &self.shared.ring
    }

    /// What is counted of its work; a clone of it counts on.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        &self.shared.meter
    }

    /// Checks the order of the log, the chain of every stream, the tree over all records, and that it has
    /// the roots of these checkpoints.
    ///
    /// # Errors
    /// Only when the database cannot be read; damage is among the findings.
    pub async fn verify(&self, held: &[Checkpoint]) -> Result<Report> {
        self.shared.verify(held).await
    }

    fn send(&self, request: Request) -> Result<()> {
        if let Some(why) = self.shared.failed.get() {
            return Err(Error::Unavailable(Arc::clone(why)));
        }
        match lock(&self.requests).as_ref() {
            Some(requests) => requests.send(request).map_err(|_| closed()),
            None => Err(closed()),
        }
    }

    async fn queued(&self, commit: Commit) -> Result<Position> {
        let permit = self.queue.place_for(&commit).await;
        let (answer, answered) = oneshot::channel();
        let bodies = Bodies::of(&commit);
        self.send(Request::Commit {
            commit,
            bodies,
            answer,
            permit,
            since: self.shared.clock.monotonic(),
        })?;
        answered.await.map_err(|_| closed())?
    }
}

impl Drop for PostgresJournal {
    fn drop(&mut self) {
        self.shared.last.send_modify(|last| last.closed = true);
        if let Some(runtime) = self.runtime.take() {
            // Waiting for its threads would block whoever drops the journal.
            runtime.shutdown_background();
        }
    }
}

impl std::fmt::Debug for PostgresJournal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresJournal")
            .field("journal", &self.shared.journal)
            .field("last", &self.shared.last.borrow().position)
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// Notes the last position, which never goes back.
    fn saw(&self, position: Position) {
        self.last.send_if_modified(|last| {
            let is_news = last.position.0 < position.0;
            if is_news {
                last.position = position;
            }
            is_news
        });
    }

    /// Whether the database is the one that was opened, and has all that this node had `seen` of it before
    /// it was asked.
    ///
    /// # Errors
    /// When it is not: nothing is written any more then. What this node has in memory, and has told
    /// others, may be of a past that there never was.
    fn is_same(&self, journal: Uuid, position: u64, seen: Position) -> Result<()> {
        let seen = seen.0;
        let why = if journal != self.journal {
            "the database is not the one that this node opened; restart".to_owned()
        } else if position < seen {
            format!(
                "the database has {position} records, and this node has seen {seen}: a standby took over \
                 that lacked some, or a backup was restored; restart"
            )
        } else {
            return Ok(());
        };
        let why: Arc<str> = why.into();
        if self.failed.set(Arc::clone(&why)).is_ok() {
            tracing::error!(error = %why, "the journal cannot be written any more");
            self.meter.failed.set(1);
        }
        Err(Error::Unavailable(why))
    }

    /// The last position that this node has seen.
    fn seen(&self) -> Position {
        self.last.borrow().position
    }

    /// Asks one question, on the journal's own threads, and again while the server cannot be reached.
    async fn asked(&self, sql: &'static str, values: Values) -> Result<Vec<Row>> {
        let (pool, clock) = (self.pool.clone(), self.clock.clone());
        let asked = self
            .handle
            .spawn(async move { patiently(&clock, || read::ask(&pool, sql, &values)).await });
        asked.await.map_err(|_| closed())?
    }

    /// How many records there are in the database now.
    async fn written(&self) -> Result<u64> {
        let rows = self.asked("SELECT position FROM journal", Values::new());
        let rows = rows.await?;
        Ok(rows.first().map_or(0, |row| wanted::position(row.get(0))))
    }

    /// The next rows of a statement that takes a position after which, one up to which, and how many.
    async fn portion(&self, sql: &'static str, after: u64, to: u64, most: i64) -> Result<Vec<Row>> {
        let values: Values = vec![
            Box::new(save::number(after)),
            Box::new(save::number(to)),
            Box::new(most),
        ];
        self.asked(sql, values).await
    }
}

#[async_trait]
impl Journal for PostgresJournal {
    async fn commit(&self, commit: Commit) -> Result<Position> {
        seal::check_size(&commit)?;
        let Shared { meter, clock, .. } = self.shared.as_ref();
        let (_waits, began) = (meter.waits(), clock.monotonic());
        let result = self.queued(commit).await;
        meter.answered(&result, clock.monotonic().duration_since(began));
        result
    }

    fn node(&self) -> Option<Uuid> {
        Some(self.shared.node)
    }

    fn spans(&self) -> Option<&dyn Spans> {
        Some(self.shared.as_ref())
    }

    /// The room on the server's disk is not known here; but nothing is begun that could not be written.
    fn has_room(&self) -> Result<()> {
        let failed = self.shared.failed.get().cloned();
        failed.map_or(Ok(()), |why| Err(Error::Unavailable(why)))
    }

    async fn read(&self, stream: StreamId, after: Version) -> Result<Vec<Envelope>> {
        self.shared.read(stream, after).await
    }

    async fn head(&self, stream: StreamId) -> Result<(Version, Hash)> {
        self.shared.head(stream).await
    }

    fn follow(&self, after: Position) -> BoxStream<'static, Result<(Position, Envelope)>> {
        follow::follow(&self.shared, after)
    }

    fn last(&self) -> Position {
        self.shared.seen()
    }

    async fn lease(&self, name: &str, ttl: Duration) -> Result<Lease> {
        let permit = self.queue.place().await;
        let (answer, answered) = oneshot::channel();
        self.send(Request::Lease {
            name: name.to_owned(),
            ttl,
            answer,
            permit,
            since: self.shared.clock.monotonic(),
        })?;
        answered.await.map_err(|_| closed())?
    }

    async fn get(&self, stream: StreamId) -> Result<Option<Object>> {
        self.shared.get(stream).await
    }

    async fn get_at(&self, stream: StreamId, version: Version) -> Result<Option<Object>> {
        self.shared.get_at(stream, version).await
    }

    async fn find(&self, kind: Kind, key: Key) -> Result<Option<Object>> {
        self.shared.find(kind, &key).await
    }

    async fn scan(
        &self,
        kind: Kind,
        key: Key,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Object>> {
        self.shared.scan(kind, &key, after, limit).await
    }

    async fn list(&self, kind: Kind, after: Option<Uuid>, limit: usize) -> Result<Vec<Object>> {
        self.shared.list(kind, after, limit).await
    }

    async fn streams(
        &self,
        kind: Kind,
        before: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<StreamId>> {
        self.shared.streams(kind, before, limit).await
    }

    async fn counter(&self, counter: &[u8], now: Timestamp) -> Result<i64> {
        self.shared.counter(counter, now).await
    }

    async fn wrapper(&self, key: KeyId) -> Result<Option<KeyId>> {
        self.shared.wrapper(key).await
    }

    async fn keys_under(&self, key: KeyId) -> Result<Vec<KeyId>> {
        self.shared.keys_under(key).await
    }

    async fn remove_bodies(&self, records: HashSet<(StreamId, Version)>) -> Result<u64> {
        let (pool, clock) = (self.shared.pool.clone(), self.shared.clock.clone());
        let removed = self
            .shared
            .handle
            .spawn(async move { retain::remove(&pool, &clock, &records).await });
        removed.await.map_err(|_| closed())?
    }
}

/// The failure of a journal that has gone.
fn closed() -> Error {
    Error::Unavailable(Arc::from("it was closed"))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
