//! Removing bodies: their records stay, without what they held.
//!
//! PostgreSQL keeps the old rows until they are vacuumed, and its write-ahead log and backups for
//! longer: only the destruction of a key makes a body unreadable wherever it lies, and a key that
//! lies in the same backup is not destroyed there (decision 0046).

use std::collections::HashSet;

use deadpool_postgres::Pool;

use super::super::frame::{Operation, Record};
use super::super::{Result, StreamId, Version};
use super::Patience;
use super::connect::Failure;
use super::save::number;
use super::wanted::{position, unreadable};
use crate::clock::Clock;

/// So many are removed in one transaction.
const PORTION: usize = 500;

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

/// Takes the bodies of these records out of the log; returns how many went.
pub(super) async fn remove(
    pool: &Pool,
    clock: &Clock,
    records: &HashSet<(StreamId, Version)>,
) -> Result<u64> {
    let all: Vec<&(StreamId, Version)> = records.iter().collect();
    let mut removed = 0;
    for portion in all.chunks(PORTION) {
        let patience = Patience::of(clock);
        removed += loop {
            match once(pool, portion).await {
                Ok(removed) => break removed,
                Err(failure) => patience.after(failure).await?,
            }
        };
    }
    Ok(removed)
}

async fn once(pool: &Pool, portion: &[&(StreamId, Version)]) -> std::result::Result<u64, Failure> {
    let kinds: Vec<&str> = portion.iter().map(|(it, _)| it.kind.as_str()).collect();
    let ids: Vec<uuid::Uuid> = portion.iter().map(|(it, _)| it.id).collect();
    let versions: Vec<i64> = portion.iter().map(|(_, it)| number(it.0)).collect();
    let mut client = pool.get().await?;
    // Dropped before its end, the transaction is rolled back.
    let transaction = client.transaction().await?;
    transaction.batch_execute(LOCK).await?;
    let found = transaction.query(FOUND, &[&kinds, &ids, &versions]).await?;
    let (mut positions, mut emptied) = (Vec::new(), Vec::new());
    for row in &found {
        let place: i64 = row.get(0);
        let record = Record::decode(row.get(1));
        let record = record.map_err(|problem| {
            unreadable(&format!("the record at {}: {problem}", position(place)))
        })?;
        let has_body = matches!(record.frame.operation, Operation::Append | Operation::Put);
        if has_body && record.payload.is_some() {
            positions.push(place);
            emptied.push(record.without_body().encode());
        }
    }
    transaction
        .execute(EMPTIED, &[&positions, &emptied])
        .await?;
    transaction.commit().await?;
    Ok(positions.len() as u64)
}
