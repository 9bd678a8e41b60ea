//! How long something is tried again while the server cannot be reached.

use std::time::{Duration, Instant};

use super::super::Result;
use super::connect::Failure;
use crate::clock::Clock;

/// So long a question is asked again.
const PATIENCE: Duration = Duration::from_secs(10);

/// The pause before it is asked again.
const PAUSE: Duration = Duration::from_millis(100);

/// How long something is tried again while what keeps it from being done passes.
pub(super) struct Patience {
    clock: Clock,
    deadline: Instant,
}

impl Patience {
    /// Begins now.
    pub(super) fn of(clock: &Clock) -> Self {
        Self {
            deadline: clock.monotonic() + PATIENCE,
            clock: clock.clone(),
        }
    }

    /// Waits a little after a failure.
    ///
    /// # Errors
    /// The failure, when another attempt would not help or there is no patience left.
    pub(super) async fn after(&self, failure: Failure) -> Result<()> {
        match failure {
            Failure::Passing(why) if self.clock.monotonic() < self.deadline => {
                tracing::debug!(%why, "PostgreSQL could not be asked; trying again");
                tokio::time::sleep(PAUSE).await;
                Ok(())
            }
            failure => Err(failure.into_error()),
        }
    }
}
