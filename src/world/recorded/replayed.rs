//! The answers that were noted, given out in order.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use uuid::Uuid;

use super::{Divergence, Revisions};
use crate::expression::Told;
use crate::journal::{self, Key, Kind, Object, Objects, StreamId, Version};
use crate::world::{Evaluated, Interrupted, Observation, end_of_evaluation, observed};

pub(super) struct Replayed {
    pub(super) revisions: Arc<Revisions>,
    pub(super) notes: Mutex<VecDeque<Observation>>,
    pub(super) diverged: Mutex<Option<Divergence>>,
    pub(super) gone: Mutex<Option<(StreamId, Version)>>,
    pub(super) unread: Mutex<Option<String>>,
    pub(super) not_run: Mutex<Option<Interrupted>>,
}

impl Replayed {
    /// Takes the next note, if it answers what is asked.
    pub(super) fn next<T>(
        &self,
        asked: &str,
        answer: impl Fn(&Observation) -> Option<T>,
    ) -> Result<T, Box<Divergence>> {
        let mut notes = held(&self.notes);
        if let Some(answered) = notes.front().and_then(answer) {
            notes.pop_front();
            return Ok(answered);
        }
        let divergence = Divergence {
            asked: asked.to_owned(),
            noted: notes.front().cloned(),
        };
        let mut first = held(&self.diverged);
        Err(first.get_or_insert(divergence).clone().into())
    }

    /// How the evaluation went that has just begun, where it was handed a secret.
    pub(super) fn recall(&self) -> Option<Told> {
        let notes = held(&self.notes);
        notes.get(end_of_evaluation(&*notes)?)?.told().cloned()
    }

    /// Passes over an evaluation that has just begun, if it was interrupted then.
    pub(super) fn skip_interrupted(&self) -> Option<Evaluated> {
        let mut notes = held(&self.notes);
        let end = end_of_evaluation(&*notes)?;
        let evaluated = notes.get(end)?.ended()?;
        evaluated.interrupted.as_ref()?;
        notes.drain(..=end);
        Some(evaluated)
    }

    async fn revision(
        &self,
        stream: StreamId,
        version: Version,
    ) -> journal::Result<Option<Object>> {
        let found = self.revisions.get(stream, version).await;
        if let Err(error) = &found
            && held(&self.diverged).is_none()
        {
            held(&self.unread).get_or_insert_with(|| error.to_string());
        }
        let found = found?;
        if found.is_none() {
            held(&self.gone).get_or_insert((stream, version));
        }
        Ok(found)
    }

    async fn found(&self, kind: Kind, key: Option<&Key>) -> journal::Result<Vec<Object>> {
        let expected = observed::found(kind, key, Vec::new());
        let ids = self
            .next(&format!("for {expected}"), |note| {
                note.found_as(&expected).map(<[_]>::to_vec)
            })
            .map_err(|divergence| unavailable(&divergence))?;
        let mut objects = Vec::with_capacity(ids.len());
        for (id, version) in ids {
            objects.extend(self.revision(StreamId::new(kind, id), version).await?);
        }
        Ok(objects)
    }
}

pub(super) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The journal has no word for it; whoever replays asks [`Recorded::divergence`].
fn unavailable(divergence: &Divergence) -> journal::Error {
    journal::Error::Unavailable(divergence.to_string().into())
}

#[async_trait]
impl Objects for Replayed {
    async fn get(&self, stream: StreamId) -> journal::Result<Option<Object>> {
        let version = self
            .next(&format!("for {stream}"), |note| match note {
                Observation::Object { kind, id, version }
                    if StreamId::new(*kind, *id) == stream =>
                {
                    Some(*version)
                }
                _ => None,
            })
            .map_err(|divergence| unavailable(&divergence))?;
        match version {
            Some(version) => self.revision(stream, version).await,
            None => Ok(None),
        }
    }

    async fn get_at(&self, stream: StreamId, version: Version) -> journal::Result<Option<Object>> {
        self.revision(stream, version).await
    }

    async fn find(&self, kind: Kind, key: Key) -> journal::Result<Option<Object>> {
        Ok(self.found(kind, Some(&key)).await?.pop())
    }

    async fn scan(
        &self,
        kind: Kind,
        key: Key,
        _after: Option<Uuid>,
        _limit: usize,
    ) -> journal::Result<Vec<Object>> {
        self.found(kind, Some(&key)).await
    }

    async fn list(
        &self,
        kind: Kind,
        _after: Option<Uuid>,
        _limit: usize,
    ) -> journal::Result<Vec<Object>> {
        self.found(kind, None).await
    }
}
