//! Answers for which much of the journal is read: one at a time, with rests, for as long as somebody
//! waits for them. Whoever logs in must not notice that somebody searches.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::HttpRequest;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use super::line::presence;
use super::streams::{Place, Streams};
use super::{Error, State};
use crate::erasure::Pace;
use crate::execution::Presence;

/// How many at once.
const AT_ONCE: usize = 1;

/// How many may stand in line, and how many of one user.
const IN_LINE: usize = 16;
const PER_USER: usize = 4;

/// How long one of them may take, rests included.
const BUDGET: Duration = Duration::from_secs(1);

/// How long one works before it rests. A thread serves many, and none of them gets a turn meanwhile.
const WORK: Duration = Duration::from_millis(4);

/// Who reads, and who waits to.
pub struct Scans {
    line: Arc<Streams<Uuid>>,
    turns: Arc<Semaphore>,
}

impl Default for Scans {
    fn default() -> Self {
        Self {
            line: Arc::new(Streams::limited(PER_USER, IN_LINE)),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

/// Somebody's turn to read.
pub(super) struct Scan<'a> {
    state: &'a State,
    presence: Presence,
    until: Instant,
    working_since: Instant,
    _turn: OwnedSemaphorePermit,
    _place: Place<Uuid>,
}

impl<'a> Scan<'a> {
    /// Waits until it is this user's turn.
    ///
    /// # Errors
    /// When too many wait already.
    pub(super) async fn begin(
        state: &'a State,
        request: &HttpRequest,
        user: Uuid,
    ) -> Result<Self, Error> {
        let place = state.scans.line.open(user)?;
        let turn = Arc::clone(&state.scans.turns).acquire_owned().await;
        let turn = turn.map_err(|error| Error::Internal {
            cause: format!("nobody gets a turn to read: {error}"),
        })?;
        let now = state.clock.monotonic();
        Ok(Self {
            state,
            presence: presence(request),
            until: now + BUDGET,
            working_since: now,
            _turn: turn,
            _place: place,
        })
    }

    /// Lets others work when it has worked for a while, as long as it did itself. False when it
    /// has to stop: its time is over, or nobody is there any more to get what it finds.
    pub(super) async fn goes_on(&mut self) -> bool {
        let now = self.state.clock.monotonic();
        let is_over = now >= self.until && now.duration_since(self.working_since) >= WORK;
        !is_over && self.rest().await
    }
}

impl Pace for Scan<'_> {
    /// The same for what is worth nothing unless it is read to its end: only whoever waits can end it.
    async fn rest(&mut self) -> bool {
        let now = self.state.clock.monotonic();
        let worked = now.duration_since(self.working_since);
        if worked < WORK {
            return true;
        }
        if !self.presence.is_there() {
            return false;
        }
        tokio::time::sleep(worked).await;
        self.working_since = self.state.clock.monotonic();
        true
    }
}
