//! A change that somebody asked for: where it is written, and who is noted to have asked.

use uuid::Uuid;

use super::change::Author;
use super::command::commit_noted;
use crate::clock::Clock;
use crate::journal::{self, Journal, Write};

/// Somebody who changes something.
#[derive(Clone, Copy)]
pub struct Act<'a> {
    /// Where it is written.
    pub journal: &'a dyn Journal,
    /// The time and randomness.
    pub clock: &'a Clock,
    /// Who is noted to have done it, and by what means.
    pub author: &'a Author,
    /// The id of the commit: that of the request for its first one, and another one for each
    /// further commit.
    pub correlation: Uuid,
}

impl Act<'_> {
    /// Commits writes with the note; false when somebody else was faster.
    ///
    /// # Errors
    /// What the journal says.
    pub async fn commit(&self, writes: Vec<Write>) -> journal::Result<bool> {
        commit_noted(
            self.journal,
            self.clock,
            writes,
            self.author,
            self.correlation,
        )
        .await
    }
}
