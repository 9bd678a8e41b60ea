//! A view of the journal that notes every answer.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use uuid::Uuid;

use super::Observation;
use crate::journal::{Journal, Key, Kind, Object, Objects, Result, StreamId, Version};

/// Looks things up and notes what was found, in the order in which it was asked.
pub struct Observed {
    journal: Arc<dyn Journal>,
    notes: Mutex<Vec<Observation>>,
}

impl Observed {
    /// A view with nothing noted yet.
    #[must_use]
    pub fn new(journal: Arc<dyn Journal>) -> Self {
        Self {
            journal,
            notes: Mutex::default(),
        }
    }

    /// Notes an answer that did not come from the journal.
    pub fn note(&self, observation: Observation) {
        self.notes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(observation);
    }

    /// Everything noted, oldest first; nothing is noted afterwards.
    #[must_use]
    pub fn into_notes(self) -> Vec<Observation> {
        self.notes
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn note_found(&self, kind: Kind, key: Option<&Key>, objects: &[Object]) {
        self.note(found(
            kind,
            key,
            objects.iter().map(|o| (o.stream.id, o.version)).collect(),
        ));
    }
}

/// The observation of a lookup.
#[must_use]
pub fn found(kind: Kind, key: Option<&Key>, objects: Vec<(Uuid, Version)>) -> Observation {
    Observation::Found {
        kind,
        lookup: key.map(|key| key.name.to_owned()).unwrap_or_default(),
        value: key.map(readable).unwrap_or_default(),
        objects,
    }
}

/// Text as it is, everything else (identifiers, mostly) in hexadecimal.
fn readable(key: &Key) -> String {
    use std::fmt::Write as _;
    match std::str::from_utf8(&key.value) {
        Ok(text) if !text.contains(char::is_control) => text.to_owned(),
        _ => key.value.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        }),
    }
}

#[async_trait]
impl Objects for Observed {
    async fn get(&self, stream: StreamId) -> Result<Option<Object>> {
        let object = self.journal.get(stream).await?;
        let version = object.as_ref().map(|object| object.version);
        self.note(Observation::Object {
            kind: stream.kind,
            id: stream.id,
            version,
        });
        Ok(object)
    }

    // A revision never changes, so there is nothing to note.
    async fn get_at(&self, stream: StreamId, version: Version) -> Result<Option<Object>> {
        self.journal.get_at(stream, version).await
    }

    async fn find(&self, kind: Kind, key: Key) -> Result<Option<Object>> {
        let object = self.journal.find(kind, key.clone()).await?;
        self.note_found(kind, Some(&key), object.as_slice());
        Ok(object)
    }

    async fn scan(
        &self,
        kind: Kind,
        key: Key,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Object>> {
        let objects = self.journal.scan(kind, key.clone(), after, limit).await?;
        self.note_found(kind, Some(&key), &objects);
        Ok(objects)
    }

    async fn list(&self, kind: Kind, after: Option<Uuid>, limit: usize) -> Result<Vec<Object>> {
        let objects = self.journal.list(kind, after, limit).await?;
        self.note_found(kind, None, &objects);
        Ok(objects)
    }
}
