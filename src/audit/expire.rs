//! Removes events whose time is over.

use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;
use crate::directory::AuditEvent;
use crate::journal::object::{self, Stored, Versioned, delete};
use crate::journal::{Commit, Durability, Error, Journal, Lease, Result, Write};

/// How many days are looked back for events that nobody has removed, since a server may have been
/// off for long; to look for a day without any costs microseconds.
const DAYS: i64 = 20 * 366;

/// How many go in one commit.
const BATCH: usize = 500;

/// Removes what has expired, under a lease where there is one, and returns how many events that were.
pub(super) async fn remove(
    journal: &dyn Journal,
    clock: &Clock,
    fence: Option<&Lease>,
) -> Result<usize> {
    let now = clock.now();
    let mut removed = 0;
    for back in (0..=DAYS).rev() {
        let Ok(day) = now.checked_sub(SignedDuration::from_hours(24 * back)) else {
            continue;
        };
        removed += remove_of(journal, clock, fence, day, now).await?;
    }
    Ok(removed)
}

async fn remove_of(
    journal: &dyn Journal,
    clock: &Clock,
    fence: Option<&Lease>,
    day: Timestamp,
    now: Timestamp,
) -> Result<usize> {
    let (mut removed, mut after) = (0, None);
    loop {
        let key = AuditEvent::expiring(day);
        let found = journal.scan(AuditEvent::KIND, key, after, BATCH).await?;
        let Some(last) = found.last() else {
            return Ok(removed);
        };
        after = Some(last.stream.id);
        let mut writes: Vec<Write> = Vec::new();
        for found in &found {
            let event: Versioned<AuditEvent> = object::open(found)?;
            if event.value.expires.is_some_and(|expires| expires <= now) {
                writes.push(delete::<AuditEvent>(event.value.pk, event.version));
            }
        }
        if writes.is_empty() {
            continue;
        }
        let count = writes.len();
        let commit = Commit {
            writes,
            durability: Durability::Relaxed,
            fence: fence.cloned(),
            at: now,
            correlation: clock.ordered_id(),
        };
        match journal.commit(commit).await {
            Ok(_) => removed += count,
            // Somebody changed or removed one of them meanwhile; the next pass takes the others.
            Err(Error::Conflict { .. }) => {}
            Err(error) => return Err(error),
        }
    }
}
