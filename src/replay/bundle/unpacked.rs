//! A bundle as a journal: it answers for the one execution and what that refers to, and takes
//! nothing.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use jiff::Timestamp;
use uuid::Uuid;

use super::Bundle;
use crate::journal::{
    Commit, Envelope, Error, Hash, Journal, Key, KeyId, Kind, Lease, Object, Position, Result,
    StreamId, Version, up_to_date,
};
use crate::world::record::KIND;

/// A journal that holds one execution.
pub struct Unpacked {
    execution: StreamId,
    records: Vec<Envelope>,
    objects: BTreeMap<(StreamId, Version), Object>,
}

impl Unpacked {
    pub(super) fn new(bundle: Bundle) -> Self {
        let execution = StreamId::new(KIND, bundle.execution);
        let schema = bundle.schema;
        let records = bundle.records.into_iter().map(|entry| Envelope {
            stream: execution,
            version: entry.version,
            at: entry.at,
            schema,
            correlation: entry.correlation,
            hash: Hash::default(),
            key: KeyId(execution.id),
            is_locked: false,
            body: serde_json::to_vec(&entry.record).ok(),
        });
        let objects = bundle.objects.into_iter().map(|held| {
            let (stream, version) = (held.stream(), held.version);
            let object = Object {
                stream,
                version,
                at: held.at,
                schema: held.schema,
                body: held.body.to_string().into_bytes().into(),
            };
            ((stream, version), object)
        });
        Self {
            execution,
            records: records.collect(),
            objects: objects.collect(),
        }
    }

    fn last_version(&self) -> Version {
        self.records.last().map_or(Version::NONE, |it| it.version)
    }
}

/// Why nothing is written.
fn only_read() -> Error {
    Error::Unavailable("a bundle is only read".into())
}

#[async_trait]
impl Journal for Unpacked {
    async fn commit(&self, _: Commit) -> Result<Position> {
        Err(only_read())
    }

    async fn read(&self, stream: StreamId, after: Version) -> Result<Vec<Envelope>> {
        if stream != self.execution {
            return Ok(Vec::new());
        }
        let records = self.records.iter().filter(|it| it.version > after);
        Ok(records.cloned().collect())
    }

    async fn head(&self, stream: StreamId) -> Result<(Version, Hash)> {
        let is_own = stream == self.execution;
        let version = if is_own {
            self.last_version()
        } else {
            Version::NONE
        };
        Ok((version, Hash::default()))
    }

    fn follow(&self, _: Position) -> BoxStream<'static, Result<(Position, Envelope)>> {
        stream::empty().boxed()
    }

    fn last(&self) -> Position {
        Position(self.last_version().0)
    }

    async fn lease(&self, _: &str, _: Duration) -> Result<Lease> {
        Err(only_read())
    }

    /// The latest revision that there is.
    async fn get(&self, stream: StreamId) -> Result<Option<Object>> {
        let all = (stream, Version::NONE)..=(stream, Version(u64::MAX));
        match self.objects.range(all).next_back() {
            Some(((stream, version), _)) => self.get_at(*stream, *version).await,
            None => Ok(None),
        }
    }

    async fn get_at(&self, stream: StreamId, version: Version) -> Result<Option<Object>> {
        let Some(object) = self.objects.get(&(stream, version)).cloned() else {
            return Ok(None);
        };
        let current = up_to_date(stream.kind, object.schema, object.body.into());
        let (schema, body) = current.map_err(|problem| Error::Corrupt {
            stream,
            version,
            problem,
        })?;
        Ok(Some(Object {
            schema,
            body: body.into(),
            ..object
        }))
    }

    async fn find(&self, _: Kind, _: Key) -> Result<Option<Object>> {
        Ok(None)
    }

    async fn scan(&self, _: Kind, _: Key, _: Option<Uuid>, _: usize) -> Result<Vec<Object>> {
        Ok(Vec::new())
    }

    async fn list(&self, _: Kind, _: Option<Uuid>, _: usize) -> Result<Vec<Object>> {
        Ok(Vec::new())
    }

    async fn streams(
        &self,
        kind: Kind,
        before: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<StreamId>> {
        let is_asked = kind == KIND && before.is_none_or(|it| self.execution.id < it) && limit > 0;
        Ok(is_asked.then_some(self.execution).into_iter().collect())
    }

    async fn counter(&self, _: &[u8], _: Timestamp) -> Result<i64> {
        Ok(0)
    }

    async fn wrapper(&self, _: KeyId) -> Result<Option<KeyId>> {
        Ok(None)
    }

    async fn keys_under(&self, _: KeyId) -> Result<Vec<KeyId>> {
        Ok(Vec::new())
    }

    async fn remove_bodies(&self, _: HashSet<(StreamId, Version)>) -> Result<u64> {
        Err(only_read())
    }
}
