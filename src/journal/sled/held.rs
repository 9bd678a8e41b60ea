//! Signed checkpoints that a log has to agree with, compared as it is read.

use super::super::Hash;
use super::super::evidence::Checkpoint;

/// What was signed, and how much of it was found to be so.
pub(super) struct Held {
    /// Those still to come, the largest first.
    pending: Vec<Checkpoint>,
    /// How many the log agrees with.
    agreed: u64,
    /// How many records the last of those covers.
    covered: u64,
}

impl Held {
    /// Checkpoints whose signatures were looked at by whoever wanted that.
    pub(super) fn new(mut all: Vec<Checkpoint>) -> Self {
        // That there was nothing once, says nothing.
        all.retain(|checkpoint| checkpoint.size > 0);
        all.sort_unstable_by_key(|checkpoint| std::cmp::Reverse(checkpoint.size));
        Self {
            pending: all,
            agreed: 0,
            covered: 0,
        }
    }

    /// Compares those of this size; call it for each size, the smallest first.
    ///
    /// # Errors
    /// Says which one is not of this log.
    pub(super) fn compare(&mut self, size: u64, root: impl Fn() -> Hash) -> Result<(), String> {
        while let Some(next) = self.pending.pop_if(|next| next.size <= size) {
            if next.size != size || next.root != root() {
                return Err(format!(
                    "these are not the {} records that the checkpoint signed by {} covers: what \
                     was written before has been altered, or it is another journal's",
                    next.size, next.origin
                ));
            }
            self.agreed += 1;
            self.covered = size;
        }
        Ok(())
    }

    /// The largest one that the log does not reach.
    pub(super) fn beyond(&self) -> Option<&Checkpoint> {
        self.pending.first()
    }

    /// How many the log agrees with.
    pub(super) fn agreed(&self) -> u64 {
        self.agreed
    }

    /// How many of the first `records` records came after the last of those.
    pub(super) fn after(&self, records: u64) -> u64 {
        records - self.covered.min(records)
    }
}
