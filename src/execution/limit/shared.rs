//! What nodes tell each other of the limits of addresses.
//!
//! A request never waits for it. Each node has buckets of its own, and whenever an address has taken a tenth
//! of one, adds that to what all nodes have taken and learns how much that is. So at one instant each node may let
//! through a burst of its own, as it knows nothing of the others yet; what was too much is a debt that all of them
//! wait for, and in the long run they let through together what one of them would. While the database
//! does not answer, each has its own buckets, and tells later.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::MissedTickBehavior;

use super::Limiter;
use crate::clock::Clock;
use crate::journal::{Journal, Key, Result, Spans};

/// How often it is told.
const TELL: Duration = Duration::from_millis(250);

/// Tells the other nodes of a journal what addresses have taken of these limits, each with its name, until the
/// task is ended. Returns at once where there can be no others.
pub async fn share(
    journal: Arc<dyn Journal>,
    limiters: Vec<(&'static str, Limiter)>,
    clock: Clock,
) {
    let Some(spans) = journal.spans() else {
        return;
    };
    for (_, limiter) in &limiters {
        limiter.0.tells();
    }
    let mut tick = tokio::time::interval(TELL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_lost = false;
    loop {
        tick.tick().await;
        let mut failed = None;
        for (name, limiter) in &limiters {
            let told = limiter.tell(name, spans, clock.monotonic()).await;
            failed = told.err().or(failed);
        }
        if let (Some(error), false) = (&failed, is_lost) {
            tracing::warn!(%error, "limits of addresses are this node's own for now");
        }
        is_lost = failed.is_some();
    }
}

impl Limiter {
    /// Tells what is worth telling, and learns what the others have told.
    ///
    /// # Errors
    /// When the spans cannot be asked; it is told the next time then.
    async fn tell(&self, name: &'static str, spans: &dyn Spans, now: Instant) -> Result<()> {
        let taken = self.0.untold();
        if taken.is_empty() {
            return Ok(());
        }
        let rate = self.0.rate;
        let span = |(address, count): &(IpAddr, f64)| {
            let by = Duration::from_secs_f64(count / rate);
            (Key::new(name, address.to_string()), by)
        };
        let told: Vec<(Key, Duration)> = taken.iter().map(span).collect();
        let left = spans.add(&told).await;
        let left = left.inspect_err(|_| self.0.not_told(&taken))?;
        for ((address, _), left) in taken.iter().zip(left) {
            self.0.learns(address, left.as_secs_f64() * rate, now);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
