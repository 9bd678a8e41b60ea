//! What a batch has to know of the journal before it can be judged, and how that is read.
//!
//! Everything is asked for in one flight, right behind the lock: whatever is read, nobody else
//! changes it before this transaction ends. Nothing here decides.

use std::collections::BTreeSet;

use deadpool_postgres::ClientWrapper;
use futures_util::future::{join, join_all};
use jiff::Timestamp;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Statement};
use uuid::Uuid;

use super::super::counter::{self, Counter};
use super::super::evidence::tree::Edge;
use super::super::frame::{Lookup, Operation, Record};
use super::super::keys::Keyring;
use super::super::{
    Commit, Error, Hash, KeyId, Kind, Lease, Result, StreamId, Version, Write, seal,
};
use super::connect::Failure;
use super::fold::{Current, Fold, Held};
use super::schema;

const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// Whoever has this row's lock is the only one who writes.
const LOCK: &str = "SELECT id, needs, position, edge FROM journal FOR UPDATE";

const HEADS: &str = "
SELECT w.kind, w.id, r.version, r.hash
FROM unnest($1::text[], $2::uuid[]) AS w(kind, id)
CROSS JOIN LATERAL (
    SELECT version, hash FROM record
    WHERE record.kind = w.kind AND record.id = w.id
    ORDER BY version DESC LIMIT 1
) AS r";

const OBJECTS: &str = "
SELECT o.kind, o.id, o.position, o.uniques, o.indexes
FROM unnest($1::text[], $2::uuid[]) AS w(kind, id)
JOIN object AS o ON o.kind = w.kind AND o.id = w.id";

const UNIQUE: &str = "
SELECT u.kind, u.lookup, u.id
FROM unnest($1::text[], $2::bytea[]) AS w(kind, lookup)
JOIN unique_key AS u ON u.kind = w.kind AND u.lookup = w.lookup";

const COUNTERS: &str = "
SELECT lookup, value, expires_second, expires_nanosecond FROM counter WHERE lookup = ANY($1)";

const LEASES: &str = "
SELECT name, epoch, holder, expires_second, expires_nanosecond FROM lease WHERE name = ANY($1)";

/// The keys that are named, and all those above them.
const KEYS: &str = "
WITH RECURSIVE chain AS (
    SELECT id, wrapper, slot FROM data_key WHERE id = ANY($1)
    UNION
    SELECT k.id, k.wrapper, k.slot FROM data_key AS k JOIN chain ON k.id = chain.wrapper
    WHERE chain.wrapper <> '00000000-0000-0000-0000-000000000000'
)
SELECT slot FROM chain";

/// What the last batch was that a node wrote.
const WRITTEN: &str = "SELECT batch FROM node WHERE id = $1";

/// What is named by the commits of a batch.
#[derive(Default)]
pub(super) struct Wanted {
    streams: BTreeSet<StreamId>,
    objects: BTreeSet<StreamId>,
    unique: BTreeSet<(Kind, Lookup)>,
    counters: BTreeSet<Lookup>,
    leases: BTreeSet<String>,
    keys: BTreeSet<Uuid>,
}

impl Wanted {
    /// Adds what a commit names.
    pub(super) fn commit(&mut self, commit: &Commit, ring: &Keyring) {
        self.leases
            .extend(commit.fence.iter().map(|fence| fence.name.clone()));
        for write in &commit.writes {
            self.streams.extend(seal::stream(write, ring));
            match write {
                Write::Append { key, .. } => self.key(*key),
                Write::Put {
                    stream,
                    key,
                    unique,
                    ..
                } => {
                    self.key(*key);
                    self.objects.insert(*stream);
                    let lookups = unique.iter().map(|key| ring.lookup(stream.kind, key));
                    self.unique
                        .extend(lookups.map(|lookup| (stream.kind, lookup)));
                }
                Write::Delete { stream, .. } => {
                    self.objects.insert(*stream);
                }
                Write::Add { counter, .. } => {
                    self.counters.insert(counter::lookup(ring, counter));
                }
                Write::CreateKey { id, under } | Write::WrapKey { id, under } => {
                    self.key(*id);
                    self.key(*under);
                }
                Write::DestroyKey { id } => self.key(*id),
            }
        }
    }

    /// Adds what a record of another journal names.
    pub(super) fn record(&mut self, record: &Record) {
        let stream = record.frame.stream;
        self.streams.insert(stream);
        if matches!(record.frame.operation, Operation::Put | Operation::Delete) {
            self.objects.insert(stream);
        }
        if let Some(payload) = &record.payload {
            let unique = payload.unique.iter();
            self.unique
                .extend(unique.map(|lookup| (stream.kind, *lookup)));
            self.counters.extend(payload.added.map(|it| it.counter));
        }
    }

    /// Adds a lease.
    pub(super) fn lease(&mut self, name: &str) {
        self.leases.insert(name.to_owned());
    }

    fn key(&mut self, key: KeyId) {
        if key != KeyId::SYSTEM {
            self.keys.insert(key.0);
        }
    }

    /// Begins a transaction, takes the lock of whoever writes, and reads what is named. The keys go into
    /// `ring`, which has no others from then on.
    ///
    /// # Errors
    /// When the database cannot be reached, or is not what was written.
    pub(super) async fn read(
        &self,
        client: &ClientWrapper,
        ring: &Keyring,
        node: Uuid,
    ) -> std::result::Result<Read, Failure> {
        let (kinds, ids) = parts(&self.streams);
        let (object_kinds, object_ids) = parts(&self.objects);
        let unique_kinds: Vec<&str> = self.unique.iter().map(|(kind, _)| kind.as_str()).collect();
        let lookups: Vec<&[u8]> = self.unique.iter().map(|(_, it)| &it.0[..]).collect();
        let counters: Vec<&[u8]> = self.counters.iter().map(|it| &it.0[..]).collect();
        let leases: Vec<&str> = self.leases.iter().map(String::as_str).collect();
        let keys: Vec<Uuid> = self.keys.iter().copied().collect();

        let questions: [(&str, Vec<&(dyn ToSql + Sync)>, bool); 8] = [
            (LOCK, vec![], true),
            (WRITTEN, vec![&node], true),
            (HEADS, vec![&kinds, &ids], !ids.is_empty()),
            (
                OBJECTS,
                vec![&object_kinds, &object_ids],
                !object_ids.is_empty(),
            ),
            (UNIQUE, vec![&unique_kinds, &lookups], !lookups.is_empty()),
            (COUNTERS, vec![&counters], !counters.is_empty()),
            (LEASES, vec![&leases], !leases.is_empty()),
            (KEYS, vec![&keys], !keys.is_empty()),
        ];
        let mut asked: Vec<(Option<Statement>, &[&(dyn ToSql + Sync)])> = Vec::new();
        for (sql, values, is_asked) in &questions {
            let statement = if *is_asked {
                Some(client.prepare_cached(sql).await?)
            } else {
                None
            };
            asked.push((statement, values));
        }
        // They are sent in this order, one behind the other, before the first is answered.
        let (begun, answers) = join(
            client.batch_execute(BEGIN),
            join_all(asked.iter().map(|(statement, values)| async move {
                match statement {
                    Some(statement) => client.query(statement, values).await,
                    None => Ok(Vec::new()),
                }
            })),
        )
        .await;
        begun?;
        let answers = answers
            .into_iter()
            .collect::<std::result::Result<Vec<Vec<Row>>, _>>()?;
        let [
            lock,
            written,
            heads,
            objects,
            unique,
            counters,
            leases,
            keys,
        ] = <[Vec<Row>; 8]>::try_from(answers).map_err(|_| unreadable("an answer"))?;
        let lock = lock.first().ok_or_else(|| unreadable("the journal"))?;
        schema::is_readable(lock.get(1))?;
        ring.load(keys.iter().map(|row| row.get(0)))?;
        let fold = Fold {
            position: position(lock.get(2)),
            edge: Edge::from_bytes(lock.get(3))
                .ok_or_else(|| unreadable("the edge of the tree"))?,
            heads: heads.iter().map(head).collect::<Result<_>>()?,
            objects: objects.iter().map(object).collect::<Result<_>>()?,
            unique: unique.iter().map(holder).collect::<Result<_>>()?,
            counters: counters.iter().map(counted).collect::<Result<_>>()?,
            leases: leases.iter().map(held).collect::<Result<_>>()?,
            ..Fold::default()
        };
        Ok(Read {
            journal: lock.get(0),
            written: written.first().map(|row| row.get(0)),
            fold,
        })
    }
}

/// What the journal is, as far as a batch has to know it.
pub(super) struct Read {
    /// The journal's own id.
    pub(super) journal: Uuid,
    /// The last batch that this node wrote.
    pub(super) written: Option<Uuid>,
    /// What the batch is judged by.
    pub(super) fold: Fold,
}

fn parts(streams: &BTreeSet<StreamId>) -> (Vec<&str>, Vec<Uuid>) {
    streams
        .iter()
        .map(|stream| (stream.kind.as_str(), stream.id))
        .unzip()
}

/// A number of the database that is never negative.
pub(super) fn position(number: i64) -> u64 {
    number.unsigned_abs()
}

fn stream(row: &Row) -> Result<StreamId> {
    Ok(StreamId::new(kind(row.get(0))?, row.get(1)))
}

pub(super) fn kind(name: &str) -> Result<Kind> {
    Kind::parse(name).ok_or_else(|| unreadable("a kind"))
}

fn lookup(bytes: &[u8]) -> Result<Lookup> {
    <[u8; 32]>::try_from(bytes)
        .map(Lookup)
        .map_err(|_| unreadable("a lookup"))
}

fn lookups(bytes: &[u8]) -> Result<Vec<Lookup>> {
    let (lookups, rest) = bytes.as_chunks::<32>();
    if rest.is_empty() {
        Ok(lookups.iter().copied().map(Lookup).collect())
    } else {
        Err(unreadable("the lookups of an object"))
    }
}

fn head(row: &Row) -> Result<(StreamId, (Version, Hash))> {
    let hash = <[u8; 32]>::try_from(row.get::<_, &[u8]>(3)).map_err(|_| unreadable("a hash"))?;
    let version = Version(position(row.get(2)));
    Ok((stream(row)?, (version, Hash(hash))))
}

fn object(row: &Row) -> Result<(StreamId, Option<Current>)> {
    let current = Current {
        position: position(row.get(2)),
        unique: lookups(row.get(3))?,
        index: lookups(row.get(4))?,
    };
    Ok((stream(row)?, Some(current)))
}

fn holder(row: &Row) -> Result<((Kind, Lookup), Option<Uuid>)> {
    let place = (kind(row.get(0))?, lookup(row.get(1))?);
    Ok((place, Some(row.get(2))))
}

fn counted(row: &Row) -> Result<(Lookup, Counter)> {
    let counter = Counter {
        value: row.get(1),
        expires: moment(row.get(2), row.get(3))?,
    };
    Ok((lookup(row.get(0))?, counter))
}

fn held(row: &Row) -> Result<(String, Held)> {
    let name: String = row.get(0);
    let expires = moment(row.get(3), row.get(4))?;
    let lease = Lease {
        name: name.clone(),
        epoch: position(row.get(1)),
        expires: expires.ok_or_else(|| unreadable("the end of a lease"))?,
    };
    let holder = row.get(2);
    Ok((name, Held { lease, holder }))
}

/// A moment that lies in two columns.
pub(super) fn moment(second: Option<i64>, nanosecond: Option<i32>) -> Result<Option<Timestamp>> {
    let Some(second) = second else {
        return Ok(None);
    };
    Timestamp::new(second, nanosecond.unwrap_or(0))
        .map(Some)
        .map_err(|_| unreadable("a moment"))
}

/// The error for a row that nothing of ours wrote.
pub(super) fn unreadable(what: &str) -> Error {
    Error::Damaged {
        path: "PostgreSQL".into(),
        problem: format!("{what} cannot be read: restore the database from a backup"),
    }
}
