//! Removing bodies: their records stay, without what they held. And looking at all frames, for
//! whoever decides what goes.
//!
//! PostgreSQL keeps the old rows until they are vacuumed, and its write-ahead log and backups for
//! longer: only the destruction of a key makes a body unreadable wherever it lies, and a key that
//! lies in the same backup is not destroyed there (decision 0048).

use std::collections::HashSet;

use deadpool_postgres::Pool;
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::super::forgotten::{Forgotten, Unneeded};
use super::super::frame::{Frame, Record};
use super::super::{KeyId, Kind, Result, StreamId, Version};
use super::connect::Failure;
use super::patience::patiently;
use super::save::number;
use super::wanted::{position, unreadable};
use super::{PostgresJournal, Shared};
use crate::clock::Clock;

/// So many are removed in one transaction.
const PORTION: usize = 500;

/// So many records are looked at at once.
const LOOK: i64 = 1_000;

/// Nobody writes a record but under the lock of whoever writes. What is current stays.
const LOCK: &str = "SELECT FROM journal FOR UPDATE";

const FOUND: &str = "
SELECT r.position, r.record
FROM unnest($1::text[], $2::uuid[], $3::bigint[]) AS w(kind, id, version)
JOIN record AS r ON r.kind = w.kind AND r.id = w.id AND r.version = w.version
WHERE NOT EXISTS (
    SELECT FROM object AS o WHERE o.kind = r.kind AND o.id = r.id AND o.position = r.position
)";

const EMPTIED: &str = "
UPDATE record AS r SET record = w.record
FROM unnest($1::bigint[], $2::bytea[]) AS w(position, record)
WHERE r.position = w.position";

/// Whether a record is the current revision of its object is said beside it.
const LOG: &str = "
SELECT r.position, r.record, o.position IS NOT NULL
FROM record AS r
LEFT JOIN object AS o ON o.kind = r.kind AND o.id = r.id AND o.position = r.position
WHERE r.position > $1 AND r.position <= $2 ORDER BY r.position LIMIT $3";

/// Those of these keys that there are.
const KEYS: &str = "SELECT id FROM data_key WHERE id = ANY($1)";

/// Takes the bodies of these records out of the log; returns how many went.
pub(super) async fn remove(
    pool: &Pool,
    clock: &Clock,
    records: &HashSet<(StreamId, Version)>,
) -> Result<u64> {
    let all: Vec<&(StreamId, Version)> = records.iter().collect();
    let mut removed = 0;
    for portion in all.chunks(PORTION) {
        removed += patiently(clock, || once(pool, portion)).await?;
    }
    Ok(removed)
}

async fn once(pool: &Pool, portion: &[&(StreamId, Version)]) -> std::result::Result<u64, Failure> {
    let kinds: Vec<&str> = portion.iter().map(|(it, _)| it.kind.as_str()).collect();
    let ids: Vec<Uuid> = portion.iter().map(|(it, _)| it.id).collect();
    let versions: Vec<i64> = portion.iter().map(|(_, it)| number(it.0)).collect();
    let mut client = pool.get().await?;
    // Dropped before its end, the transaction is rolled back.
    let transaction = client.transaction().await?;
    transaction.batch_execute(LOCK).await?;
    let found = transaction.query(FOUND, &[&kinds, &ids, &versions]).await?;
    let (mut positions, mut emptied) = (Vec::new(), Vec::new());
    for row in &found {
        let (place, record) = decoded(row)?;
        if has_body(&record) {
            positions.push(number(place));
            emptied.push(record.without_body().encode());
        }
    }
    transaction
        .execute(EMPTIED, &[&positions, &emptied])
        .await?;
    transaction.commit().await?;
    Ok(positions.len() as u64)
}

fn decoded(row: &Row) -> Result<(u64, Record)> {
    let place = position(row.get(0));
    let record = Record::decode(row.get(1));
    let record =
        record.map_err(|problem| unreadable(&format!("the record at {place}: {problem}")))?;
    Ok((place, record))
}

fn has_body(record: &Record) -> bool {
    record.frame.operation.has_body() && record.payload.is_some()
}

impl Shared {
    /// Shows every record that there is now, in order, and whether it is the current revision of an
    /// object.
    async fn each(&self, mut look: impl FnMut(u64, Record, bool)) -> Result<()> {
        let last = self.written().await?;
        let mut after = 0;
        while after < last {
            let rows = self.portion(LOG, after, last, LOOK).await?;
            for row in &rows {
                let (place, record) = decoded(row)?;
                after = place;
                look(place, record, row.get(2));
            }
            if rows.is_empty() {
                break;
            }
        }
        Ok(())
    }
}

impl PostgresJournal {
    /// Shows the frame of every record that there is now, in order, and whether its body is there.
    /// Nothing is opened.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn frames(&self, mut look: impl FnMut(&Frame, bool)) -> Result<()> {
        self.shared
            .each(|_, record, _| look(&record.frame, record.payload.is_some()))
            .await
    }

    /// Removes the bodies of all records of which `goes` says so. The current revision of an object always
    /// stays, and so do moves of counters. Returns how many bodies went, and which keys nothing needs any
    /// more of the streams of the kind `keyed` that went.
    ///
    /// # Errors
    /// When the database cannot be read or written; what was removed until then is gone.
    pub async fn forget(
        &self,
        keyed: Kind,
        goes: impl Fn(StreamId, Timestamp) -> bool,
    ) -> Result<Forgotten> {
        let mut gone: HashSet<(StreamId, Version)> = HashSet::new();
        let mut keys = Unneeded::of(keyed);
        self.shared
            .each(|_, record, is_current| {
                let frame = &record.frame;
                let now = has_body(&record) && !is_current && goes(frame.stream, frame.at);
                if now {
                    gone.insert((frame.stream, frame.version));
                }
                keys.note(frame, record.payload.is_some() && !now);
            })
            .await?;
        let bodies = super::super::Journal::remove_bodies(self, gone).await?;
        let keys: Vec<Uuid> = keys.keys().map(|key| key.0).collect();
        let rows = self.shared.asked(KEYS, vec![Box::new(keys)]).await?;
        let keys = rows.iter().map(|row| KeyId(row.get(0))).collect();
        Ok(Forgotten { bodies, keys })
    }
}
