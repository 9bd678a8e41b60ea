//! What a batch makes of the journal, in memory: judged by it, and then written from it.
//!
//! Later commits of a batch see the earlier ones. A commit is taken in only once it was judged, and
//! from then on nothing fails, so there is nothing to take back.

use std::collections::HashMap;

use uuid::Uuid;

use super::super::counter::Counter;
use super::super::evidence::tree::{self, Edge};
use super::super::frame::{Lookup, Operation, Payload, Record};
use super::super::prepare::View;
use super::super::{Hash, Kind, Lease, Result, StreamId, Version};

/// The part of the journal that a batch names, and what the batch changes.
#[derive(Default)]
pub(super) struct Fold {
    /// The last position.
    pub(super) position: u64,
    /// The right edge of the tree over all records.
    pub(super) edge: Edge,
    /// The ends of streams; one that is not there is empty.
    pub(super) heads: HashMap<StreamId, (Version, Hash)>,
    /// The current revisions of objects.
    pub(super) objects: HashMap<StreamId, Option<Current>>,
    /// Who has a unique key.
    pub(super) unique: HashMap<(Kind, Lookup), Option<Uuid>>,
    /// What counters stand at.
    pub(super) counters: HashMap<Lookup, Counter>,
    /// Leases, whether or not they have run out.
    pub(super) leases: HashMap<String, Held>,
    /// What the batch changes of all that.
    pub(super) changes: Changes,
}

/// Where the current revision of an object lies, and how it is found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Current {
    /// The position of its record.
    pub(super) position: u64,
    /// Its unique keys.
    pub(super) unique: Vec<Lookup>,
    /// Its index keys.
    pub(super) index: Vec<Lookup>,
}

/// A lease, and which process has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    /// The lease.
    pub(super) lease: Lease,
    /// Whose it is, or was until it ran out.
    pub(super) holder: Uuid,
}

/// What is written of a batch.
#[derive(Default)]
pub(super) struct Changes {
    /// New records with their positions and hashes.
    pub(super) records: Vec<(u64, Hash, Record)>,
    /// Objects that changed.
    pub(super) objects: Vec<StreamId>,
    /// Unique keys that changed.
    pub(super) unique: Vec<(Kind, Lookup)>,
    /// Index keys that objects have from now on, or have no more.
    pub(super) index: HashMap<(StreamId, Lookup), bool>,
    /// Counters that moved.
    pub(super) counters: Vec<Lookup>,
    /// Leases that were taken or renewed.
    pub(super) leases: Vec<String>,
}

impl Fold {
    /// Takes in a record that was judged.
    pub(super) fn record(&mut self, record: Record) {
        let stream = record.frame.stream;
        let hash = record.frame.hash();
        self.position += 1;
        self.edge.push(tree::leaf(hash), |_full| {});
        self.heads.insert(stream, (record.frame.version, hash));
        match (record.frame.operation, &record.payload) {
            (Operation::Put, payload) => {
                self.give_up(stream);
                self.put(stream, payload.as_ref());
            }
            (Operation::Delete, _) => {
                self.give_up(stream);
                self.objects.insert(stream, None);
                self.changes.objects.push(stream);
            }
            (Operation::Add, payload) => {
                if let Some(added) = payload.as_ref().and_then(|payload| payload.added) {
                    let before = self.counters.get(&added.counter).copied();
                    let after = Counter::after(before, &added, record.frame.at);
                    self.counters.insert(added.counter, after);
                    self.changes.counters.push(added.counter);
                }
            }
            (Operation::Append, _) => {}
        }
        self.changes.records.push((self.position, hash, record));
    }

    /// Takes in a lease.
    pub(super) fn lease(&mut self, lease: Lease, holder: Uuid) {
        self.changes.leases.push(lease.name.clone());
        let name = lease.name.clone();
        self.leases.insert(name, Held { lease, holder });
    }

    fn put(&mut self, stream: StreamId, payload: Option<&Payload>) {
        let none = Payload::default();
        let Payload { unique, index, .. } = payload.unwrap_or(&none);
        for lookup in unique {
            let place = (stream.kind, *lookup);
            self.unique.insert(place, Some(stream.id));
            self.changes.unique.push(place);
        }
        for lookup in index {
            self.changes.index.insert((stream, *lookup), true);
        }
        let current = Current {
            position: self.position,
            unique: unique.clone(),
            index: index.clone(),
        };
        self.objects.insert(stream, Some(current));
        self.changes.objects.push(stream);
    }

    /// Takes away the lookups of an object's current revision.
    fn give_up(&mut self, stream: StreamId) {
        let Some(Some(current)) = self.objects.get(&stream).cloned() else {
            return;
        };
        for lookup in current.unique {
            let place = (stream.kind, lookup);
            // Another object of the same commit may have taken it over already. What the batch does not
            // name is held by the object whose it is.
            let holder = self.unique.get(&place).copied();
            if holder.unwrap_or(Some(stream.id)) == Some(stream.id) {
                self.unique.insert(place, None);
                self.changes.unique.push(place);
            }
        }
        for lookup in current.index {
            self.changes.index.insert((stream, lookup), false);
        }
    }
}

impl View for Fold {
    fn head(&self, stream: StreamId) -> Result<(Version, Hash)> {
        Ok(self.heads.get(&stream).copied().unwrap_or_default())
    }

    fn holder(&self, kind: Kind, unique: Lookup) -> Result<Option<Uuid>> {
        Ok(self.unique.get(&(kind, unique)).copied().flatten())
    }

    fn unique(&self, object: StreamId) -> Result<Vec<Lookup>> {
        let current = self.objects.get(&object).and_then(Option::as_ref);
        Ok(current.map_or_else(Vec::new, |current| current.unique.clone()))
    }

    fn lease(&self, name: &str) -> Result<Option<Lease>> {
        Ok(self.leases.get(name).map(|held| held.lease.clone()))
    }
}
