//! Signed checkpoints that a log has to agree with, compared as it is read. Whose log it is does not matter.

use super::super::Hash;
use super::Checkpoint;

/// What was signed, and how much of it was found to be so.
pub(in crate::journal) struct Held {
    /// Those still to come, the largest first.
    pending: Vec<Checkpoint>,
    /// How many the log agrees with.
    agreed: u64,
    /// How many records the last of those covers.
    covered: u64,
}

impl Held {
    /// Checkpoints whose signatures were looked at by whoever wanted that.
    pub(in crate::journal) fn new(mut all: Vec<Checkpoint>) -> Self {
        // That there was nothing once, says nothing.
        all.retain(|checkpoint| checkpoint.size > 0);
        all.sort_unstable_by(|one, other| {
            let sizes = other.size.cmp(&one.size);
            sizes.then_with(|| one.root.0.cmp(&other.root.0))
        });
        // Who keeps them elsewhere has the same ones.
        all.dedup();
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
    pub(in crate::journal) fn compare(
        &mut self,
        size: u64,
        root: impl Fn() -> Hash,
    ) -> Result<(), String> {
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
    pub(in crate::journal) fn beyond(&self) -> Option<&Checkpoint> {
        self.pending.first()
    }

    /// How many the log agrees with.
    pub(in crate::journal) fn agreed(&self) -> u64 {
        self.agreed
    }

    /// How many of the first `records` records came after the last of those: all, where it agrees with none.
    pub(in crate::journal) fn after(&self, records: u64) -> u64 {
        records - self.covered.min(records)
    }
}

/// What to say when a signed checkpoint covers more than there is.
pub(in crate::journal) fn missing(size: u64, beyond: &Checkpoint) -> String {
    format!(
        "it ends with record {size}, but a checkpoint signed by {} covers {}: the end is missing",
        beyond.origin, beyond.size
    )
}
