//! A journal for whoever writes only while they hold a lease: each commit names it, and is refused once
//! somebody else has taken it over.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    Commit, Envelope, Hash, Journal, Key, KeyId, Kind, Lease, Left, Object, Position, Result,
    StreamId, Version,
};

/// A journal, and the lease under which it is written.
pub struct Fenced {
    inner: Arc<dyn Journal>,
    lease: Lease,
}

impl Fenced {
    /// The same journal under this lease.
    #[must_use]
    pub fn new(inner: Arc<dyn Journal>, lease: Lease) -> Self {
        Self { inner, lease }
    }
}

#[async_trait]
impl Journal for Fenced {
    async fn commit(&self, mut commit: Commit) -> Result<Position> {
        commit.fence.get_or_insert_with(|| self.lease.clone());
        self.inner.commit(commit).await
    }

    fn has_room(&self) -> Result<()> {
        self.inner.has_room()
    }

    fn room(&self) -> Option<Left> {
        self.inner.room()
    }

    fn node(&self) -> Option<Uuid> {
        self.inner.node()
    }

    async fn read(&self, stream: StreamId, after: Version) -> Result<Vec<Envelope>> {
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

    async fn wrapper(&self, key: KeyId) -> Result<Option<KeyId>> {
        self.inner.wrapper(key).await
    }

    async fn keys_under(&self, key: KeyId) -> Result<Vec<KeyId>> {
        self.inner.keys_under(key).await
    }

    async fn remove_bodies(&self, records: HashSet<(StreamId, Version)>) -> Result<u64> {
        self.inner.remove_bodies(records).await
    }
}
