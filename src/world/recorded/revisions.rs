//! Revisions of objects kept at hand while executions are run again: thousands of logins saw the same
//! flow. A revision never changes, but it can be erased, so this lives no longer than one look.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use crate::journal::{Journal, Object, Result, StreamId, Version};

/// How many are kept. An execution reads some dozens, mostly the same as the one before it.
const MOST: NonZeroUsize = NonZeroUsize::new(20_000).expect("it is not zero");

/// A journal, and what was read out of it lately.
pub struct Revisions {
    journal: Arc<dyn Journal>,
    kept: Mutex<LruCache<(StreamId, Version), Option<Object>>>,
}

impl Revisions {
    /// Those of this journal, of which none was read yet.
    #[must_use]
    pub fn of(journal: Arc<dyn Journal>) -> Self {
        Self {
            journal,
            kept: Mutex::new(LruCache::new(MOST)),
        }
    }

    /// The journal.
    #[must_use]
    pub fn journal(&self) -> &dyn Journal {
        self.journal.as_ref()
    }

    /// One revision; `None` when it can no longer be read.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn get(&self, stream: StreamId, version: Version) -> Result<Option<Object>> {
        let key = (stream, version);
        let kept = self.kept().get(&key).cloned();
        if let Some(object) = kept {
            return Ok(object);
        }
        let object = self.journal.get_at(stream, version).await?;
        self.kept().put(key, object.clone());
        Ok(object)
    }

    fn kept(&self) -> MutexGuard<'_, LruCache<(StreamId, Version), Option<Object>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
