//! Counts attempts for and against names and addresses, and says what the counts come to.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Shared;
use crate::directory::reputation::{self, Place, Reputation, Wanted};
use crate::journal::object::{self, Versioned};
use crate::journal::{Result, Version, Write};
use crate::world::Attempt;

/// The writes that count these attempts. A row is written only where there is none that still
/// counts; whoever is first to do so makes the others judge again.
pub(super) async fn writes(
    shared: &Shared,
    attempts: &[Attempt],
    now: Timestamp,
) -> Result<Vec<Write>> {
    let rules = shared.limits.reputation;
    let mut rows: BTreeMap<Place, Reputation> = BTreeMap::new();
    let mut writes = Vec::new();
    for attempt in attempts {
        let place = attempt.place();
        let row = if let Some(row) = rows.get(&place) {
            row
        } else {
            let (row, write) = row(shared, attempt, &place, now).await?;
            writes.extend(write);
            rows.entry(place).or_insert(row)
        };
        writes.push(Write::Add {
            counter: row.counter(),
            delta: attempt.amount,
            min: rules.lower,
            max: rules.upper,
            expires: Some(row.expires),
        });
    }
    Ok(writes)
}

/// The row of a place and, unless it is there, the write that makes it.
async fn row(
    shared: &Shared,
    attempt: &Attempt,
    place: &Place,
    now: Timestamp,
) -> Result<(Reputation, Option<Write>)> {
    let rules = shared.limits.reputation;
    let found = reputation::row(shared.journal.as_ref(), place).await?;
    let Attempt {
        identifier,
        address,
        ..
    } = attempt;
    let (mut row, version) = match found {
        Some(Versioned { value, .. }) if !value.is_expired(now) => return Ok((value, None)),
        Some(Versioned { version, mut value }) => {
            value.renew(now, rules);
            (value, version)
        }
        None => (
            Reputation::new(&shared.clock, identifier, *address, now, rules),
            Version::NONE,
        ),
    };
    let at = shared.outside.geoip.place(*address);
    row.geo = at.city.and_then(|city| serde_json::to_value(city).ok());
    row.asn = at.asn.and_then(|asn| serde_json::to_value(asn).ok());
    let write = object::put(&row, version);
    Ok((row, Some(write)))
}

/// The sum of the scores that are wanted, with the attempts that are not written yet.
pub(super) async fn score(
    shared: &Shared,
    wanted: &Wanted,
    unwritten: &[Attempt],
    now: Timestamp,
) -> Result<i64> {
    let journal = shared.journal.as_ref();
    let mut scores: BTreeMap<Place, i64> = BTreeMap::new();
    for row in reputation::rows(journal, wanted, now).await? {
        let score = journal.counter(&row.counter(), now).await?;
        scores.insert(row.place(), score);
    }
    for attempt in unwritten {
        let place = attempt.place();
        if wanted.includes(&place) {
            let score = scores.entry(place).or_default();
            *score = shared.limits.reputation.after(*score, attempt.amount);
        }
    }
    let total = |sum: i64, score: &i64| sum.saturating_add(*score);
    Ok(scores.values().fold(0, total))
}
