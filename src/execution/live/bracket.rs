//! The notes around an evaluation of an expression.

use std::time::{Duration, Instant};

use uuid::Uuid;

use super::Live;
use crate::world::{Evaluated, Interrupted, Observation};

/// The notes around an evaluation. One that is given up, as the evaluation that asked for it is
/// over, ends all the same, or a replay would look for its end in vain.
pub(super) struct Bracket<'a> {
    live: &'a Live,
    began: Instant,
    deadline: Duration,
    open: bool,
}

impl<'a> Bracket<'a> {
    pub(super) fn begin(live: &'a Live, policy: Uuid, deadline: Duration) -> Self {
        live.observed.note(Observation::EvaluationBegan { policy });
        Self {
            began: live.shared.clock.monotonic(),
            live,
            deadline,
            open: true,
        }
    }

    pub(super) fn over(&self) -> Interrupted {
        Interrupted::Deadline {
            millis: u64::try_from(self.deadline.as_millis()).unwrap_or(u64::MAX),
            log: Vec::new(),
        }
    }

    pub(super) fn end(mut self, interrupted: Option<Interrupted>) -> Evaluated {
        self.note(interrupted)
    }

    fn note(&mut self, interrupted: Option<Interrupted>) -> Evaluated {
        self.open = false;
        let now = self.live.shared.clock.monotonic();
        let took = now.duration_since(self.began).as_micros();
        let evaluated = Evaluated {
            micros: u64::try_from(took).unwrap_or(u64::MAX),
            interrupted,
        };
        // One that was interrupted is not run again at all.
        let told = self.live.take_told();
        let told = told.filter(|_| evaluated.interrupted.is_none());
        self.live.observed.note(Observation::EvaluationEnded {
            micros: evaluated.micros,
            interrupted: evaluated.interrupted.clone(),
            told: told.map(Box::new),
        });
        evaluated
    }
}

impl Drop for Bracket<'_> {
    fn drop(&mut self) {
        if self.open {
            self.note(Some(self.over()));
        }
    }
}
