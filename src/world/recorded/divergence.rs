//! Where a replay parts from what was.

use std::fmt;

use crate::world::Observation;

/// The first point at which the code asks something else than it did then.
#[derive(Clone, Debug, PartialEq)]
pub struct Divergence {
    /// What the code asks now.
    pub asked: String,
    /// What was noted at this point; `None` when nothing more was.
    pub noted: Option<Observation>,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.noted {
            Some(noted) => write!(f, "the code asks {}, but then it saw {noted}", self.asked),
            None => write!(
                f,
                "the code asks {}, but then it asked nothing more",
                self.asked
            ),
        }
    }
}
