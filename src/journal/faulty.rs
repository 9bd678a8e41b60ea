//! A journal that fails when it is told to.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::{BoxStream, StreamExt as _};
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    Commit, Envelope, Error, Hash, Journal, Key, KeyId, Kind, Lease, Object, Position, Result,
    StreamId, Version, Write,
};

/// What goes wrong with one commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// Another object of the commit has moved.
    OtherMoved,
    /// What the commit is for is said to have moved.
    Moved,
    /// It fails, and nothing is written.
    Before,
    /// There is no room, and nothing is written.
    Full,
    /// It fails, and everything is written.
    After,
    /// The code panics.
    Panic,
}

/// A journal whose commits fail as they are told, one after the other.
pub(crate) struct Faulty {
    inner: Arc<dyn Journal>,
    /// Only commits that add to a stream of this kind are told; all of them without one.
    kind: Option<Kind>,
    faults: Mutex<VecDeque<Fault>>,
    damaged: Mutex<Vec<Uuid>>,
    /// Whoever follows comes no further than to the record before this.
    torn: Arc<Mutex<Option<Position>>>,
    commits: Mutex<usize>,
}

impl Faulty {
    /// One of which commits to streams of this kind fail, or all where there is none.
    pub(crate) fn over(inner: Arc<dyn Journal>, kind: Option<Kind>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            kind,
            faults: Mutex::default(),
            damaged: Mutex::default(),
            torn: Arc::default(),
            commits: Mutex::default(),
        })
    }

    /// The next commits go wrong like this.
    pub(crate) fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.lock().expect("a lock").extend(faults);
    }

    /// The stream of this one can no longer be read.
    pub(crate) fn damage(&self, id: Uuid) {
        self.damaged.lock().expect("a lock").push(id);
    }

    /// The record at this position can be read no longer by those who follow, or all can again.
    pub(crate) fn tear(&self, at: Option<Position>) {
        *self.torn.lock().expect("a lock") = at;
    }

    /// How many commits were tried.
    pub(crate) fn commits(&self) -> usize {
        *self.commits.lock().expect("a lock")
    }

    fn is_whole(&self, stream: StreamId) -> Result<()> {
        if self.damaged.lock().expect("a lock").contains(&stream.id) {
            return Err(Error::Corrupt {
                stream,
                version: Version(1),
                problem: "a mouse ate it".to_owned(),
            });
        }
        Ok(())
    }

    /// What a commit is for, if it is one that may go wrong.
    fn meant(&self, commit: &Commit) -> Option<StreamId> {
        let Some(kind) = self.kind else {
            return Some(other());
        };
        commit.writes.iter().find_map(|write| match write {
            Write::Append { stream, .. } if stream.kind == kind => Some(*stream),
            _ => None,
        })
    }
}

/// A stream that nobody asked for.
fn other() -> StreamId {
    StreamId::new(Kind::new("user"), Uuid::nil())
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
        let Some(stream) = self.meant(&commit) else {
            return self.inner.commit(commit).await;
        };
        *self.commits.lock().expect("a lock") += 1;
        let fault = self.faults.lock().expect("a lock").pop_front();
        match fault.unwrap_or(Fault::None) {
            Fault::None => self.inner.commit(commit).await,
            Fault::OtherMoved => Err(moved(other())),
            Fault::Moved => Err(moved(stream)),
            Fault::Before => Err(out_of_order()),
            Fault::Full => Err(Error::Full {
                free: 1,
                least: 2,
                what: "before anything is written at all",
            }),
            Fault::After => {
                self.inner.commit(commit).await?;
                Err(out_of_order())
            }
            Fault::Panic => panic!("a stage has a bug"),
        }
    }

    fn node(&self) -> Option<Uuid> {
        self.inner.node()
    }

    async fn read(&self, stream: StreamId, after: Version) -> Result<Vec<Envelope>> {
        self.is_whole(stream)?;
        self.inner.read(stream, after).await
    }

    async fn head(&self, stream: StreamId) -> Result<(Version, Hash)> {
        self.inner.head(stream).await
    }

    fn follow(&self, after: Position) -> BoxStream<'static, Result<(Position, Envelope)>> {
        let torn = Arc::clone(&self.torn);
        let records = self.inner.follow(after).map(move |next| {
            let (position, envelope) = next?;
            if *torn.lock().expect("a lock") == Some(position) {
                return Err(Error::Damaged {
                    path: "log".into(),
                    problem: "a mouse ate it".to_owned(),
                });
            }
            Ok((position, envelope))
        });
        records.boxed()
    }

    fn last(&self) -> Position {
        self.inner.last()
    }

    async fn lease(&self, name: &str, ttl: Duration) -> Result<Lease> {
        self.inner.lease(name, ttl).await
    }

    async fn wrapper(&self, key: KeyId) -> Result<Option<KeyId>> {
        self.inner.wrapper(key).await
    }

    async fn keys_under(&self, key: KeyId) -> Result<Vec<KeyId>> {
        self.inner.keys_under(key).await
    }

    async fn remove_bodies(&self, records: HashSet<(StreamId, Version)>) -> Result<u64> {
        self.inner.remove_bodies(records).await
    }

    async fn get(&self, stream: StreamId) -> Result<Option<Object>> {
        self.inner.get(stream).await
    }

    async fn get_at(&self, stream: StreamId, version: Version) -> Result<Option<Object>> {
        self.is_whole(stream)?;
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
