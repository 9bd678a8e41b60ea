//! What there was at a moment, out of the history that the journal keeps of every object.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use lru::LruCache;
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::keys;
use crate::journal::{Envelope, Error, Journal, Key, Kind, Object, Result, StreamId, Version};
use crate::world::Revisions;

/// How many histories are kept at hand.
const HISTORIES: NonZeroUsize = NonZeroUsize::new(20_000).expect("it is not zero");

/// How many streams are read at once.
const PORTION: usize = 1_000;

/// A moment within the history: what was there before a command.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// When the command came.
    pub(super) at: Timestamp,
    /// What it wrote itself came after it.
    pub(super) command: Uuid,
}

/// The history of the journal.
pub struct Past {
    revisions: Revisions,
    histories: Mutex<LruCache<StreamId, History>>,
    kinds: Mutex<HashMap<Kind, Arc<OnceCell<Lookups>>>>,
}

/// What there was of an object.
pub(super) enum Was {
    /// This.
    There(Object),
    /// There was none.
    Nothing,
    /// It can no longer be read.
    Erased,
}

/// Which revisions an object had, oldest first.
type History = Arc<Vec<Mark>>;

#[derive(Clone, Copy, Debug)]
struct Mark {
    version: Version,
    at: Timestamp,
    command: Uuid,
    was: Left,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    There,
    Deleted,
    /// It can no longer be read.
    Erased,
}

/// Which objects of a kind ever had a key, with their histories.
#[derive(Default)]
struct Lookups {
    holders: HashMap<(&'static str, Vec<u8>), Vec<Uuid>>,
    all: Vec<(Uuid, History)>,
    at: HashMap<Uuid, usize>,
}

impl Mark {
    fn of(envelope: &Envelope) -> Self {
        let was = match envelope.body {
            Some(_) => Left::There,
            // The schema of a deletion is zero, as it has no body.
            None if envelope.schema == 0 => Left::Deleted,
            None => Left::Erased,
        };
        Self {
            version: envelope.version,
            at: envelope.at,
            command: envelope.correlation,
            was,
        }
    }

    fn is_before(&self, moment: Moment) -> bool {
        self.at < moment.at || (self.at == moment.at && self.command != moment.command)
    }
}

impl Past {
    /// The history that this journal keeps.
    #[must_use]
    pub fn of(journal: Arc<dyn Journal>) -> Self {
        Self {
            revisions: Revisions::of(journal),
            histories: Mutex::new(LruCache::new(HISTORIES)),
            kinds: Mutex::default(),
        }
    }

    /// The journal.
    #[must_use]
    pub fn journal(&self) -> &dyn Journal {
        self.revisions.journal()
    }

    /// One revision; `None` when it can no longer be read.
    pub(super) async fn revision(
        &self,
        stream: StreamId,
        version: Version,
    ) -> Result<Option<Object>> {
        self.revisions.get(stream, version).await
    }

    /// The object as it was.
    pub(super) async fn object(&self, stream: StreamId, moment: Moment) -> Result<Was> {
        let kept = {
            let mut kept = self
                .histories
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            kept.get(&stream).cloned()
        };
        if let Some(history) = kept {
            return self.within(stream, &history, moment).await;
        }
        let envelopes = self.journal().read(stream, Version::NONE).await?;
        let history: History = Arc::new(envelopes.iter().map(Mark::of).collect());
        {
            let mut kept = self
                .histories
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            kept.put(stream, Arc::clone(&history));
        }
        self.within(stream, &history, moment).await
    }

    async fn within(&self, stream: StreamId, history: &[Mark], moment: Moment) -> Result<Was> {
        let last = history.iter().rev().find(|mark| mark.is_before(moment));
        let there = match last.map(|mark| (mark.was, mark.version)) {
            None | Some((Left::Deleted, _)) => return Ok(Was::Nothing),
            Some((Left::Erased, _)) => None,
            Some((Left::There, version)) => self.revision(stream, version).await?,
        };
        Ok(there.map_or(Was::Erased, Was::There))
    }

    /// What a lookup found, by identifier; `None` when nobody knows any more, or of a kind that
    /// cannot be looked for in the history.
    pub(super) async fn found(
        &self,
        kind: Kind,
        key: Option<&Key>,
        moment: Moment,
    ) -> Result<Option<Vec<Object>>> {
        if !keys::is_known(kind) {
            return Ok(None);
        }
        let cell = {
            let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(kinds.entry(kind).or_default())
        };
        let lookups = cell.get_or_try_init(|| self.lookups(kind)).await?;
        let candidates: Vec<&(Uuid, History)> = match key {
            None => lookups.all.iter().collect(),
            Some(key) => {
                let holders = lookups.holders.get(&(key.name, key.value.clone()));
                let holders = holders.into_iter().flatten();
                let places = holders.filter_map(|id| lookups.at.get(id));
                places.map(|place| &lookups.all[*place]).collect()
            }
        };
        let mut found = Vec::new();
        for (id, history) in candidates {
            let stream = StreamId::new(kind, *id);
            let object = match self.within(stream, history, moment).await? {
                Was::There(object) => object,
                Was::Nothing => continue,
                Was::Erased => return Ok(None),
            };
            let fits = match key {
                None => true,
                Some(key) => keys::of(&object)?.contains(key),
            };
            if fits {
                found.push(object);
            }
        }
        found.sort_by_key(|object| object.stream.id);
        Ok(Some(found))
    }

    /// Reads all objects of a kind, also those that are gone.
    async fn lookups(&self, kind: Kind) -> Result<Lookups> {
        let mut lookups = Lookups::default();
        let mut before = None;
        loop {
            let streams = self.journal().streams(kind, before, PORTION).await?;
            for stream in &streams {
                let envelopes = self.journal().read(*stream, Version::NONE).await?;
                lookups.add(*stream, envelopes)?;
            }
            match streams.last() {
                Some(last) if streams.len() == PORTION => before = Some(last.id),
                _ => return Ok(lookups),
            }
        }
    }
}

impl Lookups {
    fn add(&mut self, stream: StreamId, envelopes: Vec<Envelope>) -> Result<()> {
        let history: Vec<Mark> = envelopes.iter().map(Mark::of).collect();
        let mut had: Vec<Key> = Vec::new();
        for envelope in envelopes {
            let Some(body) = envelope.body else { continue };
            let object = Object {
                stream,
                version: envelope.version,
                at: envelope.at,
                schema: envelope.schema,
                body: body.into(),
            };
            for key in keys::of(&object)? {
                if !had.contains(&key) {
                    had.push(key);
                }
            }
        }
        for key in had {
            let holders = self.holders.entry((key.name, key.value)).or_default();
            holders.push(stream.id);
        }
        self.at.insert(stream.id, self.all.len());
        self.all.push((stream.id, Arc::new(history)));
        Ok(())
    }
}

/// What cannot be answered; whoever asked looks up what is missing.
pub(super) fn unanswered(what: &dyn std::fmt::Display) -> Error {
    Error::Unavailable(what.to_string().into())
}
