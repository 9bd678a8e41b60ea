//! Revisions of objects kept at hand while executions are run again: thousands of logins saw the same
//! flow. A revision never changes, but it can be erased, so this lives no longer than one look.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use lru::LruCache;
use uuid::Uuid;

use crate::journal::{Journal, Key, Kind, Object, Objects, Result, StreamId, Version};

/// How many are kept. An execution reads some dozens, mostly the same as the one before it.
const MOST: NonZeroUsize = NonZeroUsize::new(20_000).expect("it is not zero");

/// A journal, and what was read out of it lately.
pub(super) struct Revisions {
    journal: Arc<dyn Journal>,
    kept: Mutex<LruCache<(StreamId, Version), Option<Object>>>,
}

impl Revisions {
    pub(super) fn of(journal: Arc<dyn Journal>) -> Self {
        Self {
            journal,
            kept: Mutex::new(LruCache::new(MOST)),
        }
    }

    pub(super) fn journal(&self) -> &dyn Journal {
        self.journal.as_ref()
    }

    fn kept(&self) -> MutexGuard<'_, LruCache<(StreamId, Version), Option<Object>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Objects for Revisions {
    async fn get(&self, stream: StreamId) -> Result<Option<Object>> {
        self.journal.get(stream).await
    }

    async fn get_at(&self, stream: StreamId, version: Version) -> Result<Option<Object>> {
        let key = (stream, version);
        let kept = self.kept().get(&key).cloned();
        if let Some(object) = kept {
            return Ok(object);
        }
        let object = self.journal.get_at(stream, version).await?;
        self.kept().put(key, object.clone());
        Ok(object)
    }

    async fn find(&self, kind: Kind, key: Key) -> Result<Option<Object>> {
        self.journal.find(kind, key).await
    }

    async fn scan(
        &self,
        kind: Kind,
        key: Key,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Object>> {
        self.journal.scan(kind, key, after, limit).await
    }

    async fn list(&self, kind: Kind, after: Option<Uuid>, limit: usize) -> Result<Vec<Object>> {
        self.journal.list(kind, after, limit).await
    }
}
