//! Reading: what the state says, and the records that it points to.
//!
//! Everything here blocks for microseconds, or for a millisecond where an export is read.

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::super::frame::Record;
use super::super::{
    Envelope, Error, Hash, Key, Kind, Object, Result, StreamId, Version, counter, seal,
};
use super::Shared;
use super::opened::Found;
use super::state::{self, Current, Head, Where};

/// A key that an object has may move to another while it is looked up; then look again.
const ATTEMPTS: usize = 10;

impl Shared {
    /// The end of a stream; `None` when nothing was written to it.
    pub(super) fn head(&self, stream: StreamId) -> Result<Option<Head>> {
        let Some(bytes) = self.state.get(&state::head(stream))? else {
            return Ok(None);
        };
        Head::from_bytes(&bytes)
            .map(Some)
            .ok_or_else(|| self.state.unreadable(format!("the head of {stream}")))
    }

    /// The position of one record of a stream; `None` when it has no such version.
    pub(super) fn position(
        &self,
        stream: StreamId,
        head: &Head,
        version: Version,
    ) -> Result<Option<u64>> {
        match head.position(version) {
            Where::At(position) => Ok(Some(position)),
            Where::Nowhere => Ok(None),
            Where::Chunk(chunk) => {
                let bytes = self.state.get(&state::positions(stream, chunk))?;
                bytes
                    .and_then(|bytes| state::in_chunk(&bytes, version))
                    .map(Some)
                    .ok_or_else(|| self.state.unreadable(format!("the places of {stream}")))
            }
        }
    }

    /// The record of a stream that lies at this position.
    pub(super) fn record(
        &self,
        stream: StreamId,
        version: Version,
        position: u64,
    ) -> Result<Record> {
        let corrupt = |problem| Error::Corrupt {
            stream,
            version,
            problem,
        };
        let bytes = match self.segments.record(position) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Err(corrupt(format!("nothing lies at position {position}"))),
            Err(Error::Damaged { path, problem }) => {
                return Err(corrupt(format!("{}: {problem}", path.display())));
            }
            Err(error) => return Err(error),
        };
        let record = Record::decode(&bytes).map_err(corrupt)?;
        if record.frame.stream != stream || record.frame.version != version {
            return Err(corrupt(format!(
                "version {} of {} lies at its position {position}",
                record.frame.version, record.frame.stream
            )));
        }
        Ok(record)
    }

    /// The records of a stream after `after`, each following the one before.
    pub(super) fn read(&self, stream: StreamId, after: Version) -> Result<Vec<Envelope>> {
        let Some(head) = self.head(stream)? else {
            return Ok(Vec::new());
        };
        let mut previous = (after == Version::NONE).then(Hash::default);
        let mut envelopes = Vec::new();
        let mut version = after;
        while version < head.version {
            version = version.next();
            let corrupt = |problem: &str| Error::Corrupt {
                stream,
                version,
                problem: problem.to_owned(),
            };
            let position = self.position(stream, &head, version)?;
            let position = position.ok_or_else(|| corrupt("nobody knows where it lies"))?;
            let record = self.record(stream, version, position)?;
            if previous.is_some_and(|previous| record.frame.previous != previous) {
                return Err(corrupt("it does not follow the record before it"));
            }
            let envelope = seal::envelope(&record, &self.keyring)?;
            previous = Some(envelope.hash);
            envelopes.push(envelope);
        }
        match envelopes.last() {
            Some(last) if last.hash != head.hash => Err(Error::Corrupt {
                stream,
                version: head.version,
                problem: "it is not the record that was written last".into(),
            }),
            _ => Ok(envelopes),
        }
    }

    /// Whether all records of a stream after `after` lie in the segment that is open.
    pub(super) fn is_fast(&self, stream: StreamId, after: Version) -> bool {
        let Ok(Some(head)) = self.head(stream) else {
            return true;
        };
        match self.position(stream, &head, after.next()) {
            Ok(Some(position)) => self.segments.is_fast(position),
            _ => true,
        }
    }

    /// The current revision of an object.
    pub(super) fn get(&self, stream: StreamId) -> Result<Option<Object>> {
        Ok(self.found(stream)?.map(|found| found.object.clone()))
    }

    /// The current revision of an object, and how it is found.
    fn found(&self, stream: StreamId) -> Result<Option<Arc<Found>>> {
        match self.state.get(&state::current(stream))? {
            Some(bytes) => self.opened(stream, &bytes),
            None => Ok(None),
        }
    }

    /// The current revision of an object, of which the state says `current`.
    fn opened(&self, stream: StreamId, current: &[u8]) -> Result<Option<Arc<Found>>> {
        if let Some(found) = self.opened.current(stream, current) {
            return Ok(Some(found));
        }
        let moment = self.opened.moment();
        let record = self.current_from(stream, current)?;
        // The revision may have been opened by its number.
        let object = match self.opened.revision(stream, record.frame.version) {
            Some(kept) => Some(kept),
            None => seal::object(&record, &self.keyring)?,
        };
        let Some(object) = object else {
            return Ok(None);
        };
        let found = Arc::new(Found::new(object, record));
        self.opened.keep(moment, &found, Some(current));
        Ok(Some(found))
    }

    /// The record of the current revision of an object.
    pub(super) fn current(&self, stream: StreamId) -> Result<Option<Record>> {
        match self.state.get(&state::current(stream))? {
            Some(bytes) => self.current_from(stream, &bytes).map(Some),
            None => Ok(None),
        }
    }

    fn current_from(&self, stream: StreamId, bytes: &[u8]) -> Result<Record> {
        let unreadable = || self.state.unreadable(format!("the current {stream}"));
        let bytes = match Current::from_bytes(bytes).ok_or_else(unreadable)? {
            Current::Here(bytes) => bytes,
            Current::Elsewhere { position, .. } => {
                let bytes = self.segments.record(position)?;
                bytes.ok_or_else(unreadable)?
            }
        };
        let record = Record::decode(&bytes).map_err(|_| unreadable())?;
        if record.frame.stream == stream {
            Ok(record)
        } else {
            Err(unreadable())
        }
    }

    /// One revision of an object.
    pub(super) fn get_at(&self, stream: StreamId, version: Version) -> Result<Option<Object>> {
        let Some(head) = self.head(stream)? else {
            return Ok(None);
        };
        let Some(position) = self.position(stream, &head, version)? else {
            return Ok(None);
        };
        let moment = self.opened.moment();
        let record = self.record(stream, version, position)?;
        let Some(object) = seal::object(&record, &self.keyring)? else {
            return Ok(None);
        };
        let found = Arc::new(Found::new(object, record));
        self.opened.keep(moment, &found, None);
        Ok(Some(found.object.clone()))
    }

    /// The object with this unique key.
    pub(super) fn find(&self, kind: Kind, key: &Key) -> Result<Option<Object>> {
        let lookup = self.keyring.lookup(kind, key);
        for _ in 0..ATTEMPTS {
            let Some(id) = self.state.get(&state::unique(kind, lookup))? else {
                return Ok(None);
            };
            let id = Uuid::from_slice(&id).map_err(|_| self.state.unreadable("a unique key"))?;
            let found = self.found(StreamId::new(kind, id))?;
            let has_it = |found: &Arc<Found>| found.unique.contains(&lookup);
            if let Some(found) = found.filter(has_it) {
                return Ok(Some(found.object.clone()));
            }
        }
        Ok(None)
    }

    /// The objects with this index key, by id.
    pub(super) fn scan(
        &self,
        kind: Kind,
        key: &Key,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Object>> {
        let lookup = self.keyring.lookup(kind, key);
        let prefix = state::indexed(kind, lookup);
        let mut objects = Vec::new();
        for entry in self.state.tree().range(range(prefix, after)) {
            if objects.len() >= limit {
                break;
            }
            let (key, _) = entry.map_err(|error| self.state.error(error))?;
            let id = state::id_of(&key).ok_or_else(|| self.state.unreadable("an index key"))?;
            // It may have ended, or lost the key, since the index was read.
            let found = self.found(StreamId::new(kind, id))?;
            let has_it = |found: &Arc<Found>| found.index.contains(&lookup);
            objects.extend(found.filter(has_it).map(|found| found.object.clone()));
        }
        Ok(objects)
    }

    /// The objects of a kind, by id.
    pub(super) fn list(
        &self,
        kind: Kind,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Object>> {
        let mut objects = Vec::new();
        for entry in self.state.tree().range(range(state::currents(kind), after)) {
            if objects.len() >= limit {
                break;
            }
            let (key, bytes) = entry.map_err(|error| self.state.error(error))?;
            let id = state::id_of(&key).ok_or_else(|| self.state.unreadable("an object's key"))?;
            let found = self.opened(StreamId::new(kind, id), &bytes)?;
            objects.extend(found.map(|found| found.object.clone()));
        }
        Ok(objects)
    }

    /// The streams of a kind below `before`, the greatest id first.
    pub(super) fn streams(
        &self,
        kind: Kind,
        before: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<StreamId>> {
        let first = state::heads(kind);
        let end = match before {
            Some(id) => state::head(StreamId::new(kind, id)),
            None => state::after(first.clone()),
        };
        let keys = self.state.tree().range(first..end).keys().rev();
        keys.take(limit)
            .map(|key| {
                let key = key.map_err(|error| self.state.error(error))?;
                state::stream_of(&key).ok_or_else(|| self.state.unreadable("the key of a head"))
            })
            .collect()
    }

    /// What a counter stands at.
    pub(super) fn counter(&self, name: &[u8], now: Timestamp) -> Result<i64> {
        let lookup = counter::lookup(&self.keyring, name);
        let Some(bytes) = self.state.get(&state::counter(lookup))? else {
            return Ok(0);
        };
        state::counter_from_bytes(&bytes)
            .map(|counter| counter.at(now))
            .ok_or_else(|| self.state.unreadable("a counter"))
    }
}

/// All keys that begin with `prefix` and an id after `after`.
fn range(prefix: Vec<u8>, after: Option<Uuid>) -> std::ops::Range<Vec<u8>> {
    let end = state::after(prefix.clone());
    let mut first = prefix;
    if let Some(id) = after {
        first.extend_from_slice(id.as_bytes());
        // The smallest key that is greater.
        first.push(0);
    }
    first..end
}
