//! A journal that fails when it is told to.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use uuid::Uuid;

use crate::journal::{
    Commit, Envelope, Error, Hash, Journal, Key, KeyId, Kind, Lease, Object, Position, Result,
    StreamId, Version, Write,
};
use crate::world::record::KIND;

/// What goes wrong with one commit of an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing.
    None,
    /// Another object of the commit has moved.
    OtherMoved,
    /// The execution itself is said to have moved.
    Moved,
    /// It fails, and nothing is written.
    Before,
    /// It fails, and everything is written.
    After,
    /// The code panics.
    Panic,
}

/// A journal whose commits of executions fail as they are told, one after the other.
pub(super) struct Faulty {
    inner: Arc<dyn Journal>,
    faults: Mutex<VecDeque<Fault>>,
    damaged: Mutex<Vec<Uuid>>,
    commits: Mutex<usize>,
}

impl Faulty {
    pub(super) fn over(inner: Arc<dyn Journal>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            faults: Mutex::default(),
            damaged: Mutex::default(),
            commits: Mutex::default(),
        })
    }

    /// The next commits of executions go wrong like this.
    pub(super) fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.lock().expect("a lock").extend(faults);
    }

    /// The execution can no longer be read.
    pub(super) fn damage(&self, execution: Uuid) {
        self.damaged.lock().expect("a lock").push(execution);
    }

    /// How many commits of executions were tried.
    pub(super) fn commits(&self) -> usize {
        *self.commits.lock().expect("a lock")
    }
}

fn execution(commit: &Commit) -> Option<StreamId> {
    commit.writes.iter().find_map(|write| match write {
        Write::Append { stream, .. } if stream.kind == KIND => Some(*stream),
        _ => None,
    })
}

fn moved(stream: StreamId) -> Error {
    Error::Conflict {
        stream,
        expected: Version(1),
        actual: Version(2),
    }
}

fn out_of_order() -> Error {
    Error::Unavailable("the disk is on fire".into())
}

#[async_trait]
impl Journal for Faulty {
    async fn commit(&self, commit: Commit) -> Result<Position> {
        let Some(stream) = execution(&commit) else {
            return self.inner.commit(commit).await;
        };
        *self.commits.lock().expect("a lock") += 1;
        let fault = self.faults.lock().expect("a lock").pop_front();
        match fault.unwrap_or(Fault::None) {
            Fault::None => self.inner.commit(commit).await,
            Fault::OtherMoved => Err(moved(StreamId::new(Kind::new("user"), Uuid::nil()))),
            Fault::Moved => Err(moved(stream)),
            Fault::Before => Err(out_of_order()),
            Fault::After => {
                self.inner.commit(commit).await?;
                Err(out_of_order())
            }
            Fault::Panic => panic!("a stage has a bug"),
        }
    }

    async fn read(&self, stream: StreamId, after: Version) -> Result<Vec<Envelope>> {
        if self.damaged.lock().expect("a lock").contains(&stream.id) {
            return Err(Error::Corrupt {
                stream,
                version: Version(1),
                problem: "a mouse ate it".to_owned(),
            });
        }
        self.inner.read(stream, after).await
    }

    async fn head(&self, stream: StreamId) -> Result<(Version, Hash)> {
        self.inner.head(stream).await
    }

    fn follow(&self, after: Position) -> BoxStream<'static, Result<(Position, Envelope)>> {
        self.inner.follow(after)
    }

    fn last(&self) -> Position {
        self.inner.last()
    }

    async fn lease(&self, name: &str, ttl: Duration) -> Result<Lease> {
        self.inner.lease(name, ttl).await
    }

    fn wrapper(&self, key: KeyId) -> Option<KeyId> {
        self.inner.wrapper(key)
    }

    fn keys_under(&self, key: KeyId) -> Vec<KeyId> {
        self.inner.keys_under(key)
    }

    async fn remove_bodies(&self, records: HashSet<(StreamId, Version)>) -> Result<u64> {
        self.inner.remove_bodies(records).await
    }

    async fn get(&self, stream: StreamId) -> Result<Option<Object>> {
        self.inner.get(stream).await
    }

    async fn get_at(&self, stream: StreamId, version: Version) -> Result<Option<Object>> {
        self.inner.get_at(stream, version).await
    }

    async fn find(&self, kind: Kind, key: Key) -> Result<Option<Object>> {
        self.inner.find(kind, key).await
    }

    async fn scan(
        &self,
        kind: Kind,
        key: Key,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Object>> {
        self.inner.scan(kind, key, after, limit).await
    }

    async fn list(&self, kind: Kind, after: Option<Uuid>, limit: usize) -> Result<Vec<Object>> {
        self.inner.list(kind, after, limit).await
    }

    async fn streams(
        &self,
        kind: Kind,
        before: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<StreamId>> {
        self.inner.streams(kind, before, limit).await
    }

    async fn counter(&self, counter: &[u8], now: Timestamp) -> Result<i64> {
        self.inner.counter(counter, now).await
    }
}
