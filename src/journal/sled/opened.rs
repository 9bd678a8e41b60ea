//! Objects that were opened lately: what is read for every request is not decrypted and parsed for each.
//!
//! The state says which revision is the current one; nothing here does. What lies under a key that was
//! destroyed, or had its body removed, must not be kept: whoever does that tells.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use super::super::frame::{Lookup, Record};
use super::super::{KeyId, Object, StreamId, Version};

/// How many are kept at most.
const MOST: NonZeroUsize = NonZeroUsize::new(6_000).expect("it is not zero");

/// How many bytes their bodies have at most; with what was read from them it is several times as much
/// memory.
const BYTES: usize = 4 << 20;

/// A larger one is not kept.
const LARGE: usize = 64 << 10;

/// An object, and the HMACs of the lookups by which it is found.
pub(super) struct Found {
    pub(super) object: Object,
    pub(super) unique: Vec<Lookup>,
    pub(super) index: Vec<Lookup>,
    key: KeyId,
}

impl Found {
    /// The object that was opened out of this record.
    pub(super) fn new(object: Object, record: Record) -> Self {
        let payload = record.payload.unwrap_or_default();
        Self {
            object,
            unique: payload.unique,
            index: payload.index,
            key: record.frame.key,
        }
    }
}

/// The objects.
pub(super) struct Opened(Mutex<Kept>);

struct Kept {
    /// By revision; and as the current one, whichever that was, by [`Version::NONE`].
    objects: LruCache<(StreamId, Version), Entry>,
    bytes: usize,
    moment: Moment,
}

struct Entry {
    found: Arc<Found>,
    /// What the state said when this was the current revision. A copy: the state's own would keep the
    /// page alive that it is a part of.
    current: Option<Box<[u8]>>,
}

/// What was read before some of it was forgotten is not kept afterwards.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment(u64);

impl Default for Opened {
    fn default() -> Self {
        Self(Mutex::new(Kept {
            objects: LruCache::new(MOST),
            bytes: 0,
            moment: Moment(0),
        }))
    }
}

impl Opened {
    /// The current revision of an object, of which the state says `current`.
    pub(super) fn current(&self, stream: StreamId, current: &[u8]) -> Option<Arc<Found>> {
        let mut kept = self.kept();
        let entry = kept.objects.get(&(stream, Version::NONE))?;
        (entry.current.as_deref() == Some(current)).then(|| Arc::clone(&entry.found))
    }

    /// One revision of an object.
    pub(super) fn revision(&self, stream: StreamId, version: Version) -> Option<Object> {
        let mut kept = self.kept();
        let entry = kept.objects.get(&(stream, version))?;
        Some(entry.found.object.clone())
    }

    /// Now; to be asked before something is read that is kept.
    pub(super) fn moment(&self) -> Moment {
        self.kept().moment
    }

    /// Keeps a revision that was read after `moment`; `current` is what the state says where it is the
    /// current one.
    pub(super) fn keep(&self, moment: Moment, found: &Arc<Found>, current: Option<&[u8]>) {
        let mut kept = self.kept();
        if kept.moment != moment || found.object.body.len() > LARGE {
            return;
        }
        let Object {
            stream, version, ..
        } = found.object;
        kept.put((stream, version), found, None);
        if let Some(current) = current {
            kept.put((stream, Version::NONE), found, Some(current));
        }
    }

    /// Forgets what can be opened no more; `gone` says which keys were destroyed.
    pub(super) fn forget(&self, gone: impl Fn(KeyId) -> bool) {
        let mut kept = self.kept();
        kept.moment.0 += 1;
        let is_gone =
            |(_, entry): &(_, &Entry)| entry.found.key != KeyId::SYSTEM && gone(entry.found.key);
        let gone: Vec<_> = kept
            .objects
            .iter()
            .filter(is_gone)
            .map(|(at, _)| *at)
            .collect();
        for at in gone {
            kept.remove(&at);
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        let mut kept = self.kept();
        kept.moment.0 += 1;
        kept.objects.clear();
        kept.bytes = 0;
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// How many bytes it counts. A body that is the current one and was asked for as a revision too
    /// counts for both.
    fn size(&self) -> usize {
        self.found.object.body.len()
    }
}

impl Kept {
    fn put(&mut self, at: (StreamId, Version), found: &Arc<Found>, current: Option<&[u8]>) {
        let entry = Entry {
            found: Arc::clone(found),
            current: current.map(Box::from),
        };
        self.bytes += entry.size();
        if let Some((_, out)) = self.objects.push(at, entry) {
            self.bytes -= out.size();
        }
        while self.bytes > BYTES {
            let Some((_, out)) = self.objects.pop_lru() else {
                return;
            };
            self.bytes -= out.size();
        }
    }

    fn remove(&mut self, at: &(StreamId, Version)) {
        if let Some(out) = self.objects.pop(at) {
            self.bytes -= out.size();
        }
    }
}

#[cfg(test)]
mod tests;
