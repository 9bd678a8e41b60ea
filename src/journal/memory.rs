//! A journal that lives as long as the process, for tests that need no disk.
//!
//! It seals, chains and checks as the journal on disk does; only durability means nothing here.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use jiff::Timestamp;
use tokio::sync::watch;
use uuid::Uuid;

use super::counter::{self, Counter};
use super::frame::{Lookup, Operation, Record};
use super::keys::Keyring;
use super::pack::Bodies;
use super::prepare::{self, View};
use super::{
    Commit, Envelope, Error, Hash, Journal, Key, KeyId, Kind, Lease, Object, Position, Result,
    StreamId, Version, chain, seal,
};
use crate::clock::Clock;

/// A journal in memory. Clones are the same journal.
#[derive(Clone, Debug)]
pub struct MemoryJournal(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    keyring: Arc<Keyring>,
    /// The last position, for those who follow.
    last: watch::Sender<Position>,
    clock: Clock,
}

#[derive(Debug, Default)]
struct State {
    /// Every record; the one at position 1 comes first.
    log: Vec<Record>,
    /// Where in `log` each stream's records are, by version.
    streams: BTreeMap<StreamId, Vec<usize>>,
    /// Where in `log` the current revision of each object is.
    current: BTreeMap<StreamId, usize>,
    unique: HashMap<(Kind, Lookup), Uuid>,
    index: BTreeSet<(Kind, Lookup, Uuid)>,
    counters: HashMap<Lookup, Counter>,
    leases: HashMap<String, Lease>,
}

impl MemoryJournal {
    /// An empty journal with keys of its own.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self(Arc::new(Shared {
            state: Mutex::default(),
            keyring: Arc::new(Keyring::in_memory(&clock)),
            last: watch::Sender::new(Position(0)),
            clock,
        }))
    }

    /// The keys that seal its bodies.
    #[must_use]
    pub fn keyring(&self) -> Arc<Keyring> {
        Arc::clone(&self.0.keyring)
    }

    /// Checks the chain of every stream.
    ///
    /// # Errors
    /// [`Error::Corrupt`] names the first damaged record.
    pub fn verify(&self) -> Result<()> {
        let state = self.state();
        for (stream, places) in &state.streams {
            chain::verify_chain(places.iter().map(|place| &state.log[*place])).map_err(
                |(version, problem)| Error::Corrupt {
                    stream: *stream,
                    version,
                    problem,
                },
            )?;
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens records until there are `limit` objects; those that cannot be had are left out.
    fn objects<'a>(
        &self,
        records: impl Iterator<Item = &'a Record>,
        limit: usize,
    ) -> Result<Vec<Object>> {
        records
            .filter_map(|record| seal::object(record, &self.0.keyring).transpose())
            .take(limit)
            .collect()
    }

    /// The record after `after`, opened.
    fn next(&self, after: Position) -> Option<Result<(Position, Envelope)>> {
        let state = self.state();
        let record = state.log.get(usize::try_from(after.0).ok()?)?;
        let position = Position(after.0 + 1);
        Some(seal::envelope(record, &self.0.keyring).map(|envelope| (position, envelope)))
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn commit(&self, commit: Commit) -> Result<Position> {
        let bodies = Bodies::of(&commit);
        let mut state = self.state();
        let records = prepare::prepare(&commit, &bodies, &*state, &self.0.keyring)?;
        for record in records {
            state.apply(record);
        }
        let position = Position(state.log.len() as u64);
        prepare::destroy_keys([&commit], &self.0.keyring)?;
        drop(state);
        self.0
            .last
            .send_modify(|last| last.0 = last.0.max(position.0));
        Ok(position)
    }

    async fn read(&self, stream: StreamId, after: Version) -> Result<Vec<Envelope>> {
        let state = self.state();
        let places = state.streams.get(&stream).into_iter().flatten();
        places
            .skip(usize::try_from(after.0).unwrap_or(usize::MAX))
            .map(|place| seal::envelope(&state.log[*place], &self.0.keyring))
            .collect()
    }

    async fn head(&self, stream: StreamId) -> Result<(Version, Hash)> {
        self.state().head(stream)
    }

    fn follow(&self, after: Position) -> BoxStream<'static, Result<(Position, Envelope)>> {
        let news = self.0.last.subscribe();
        stream::unfold(
            (self.clone(), after, news),
            |(journal, mut after, mut news)| async move {
                loop {
                    if let Some(next) = journal.next(after) {
                        after.0 += 1;
                        return Some((next, (journal, after, news)));
                    }
                    news.wait_for(|last| last.0 > after.0).await.ok()?;
                }
            },
        )
        .boxed()
    }

    fn last(&self) -> Position {
        *self.0.last.borrow()
    }

    async fn lease(&self, name: &str, ttl: Duration) -> Result<Lease> {
        let now = self.0.clock.now();
        let mut state = self.state();
        let epoch = match state.leases.get(name) {
            Some(lease) if lease.expires > now => lease.epoch,
            Some(lease) => lease.epoch + 1,
            None => 1,
        };
        let lease = Lease {
            name: name.into(),
            epoch,
            expires: now.checked_add(ttl).unwrap_or(Timestamp::MAX),
        };
        state.leases.insert(name.into(), lease.clone());
        Ok(lease)
    }

    async fn get(&self, stream: StreamId) -> Result<Option<Object>> {
        let state = self.state();
        let Some(place) = state.current.get(&stream) else {
            return Ok(None);
        };
        seal::object(&state.log[*place], &self.0.keyring)
    }

    async fn get_at(&self, stream: StreamId, version: Version) -> Result<Option<Object>> {
        let state = self.state();
        let place = version
            .0
            .checked_sub(1)
            .and_then(|index| usize::try_from(index).ok())
            .and_then(|index| state.streams.get(&stream)?.get(index));
        let Some(place) = place else {
            return Ok(None);
        };
        seal::object(&state.log[*place], &self.0.keyring)
    }

    async fn find(&self, kind: Kind, key: Key) -> Result<Option<Object>> {
        let lookup = self.0.keyring.lookup(kind, &key);
        let holder = self.state().holder(kind, lookup)?;
        match holder {
            Some(id) => self.get(StreamId::new(kind, id)).await,
            None => Ok(None),
        }
    }

    async fn scan(
        &self,
        kind: Kind,
        key: Key,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Object>> {
        let lookup = self.0.keyring.lookup(kind, &key);
        let state = self.state();
        let first = after.map_or(Bound::Included((kind, lookup, Uuid::nil())), |id| {
            Bound::Excluded((kind, lookup, id))
        });
        let last = Bound::Included((kind, lookup, Uuid::max()));
        let found = state
            .index
            .range((first, last))
            .filter_map(|(_, _, id)| state.current.get(&StreamId::new(kind, *id)));
        self.objects(found.map(|place| &state.log[*place]), limit)
    }

    async fn list(&self, kind: Kind, after: Option<Uuid>, limit: usize) -> Result<Vec<Object>> {
        let state = self.state();
        let first = after.map_or(Bound::Included(StreamId::new(kind, Uuid::nil())), |id| {
            Bound::Excluded(StreamId::new(kind, id))
        });
        let last = Bound::Included(StreamId::new(kind, Uuid::max()));
        let found = state.current.range((first, last));
        self.objects(found.map(|(_, place)| &state.log[*place]), limit)
    }

    async fn streams(
        &self,
        kind: Kind,
        before: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<StreamId>> {
        let first = Bound::Included(StreamId::new(kind, Uuid::nil()));
        let last = before.map_or(Bound::Included(StreamId::new(kind, Uuid::max())), |id| {
            Bound::Excluded(StreamId::new(kind, id))
        });
        let state = self.state();
        let found = state.streams.range((first, last)).rev();
        Ok(found.take(limit).map(|(stream, _)| *stream).collect())
    }

    async fn counter(&self, counter: &[u8], now: Timestamp) -> Result<i64> {
        let lookup = counter::lookup(&self.0.keyring, counter);
        let state = self.state();
        Ok(state
            .counters
            .get(&lookup)
            .map_or(0, |counter| counter.at(now)))
    }

    async fn wrapper(&self, key: KeyId) -> Result<Option<KeyId>> {
        Ok(self.0.keyring.wrapper(key))
    }

    async fn keys_under(&self, key: KeyId) -> Result<Vec<KeyId>> {
        Ok(self.0.keyring.under(key))
    }

    async fn remove_bodies(&self, records: HashSet<(StreamId, Version)>) -> Result<u64> {
        let mut state = self.state();
        let mut removed = 0;
        for (stream, version) in records {
            let index = version
                .0
                .checked_sub(1)
                .and_then(|it| usize::try_from(it).ok());
            let places = state.streams.get(&stream);
            let place = index.and_then(|index| places?.get(index).copied());
            let Some(place) = place.filter(|place| state.current.get(&stream) != Some(place))
            else {
                continue;
            };
            let record = &mut state.log[place];
            let is_body = record.frame.operation.has_body();
            removed += u64::from(is_body && record.payload.take().is_some());
        }
        Ok(removed)
    }
}

impl State {
    /// Takes in a record that was checked. Nothing here can fail.
    fn apply(&mut self, record: Record) {
        let place = self.log.len();
        let stream = record.frame.stream;
        match record.frame.operation {
            Operation::Append => {}
            Operation::Put => {
                self.forget(stream);
                let payload = record.payload.iter();
                for payload in payload {
                    for lookup in &payload.unique {
                        self.unique.insert((stream.kind, *lookup), stream.id);
                    }
                    for lookup in &payload.index {
                        self.index.insert((stream.kind, *lookup, stream.id));
                    }
                }
                self.current.insert(stream, place);
            }
            Operation::Delete => {
                self.forget(stream);
                self.current.remove(&stream);
            }
            Operation::Add => {
                if let Some(added) = record.payload.as_ref().and_then(|payload| payload.added) {
                    let before = self.counters.get(&added.counter).copied();
                    let after = Counter::after(before, &added, record.frame.at);
                    self.counters.insert(added.counter, after);
                }
            }
        }
        self.streams.entry(stream).or_default().push(place);
        self.log.push(record);
    }

    /// Takes away the lookups of an object's current revision.
    fn forget(&mut self, object: StreamId) {
        let payload = self
            .current
            .get(&object)
            .and_then(|place| self.log[*place].payload.as_ref());
        let Some(payload) = payload else {
            return;
        };
        for lookup in &payload.unique {
            // Another object of the same commit may have taken it over already.
            let place = (object.kind, *lookup);
            if self.unique.get(&place) == Some(&object.id) {
                self.unique.remove(&place);
            }
        }
        for lookup in &payload.index {
            self.index.remove(&(object.kind, *lookup, object.id));
        }
    }
}

impl View for State {
    fn head(&self, stream: StreamId) -> Result<(Version, Hash)> {
        let Some(places) = self.streams.get(&stream) else {
            return Ok((Version::NONE, Hash::default()));
        };
        let hash = places
            .last()
            .map(|place| self.log[*place].frame.hash())
            .unwrap_or_default();
        Ok((Version(places.len() as u64), hash))
    }

    fn holder(&self, kind: Kind, unique: Lookup) -> Result<Option<Uuid>> {
        Ok(self.unique.get(&(kind, unique)).copied())
    }

    fn unique(&self, object: StreamId) -> Result<Vec<Lookup>> {
        let place = self.current.get(&object);
        let payload = place.and_then(|place| self.log[*place].payload.as_ref());
        Ok(payload.map_or_else(Vec::new, |payload| payload.unique.clone()))
    }

    fn lease(&self, name: &str) -> Result<Option<Lease>> {
        Ok(self.leases.get(name).cloned())
    }
}
