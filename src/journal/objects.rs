//! The part of the journal that looks things up.
//!
//! Whatever reads the catalog or the directory asks for this much and no more, so that an
//! execution can be given a view that notes every answer, or one that gives the noted answers
//! back.

use async_trait::async_trait;
use uuid::Uuid;

use super::{Journal, Key, Kind, Object, Result, StreamId, Version};

/// Lookups of objects; every [`Journal`] answers them.
#[async_trait]
pub trait Objects: Send + Sync {
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
}

#[async_trait]
impl<J: Journal + ?Sized> Objects for J {
    async fn get(&self, stream: StreamId) -> Result<Option<Object>> {
        Journal::get(self, stream).await
    }

    async fn get_at(&self, stream: StreamId, version: Version) -> Result<Option<Object>> {
        Journal::get_at(self, stream, version).await
    }

    async fn find(&self, kind: Kind, key: Key) -> Result<Option<Object>> {
        Journal::find(self, kind, key).await
    }

    async fn scan(
        &self,
        kind: Kind,
        key: Key,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Object>> {
        Journal::scan(self, kind, key, after, limit).await
    }

    async fn list(&self, kind: Kind, after: Option<Uuid>, limit: usize) -> Result<Vec<Object>> {
        Journal::list(self, kind, after, limit).await
    }
}
