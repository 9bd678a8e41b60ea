//! What a record or a note changes in the state: the same while writing and while recovering.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::super::counter::Counter;
use super::super::frame::{Lookup, Operation, Payload, Record};
use super::super::prepare::View;
use super::super::{Hash, Kind, Lease, Result, StreamId, Version};
use super::note::Note;
use super::overlay::Overlay;
use super::place::Place;
use super::state::{self, Applied, Current, Head};
use super::tree::Growing;
use crate::journal::evidence::tree::Edge;

/// A state that grows by records and notes.
pub(super) struct Fold<'a> {
    overlay: Overlay<'a>,
    kept: Applied,
    applied: Applied,
    tree: Growing,
    without_body: u64,
}

impl<'a> Fold<'a> {
    /// Goes on after `applied`.
    pub(super) fn new(overlay: Overlay<'a>, applied: Applied) -> Self {
        Self {
            overlay,
            kept: applied,
            applied,
            tree: Growing::default(),
            without_body: 0,
        }
    }

    /// What it contains now.
    pub(super) fn applied(&self) -> Applied {
        self.applied
    }

    /// The edge of the tree over all records that were kept, once there was one.
    pub(super) fn tree(&self) -> Option<&Edge> {
        self.tree.edge()
    }

    /// How many of the records that were added had their bodies removed.
    pub(super) fn without_body(&self) -> u64 {
        self.without_body
    }

    /// How many values would be changed by [`Fold::apply`].
    pub(super) fn len(&self) -> usize {
        self.overlay.len()
    }

    /// Adds a record, whose bytes are `encoded`, at the next place.
    pub(super) fn record(&mut self, record: &Record, encoded: &[u8]) -> Result<Place> {
        let before = self.applied.place.last_record();
        let place = self.applied.place.next_record();
        let stream = record.frame.stream;
        let hash = record.frame.hash();
        self.without_body += u64::from(record.lacks_body());
        self.tree.add(&self.overlay, before, hash)?;
        let mut head = self.head_of(stream)?;
        if let Some((chunk, positions)) = head.push(hash, place.position) {
            let key = state::positions(stream, chunk);
            self.overlay.set(key, Some(positions));
        }
        self.overlay.set(state::head(stream), Some(head.to_bytes()));
        match (record.frame.operation, &record.payload) {
            (Operation::Put, payload) => {
                self.remove_lookups(stream)?;
                self.put(stream, payload.as_ref(), encoded, place.position);
            }
            (Operation::Delete, _) => {
                self.remove_lookups(stream)?;
                self.overlay.set(state::current(stream), None);
            }
            (Operation::Add, Some(payload)) => self.add(record, payload)?,
            (Operation::Append | Operation::Add, _) => {}
        }
        self.advance(place, hash);
        Ok(place)
    }

    /// Adds a note at the next place.
    pub(super) fn note(&mut self, note: &Note, hash: Hash) -> Place {
        let place = self.applied.place.next_note();
        if let Some(lease) = note.lease() {
            let key = state::lease(&lease.name);
            self.overlay.set(key, Some(state::lease_to_bytes(&lease)));
        }
        self.advance(place, hash);
        place
    }

    /// Makes everything added since the last call part of the batch.
    pub(super) fn keep(&mut self) {
        self.tree.keep(&mut self.overlay);
        self.overlay.keep();
        self.kept = self.applied;
    }

    /// Forgets everything added since the last [`Fold::keep`].
    pub(super) fn discard(&mut self) {
        self.tree.discard();
        self.overlay.discard();
        self.applied = self.kept;
    }

    /// Makes the changes that were kept in the state, all or none. With `durable` the log is on
    /// the disk up to here.
    pub(super) fn apply(&mut self, durable: bool) -> Result<()> {
        let applied = self.kept.to_bytes();
        if durable {
            let place = self.kept.place.to_bytes().to_vec();
            self.overlay.set(state::DURABLE.to_vec(), Some(place));
        }
        if let Some(edge) = self.tree.edge() {
            let bytes = edge.to_bytes();
            self.overlay.set(state::EDGE.to_vec(), Some(bytes));
        }
        self.overlay.set(state::APPLIED.to_vec(), Some(applied));
        self.overlay.keep();
        self.overlay.apply()
    }

    fn advance(&mut self, place: Place, hash: Hash) {
        self.applied = Applied {
            place,
            root: next_root(self.applied.root, place, hash),
        };
    }

    fn put(&mut self, stream: StreamId, payload: Option<&Payload>, encoded: &[u8], position: u64) {
        let none = Payload::default();
        let Payload { unique, index, .. } = payload.unwrap_or(&none);
        for lookup in unique {
            let id = stream.id.as_bytes().to_vec();
            self.overlay
                .set(state::unique(stream.kind, *lookup), Some(id));
        }
        for lookup in index {
            self.overlay
                .set(state::index(stream, *lookup), Some(Vec::new()));
        }
        let current = if encoded.len() <= Current::INLINE {
            Current::Here(encoded.to_vec())
        } else {
            Current::Elsewhere {
                position,
                unique: unique.clone(),
                index: index.clone(),
            }
        };
        self.overlay
            .set(state::current(stream), Some(current.to_bytes()));
    }

    /// Another object of the same commit may have taken over a unique key by now.
    fn remove_lookups(&mut self, stream: StreamId) -> Result<()> {
        let (unique, index) = self.lookups_of(stream)?;
        for lookup in unique {
            if self.holder(stream.kind, lookup)? == Some(stream.id) {
                self.overlay.set(state::unique(stream.kind, lookup), None);
            }
        }
        for lookup in index {
            self.overlay.set(state::index(stream, lookup), None);
        }
        Ok(())
    }

    fn add(&mut self, record: &Record, payload: &Payload) -> Result<()> {
        let Some(added) = &payload.added else {
            return Ok(());
        };
        let key = state::counter(added.counter);
        let counter = match self.overlay.get(&key)? {
            Some(bytes) => Some(
                state::counter_from_bytes(&bytes)
                    .ok_or_else(|| self.overlay.unreadable("a counter"))?,
            ),
            None => None,
        };
        let counter = Counter::after(counter, added, record.frame.at);
        self.overlay
            .set(key, Some(state::counter_to_bytes(&counter)));
        Ok(())
    }

    fn head_of(&self, stream: StreamId) -> Result<Head> {
        match self.overlay.get(&state::head(stream))? {
            Some(bytes) => Head::from_bytes(&bytes)
                .ok_or_else(|| self.overlay.unreadable(format!("the head of {stream}"))),
            None => Ok(Head::default()),
        }
    }

    fn lookups_of(&self, stream: StreamId) -> Result<(Vec<Lookup>, Vec<Lookup>)> {
        let Some(bytes) = self.overlay.get(&state::current(stream))? else {
            return Ok((Vec::new(), Vec::new()));
        };
        let unreadable = || self.overlay.unreadable(format!("the current {stream}"));
        match Current::from_bytes(&bytes).ok_or_else(unreadable)? {
            Current::Elsewhere { unique, index, .. } => Ok((unique, index)),
            Current::Here(record) => {
                let record = Record::decode(&record).map_err(|_| unreadable())?;
                let payload = record.payload.unwrap_or_default();
                Ok((payload.unique, payload.index))
            }
        }
    }
}

impl View for Fold<'_> {
    fn head(&self, stream: StreamId) -> Result<(Version, Hash)> {
        self.head_of(stream).map(|head| (head.version, head.hash))
    }

    fn holder(&self, kind: Kind, unique: Lookup) -> Result<Option<Uuid>> {
        match self.overlay.get(&state::unique(kind, unique))? {
            Some(id) => Uuid::from_slice(&id)
                .map(Some)
                .map_err(|_| self.overlay.unreadable("a unique key")),
            None => Ok(None),
        }
    }

    fn unique(&self, object: StreamId) -> Result<Vec<Lookup>> {
        self.lookups_of(object).map(|(unique, _)| unique)
    }

    fn lease(&self, name: &str) -> Result<Option<Lease>> {
        match self.overlay.get(&state::lease(name))? {
            Some(bytes) => state::lease_from_bytes(name, &bytes)
                .map(Some)
                .ok_or_else(|| self.overlay.unreadable(format!("the lease {name:?}"))),
            None => Ok(None),
        }
    }
}

/// The hash over all entries up to `place`, of which the last has this hash.
pub(super) fn next_root(root: Hash, place: Place, hash: Hash) -> Hash {
    let mut hasher = Sha256::new_with_prefix(b"gatelog root");
    hasher.update(root.0);
    hasher.update(place.to_bytes());
    hasher.update(hash.0);
    Hash(hasher.finalize().into())
}
