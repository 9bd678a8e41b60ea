//! Writing what a batch changes: everything in one flight, with the commit at its end.
//!
//! Rows are handed over as arrays, one statement for each table. Nothing here decides.

use std::collections::HashSet;

use deadpool_postgres::ClientWrapper;
use futures_util::future::join_all;
use jiff::Timestamp;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::super::counter::Counter;
use super::super::keys::remote::Wrapped;
use super::super::{Hash, KeyId};
use super::connect::Failure;
use super::fold::{Fold, Held};

const RECORDS: &str = "
INSERT INTO record (position, kind, id, version, key, hash, record)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::uuid[], $4::bigint[], $5::uuid[], $6::bytea[], $7::bytea[])";

const OBJECTS_GONE: &str = "
DELETE FROM object AS o USING unnest($1::text[], $2::uuid[]) AS w(kind, id)
WHERE o.kind = w.kind AND o.id = w.id";

const OBJECTS: &str = "
INSERT INTO object (kind, id, position, uniques, indexes)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::bytea[], $5::bytea[])
ON CONFLICT (kind, id) DO UPDATE
SET position = excluded.position, uniques = excluded.uniques, indexes = excluded.indexes";

const UNIQUE_GONE: &str = "
DELETE FROM unique_key AS u USING unnest($1::text[], $2::bytea[]) AS w(kind, lookup)
WHERE u.kind = w.kind AND u.lookup = w.lookup";

const UNIQUE: &str = "
INSERT INTO unique_key (kind, lookup, id)
SELECT * FROM unnest($1::text[], $2::bytea[], $3::uuid[])
ON CONFLICT (kind, lookup) DO UPDATE SET id = excluded.id";

const INDEX_GONE: &str = "
DELETE FROM index_key AS i USING unnest($1::text[], $2::bytea[], $3::uuid[]) AS w(kind, lookup, id)
WHERE i.kind = w.kind AND i.lookup = w.lookup AND i.id = w.id";

const INDEX: &str = "
INSERT INTO index_key (kind, lookup, id)
SELECT * FROM unnest($1::text[], $2::bytea[], $3::uuid[])
ON CONFLICT DO NOTHING";

const COUNTERS: &str = "
INSERT INTO counter (lookup, value, expires_second, expires_nanosecond)
SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::integer[])
ON CONFLICT (lookup) DO UPDATE
SET value = excluded.value, expires_second = excluded.expires_second,
    expires_nanosecond = excluded.expires_nanosecond";

const LEASES: &str = "
INSERT INTO lease (name, epoch, holder, expires_second, expires_nanosecond)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::uuid[], $4::bigint[], $5::integer[])
ON CONFLICT (name) DO UPDATE
SET epoch = excluded.epoch, holder = excluded.holder,
    expires_second = excluded.expires_second, expires_nanosecond = excluded.expires_nanosecond";

const KEYS: &str = "
INSERT INTO data_key (id, wrapper, slot)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bytea[])
ON CONFLICT (id) DO UPDATE SET wrapper = excluded.wrapper, slot = excluded.slot";

/// With a key goes all that it wraps.
const KEYS_GONE: &str = "
WITH RECURSIVE gone(id) AS (
    SELECT unnest($1::uuid[])
    UNION
    SELECT k.id FROM data_key AS k JOIN gone ON k.wrapper = gone.id
    WHERE k.wrapper <> '00000000-0000-0000-0000-000000000000'
)
DELETE FROM data_key AS k USING gone WHERE k.id = gone.id";

const JOURNAL: &str = "UPDATE journal SET position = $1, edge = $2";

const NODE: &str = "
INSERT INTO node (id, batch, at) VALUES ($1, $2, now())
ON CONFLICT (id) DO UPDATE SET batch = excluded.batch, at = excluded.at";

const NOTIFY: &str = "SELECT pg_notify('gatelog', $1)";

/// What is done to keys, in the order of the commits.
pub(super) enum KeyChange {
    /// They are made, or wrapped anew.
    Put(Vec<Wrapped>),
    /// They go.
    Destroy(Vec<KeyId>),
}

/// What is written, beside what the fold says.
pub(super) struct Save<'a> {
    /// The journal's own id.
    pub(super) journal: Uuid,
    /// This process.
    pub(super) node: Uuid,
    /// A name for this batch that no other has.
    pub(super) batch: Uuid,
    /// What becomes of keys.
    pub(super) keys: &'a [KeyChange],
}

type Value = Box<dyn ToSql + Sync + Send>;

/// Statements with their values, in the order in which they are sent.
#[derive(Default)]
struct Flight(Vec<(&'static str, Vec<Value>)>);

impl Flight {
    fn add(&mut self, sql: &'static str, values: Vec<Value>) {
        self.0.push((sql, values));
    }

    fn add_unless(&mut self, is_empty: bool, sql: &'static str, values: Vec<Value>) {
        if !is_empty {
            self.add(sql, values);
        }
    }
}

impl Save<'_> {
    /// Writes what the batch changed, up to the commit, which is the caller's.
    ///
    /// # Errors
    /// When something was not written; then nothing was, and the transaction is to be given up.
    pub(super) async fn write(&self, client: &ClientWrapper, fold: &Fold) -> Result<(), Failure> {
        let mut flight = Flight::default();
        records(&mut flight, fold);
        objects(&mut flight, fold);
        unique(&mut flight, fold);
        index(&mut flight, fold);
        counters(&mut flight, fold);
        leases(&mut flight, fold);
        self.keys(&mut flight);
        if !fold.changes.records.is_empty() {
            let position = number(fold.position);
            flight.add(
                JOURNAL,
                vec![Box::new(position), Box::new(fold.edge.to_bytes())],
            );
            let news = format!("{} {position}", self.journal);
            flight.add(NOTIFY, vec![Box::new(news)]);
        }
        flight.add(NODE, vec![Box::new(self.node), Box::new(self.batch)]);

        let mut statements = Vec::with_capacity(flight.0.len());
        for (sql, _) in &flight.0 {
            statements.push(client.prepare_cached(sql).await?);
        }
        let sent = statements.iter().zip(&flight.0).map(|(statement, it)| {
            let values: Vec<&(dyn ToSql + Sync)> =
                it.1.iter()
                    .map(|value| &**value as &(dyn ToSql + Sync))
                    .collect();
            async move { client.execute(statement, &values).await }
        });
        // All are sent, one behind the other, before the first is answered.
        for done in join_all(sent).await {
            done?;
        }
        Ok(())
    }

    fn keys(&self, flight: &mut Flight) {
        for change in self.keys {
            match change {
                KeyChange::Put(written) => {
                    let mut seen = HashSet::new();
                    // What was written last counts, and a statement must not write a row twice.
                    let last: Vec<&Wrapped> = written
                        .iter()
                        .rev()
                        .filter(|wrapped| seen.insert(wrapped.id))
                        .collect();
                    let ids: Vec<Uuid> = last.iter().map(|it| it.id).collect();
                    let wrappers: Vec<Uuid> = last.iter().map(|it| it.wrapper).collect();
                    let slots: Vec<Vec<u8>> = last.iter().map(|it| it.slot.clone()).collect();
                    flight.add_unless(
                        ids.is_empty(),
                        KEYS,
                        vec![Box::new(ids), Box::new(wrappers), Box::new(slots)],
                    );
                }
                KeyChange::Destroy(ids) => {
                    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
                    flight.add_unless(ids.is_empty(), KEYS_GONE, vec![Box::new(ids)]);
                }
            }
        }
    }
}

fn records(flight: &mut Flight, fold: &Fold) {
    let all = &fold.changes.records;
    let each = || all.iter().map(|(_, _, record)| &record.frame);
    let positions: Vec<i64> = all.iter().map(|it| number(it.0)).collect();
    let kinds: Vec<String> = each().map(|it| it.stream.kind.to_string()).collect();
    let ids: Vec<Uuid> = each().map(|it| it.stream.id).collect();
    let versions: Vec<i64> = each().map(|it| number(it.version.0)).collect();
    let keys: Vec<Option<Uuid>> = each()
        .map(|it| (it.key != KeyId::SYSTEM).then_some(it.key.0))
        .collect();
    let hashes: Vec<Vec<u8>> = all.iter().map(|(_, Hash(it), _)| it.to_vec()).collect();
    let encoded: Vec<Vec<u8>> = all.iter().map(|it| it.2.encode()).collect();
    flight.add_unless(
        all.is_empty(),
        RECORDS,
        vec![
            Box::new(positions),
            Box::new(kinds),
            Box::new(ids),
            Box::new(versions),
            Box::new(keys),
            Box::new(hashes),
            Box::new(encoded),
        ],
    );
}

fn objects(flight: &mut Flight, fold: &Fold) {
    let (mut gone_kinds, mut gone_ids) = (Vec::new(), Vec::new());
    let (mut kinds, mut ids, mut positions) = (Vec::new(), Vec::new(), Vec::new());
    let (mut uniques, mut indexes) = (Vec::new(), Vec::new());
    for stream in unrepeated(&fold.changes.objects) {
        let kind = stream.kind.to_string();
        match fold.objects.get(stream).and_then(Option::as_ref) {
            None => {
                gone_kinds.push(kind);
                gone_ids.push(stream.id);
            }
            Some(current) => {
                kinds.push(kind);
                ids.push(stream.id);
                positions.push(number(current.position));
                let bytes = |lookups: &[super::super::frame::Lookup]| {
                    lookups.iter().flat_map(|it| it.0).collect::<Vec<u8>>()
                };
                uniques.push(bytes(&current.unique));
                indexes.push(bytes(&current.index));
            }
        }
    }
    flight.add_unless(
        gone_ids.is_empty(),
        OBJECTS_GONE,
        vec![Box::new(gone_kinds), Box::new(gone_ids)],
    );
    flight.add_unless(
        ids.is_empty(),
        OBJECTS,
        vec![
            Box::new(kinds),
            Box::new(ids),
            Box::new(positions),
            Box::new(uniques),
            Box::new(indexes),
        ],
    );
}

fn unique(flight: &mut Flight, fold: &Fold) {
    let (mut gone_kinds, mut gone) = (Vec::new(), Vec::new());
    let (mut kinds, mut lookups, mut ids) = (Vec::new(), Vec::new(), Vec::new());
    for place in unrepeated(&fold.changes.unique) {
        let (kind, lookup) = (place.0.to_string(), place.1.0.to_vec());
        match fold.unique.get(place).copied().flatten() {
            None => {
                gone_kinds.push(kind);
                gone.push(lookup);
            }
            Some(id) => {
                kinds.push(kind);
                lookups.push(lookup);
                ids.push(id);
            }
        }
    }
    flight.add_unless(
        gone.is_empty(),
        UNIQUE_GONE,
        vec![Box::new(gone_kinds), Box::new(gone)],
    );
    flight.add_unless(
        ids.is_empty(),
        UNIQUE,
        vec![Box::new(kinds), Box::new(lookups), Box::new(ids)],
    );
}

fn index(flight: &mut Flight, fold: &Fold) {
    for (sql, wanted) in [(INDEX_GONE, false), (INDEX, true)] {
        let (mut kinds, mut lookups, mut ids) = (Vec::new(), Vec::new(), Vec::new());
        for ((stream, lookup), is_there) in &fold.changes.index {
            if *is_there == wanted {
                kinds.push(stream.kind.to_string());
                lookups.push(lookup.0.to_vec());
                ids.push(stream.id);
            }
        }
        flight.add_unless(
            ids.is_empty(),
            sql,
            vec![Box::new(kinds), Box::new(lookups), Box::new(ids)],
        );
    }
}

fn counters(flight: &mut Flight, fold: &Fold) {
    let (mut lookups, mut values) = (Vec::new(), Vec::new());
    let (mut seconds, mut nanoseconds) = (Vec::new(), Vec::new());
    for lookup in unrepeated(&fold.changes.counters) {
        if let Some(Counter { value, expires }) = fold.counters.get(lookup) {
            lookups.push(lookup.0.to_vec());
            values.push(*value);
            seconds.push(expires.map(Timestamp::as_second));
            nanoseconds.push(expires.map(Timestamp::subsec_nanosecond));
        }
    }
    flight.add_unless(
        lookups.is_empty(),
        COUNTERS,
        vec![
            Box::new(lookups),
            Box::new(values),
            Box::new(seconds),
            Box::new(nanoseconds),
        ],
    );
}

fn leases(flight: &mut Flight, fold: &Fold) {
    let (mut names, mut epochs, mut holders) = (Vec::new(), Vec::new(), Vec::new());
    let (mut seconds, mut nanoseconds) = (Vec::new(), Vec::new());
    for name in unrepeated(&fold.changes.leases) {
        if let Some(Held { lease, holder }) = fold.leases.get(name) {
            names.push(name.clone());
            epochs.push(number(lease.epoch));
            holders.push(*holder);
            seconds.push(lease.expires.as_second());
            nanoseconds.push(lease.expires.subsec_nanosecond());
        }
    }
    flight.add_unless(
        names.is_empty(),
        LEASES,
        vec![
            Box::new(names),
            Box::new(epochs),
            Box::new(holders),
            Box::new(seconds),
            Box::new(nanoseconds),
        ],
    );
}

/// Each of them once.
fn unrepeated<T: std::hash::Hash + Eq>(all: &[T]) -> HashSet<&T> {
    all.iter().collect()
}

/// A number as the database has it. No journal has so many records that it does not fit.
pub(super) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
