//! Spans that all nodes share: one row each, one statement for each question.
//!
//! The server's clock measures them, so it does not matter what the nodes' clocks say. Rows are no part of
//! the history, and their table is not in the write-ahead log: nobody waits for a disk or a standby. Nothing
//! here knows what a span is for.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use tokio_postgres::Row;

use super::super::{Key, Kind, Result, Spans};
use super::Shared;
use super::read::Values;

/// What the keys of spans are hashed under.
const KIND: Kind = Kind::new("span");

/// What is waited at least where there is no room: the server may have made room since it looked.
const LEAST: Duration = Duration::from_millis(10);

const LEFT: &str = "
SELECT lookup, extract(epoch FROM ends - now())::float8 FROM span WHERE lookup = ANY($1)";

/// The row is locked before it is looked at, and nobody answers without having written: of many at once,
/// as many get it as fit.
const EXTEND: &str = "
INSERT INTO span AS s (lookup, ends) VALUES ($1, now() + make_interval(secs => $2))
ON CONFLICT (lookup) DO UPDATE
SET ends = greatest(s.ends, now()) + make_interval(secs => $2)
WHERE s.ends <= now() + make_interval(secs => $3)
RETURNING true";

/// They are locked in the order of their keys, so that two nodes never wait for each other.
const ADD: &str = "
INSERT INTO span AS s (lookup, ends)
SELECT lookup, now() + make_interval(secs => secs)
FROM unnest($1::bytea[], $2::float8[]) AS w(lookup, secs) ORDER BY lookup
ON CONFLICT (lookup) DO UPDATE
SET ends = greatest(s.ends, now()) + (excluded.ends - now())
RETURNING lookup, extract(epoch FROM ends - now())::float8";

const AT_LEAST: &str = "
INSERT INTO span AS s (lookup, ends) VALUES ($1, now() + make_interval(secs => $2))
ON CONFLICT (lookup) DO UPDATE SET ends = greatest(s.ends, excluded.ends)";

const SWEEP: &str = "DELETE FROM span WHERE ends <= now() RETURNING true";

impl Shared {
    fn lookup(&self, key: &Key) -> Vec<u8> {
        self.ring.lookup(KIND, key).0.to_vec()
    }
}

#[async_trait]
impl Spans for Shared {
    async fn left(&self, keys: &[Key]) -> Result<Vec<Duration>> {
        let lookups: Vec<Vec<u8>> = keys.iter().map(|key| self.lookup(key)).collect();
        let rows = self.asked(LEFT, vec![Box::new(lookups.clone())]).await?;
        Ok(in_order(&lookups, &rows))
    }

    async fn extend(
        &self,
        key: &Key,
        by: Duration,
        most: Duration,
    ) -> Result<std::result::Result<(), Duration>> {
        let room = most.saturating_sub(by);
        let values: Values = vec![
            Box::new(self.lookup(key)),
            Box::new(by.as_secs_f64()),
            Box::new(room.as_secs_f64()),
        ];
        if !self.asked(EXTEND, values).await?.is_empty() {
            return Ok(Ok(()));
        }
        let left = self.left(std::slice::from_ref(key)).await?;
        let left = left.first().copied().unwrap_or_default();
        Ok(Err(left.saturating_sub(room).max(LEAST)))
    }

    async fn add(&self, spans: &[(Key, Duration)]) -> Result<Vec<Duration>> {
        if spans.is_empty() {
            return Ok(Vec::new());
        }
        let lookups: Vec<Vec<u8>> = spans.iter().map(|(key, _)| self.lookup(key)).collect();
        let seconds: Vec<f64> = spans.iter().map(|(_, by)| by.as_secs_f64()).collect();
        let values: Values = vec![Box::new(lookups.clone()), Box::new(seconds)];
        let rows = self.asked(ADD, values).await?;
        Ok(in_order(&lookups, &rows))
    }

    async fn at_least(&self, key: &Key, lasts: Duration) -> Result<()> {
        let values: Values = vec![Box::new(self.lookup(key)), Box::new(lasts.as_secs_f64())];
        self.asked(AT_LEAST, values).await?;
        Ok(())
    }

    async fn sweep(&self) -> Result<u64> {
        let gone = self.asked(SWEEP, Values::new()).await?;
        Ok(gone.len() as u64)
    }
}

/// What is left of each, in the order of the question. What has no row is over.
fn in_order(lookups: &[Vec<u8>], rows: &[Row]) -> Vec<Duration> {
    let found: HashMap<&[u8], f64> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let left = |lookup: &Vec<u8>| found.get(lookup.as_slice()).copied().unwrap_or(0.0);
    lookups
        .iter()
        .map(|lookup| Duration::try_from_secs_f64(left(lookup)).unwrap_or_default())
        .collect()
}
