//! Answers for which much of the journal is read, or executions are run again: one at a time, for as
//! long as somebody waits for them. Whoever logs in must not notice that somebody searches.

use std::time::{Duration, Instant};

use actix_web::HttpRequest;
use uuid::Uuid;

use super::line::presence;
use super::{Error, State};
use crate::erasure::Pace;
use crate::execution::Presence;

mod turns;

use turns::Turn;
pub(super) use turns::Turns;

/// How many may stand in line, and how many of one user.
const IN_LINE: usize = 16;
const PER_USER: usize = 4;

/// How long one of them may take, rests included.
const BUDGET: Duration = Duration::from_secs(1);

/// How long one works before it rests. A thread serves many, and none of them gets a turn meanwhile.
const WORK: Duration = Duration::from_millis(4);

/// How many suppositions of one user may be in work or in line: each runs thousands of executions.
const SUPPOSITIONS: usize = 2;

/// Who reads, who runs executions again, and who waits to. All that share it take turns.
#[derive(Clone)]
pub struct Scans {
    reads: Turns,
    /// Executions that are run again as they were.
    pub(super) runs: Turns,
    /// Executions that are run again as they would go.
    pub(super) suppositions: Turns,
}

impl Default for Scans {
    fn default() -> Self {
        Self {
            reads: Turns::limited(PER_USER, IN_LINE),
            runs: Turns::limited(PER_USER, IN_LINE),
            suppositions: Turns::limited(SUPPOSITIONS, IN_LINE),
        }
    }
}

/// Somebody's turn to read.
pub(super) struct Scan<'a> {
    state: &'a State,
    presence: Presence,
    until: Instant,
    working_since: Instant,
    _turn: Turn,
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
        let turn = state.scans.reads.of(user).await?;
        let now = state.clock.monotonic();
        Ok(Self {
            state,
            presence: presence(request),
            until: now + BUDGET,
            working_since: now,
            _turn: turn,
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
