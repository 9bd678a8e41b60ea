//! How long something that was read is known to be as it is.

use std::time::{Duration, Instant};

use crate::journal::{Journal, Position};

/// How long what was read from a journal that others write to as well is taken to be so.
const SHARED: Duration = Duration::from_secs(1);

/// A moment at which something was read.
#[derive(Clone, Copy, Debug)]
pub struct Fresh {
    /// How much had been written then; `None` where others write as well.
    position: Option<Position>,
    at: Instant,
}

impl Fresh {
    /// Now; to be asked before anything is read. `now` is monotonic.
    #[must_use]
    pub fn now(journal: &dyn Journal, now: Instant) -> Self {
        Self {
            position: (!journal.is_shared()).then(|| journal.last()),
            at: now,
        }
    }

    /// Whether nothing can have changed since, or, where others write as well, whether that was a
    /// moment ago.
    #[must_use]
    pub fn is_still(&self, journal: &dyn Journal, now: Instant) -> bool {
        match self.position {
            Some(position) => journal.last() == position,
            None => now.saturating_duration_since(self.at) < SHARED,
        }
    }
}
