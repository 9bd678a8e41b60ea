//! How much memory commits may take while they wait for the one who writes.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Commit, Write};

/// All of it, in KiB.
const MOST: u32 = 64 << 10;

/// The places, of a KiB each.
pub(super) struct Queue(Arc<Semaphore>);

impl Queue {
    /// One in which nobody waits.
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(MOST as usize)))
    }

    /// Waits until there is room for a commit.
    pub(super) async fn place_for(&self, commit: &Commit) -> OwnedSemaphorePermit {
        self.places(weight(commit)).await
    }

    /// Waits until there is room for something small.
    pub(super) async fn place(&self) -> OwnedSemaphorePermit {
        self.places(1).await
    }

    async fn places(&self, weight: u32) -> OwnedSemaphorePermit {
        let places = weight.clamp(1, MOST);
        let taken = Arc::clone(&self.0).acquire_many_owned(places).await;
        taken.expect("nobody closes the semaphore")
    }
}

/// How much memory a commit takes, in KiB.
fn weight(commit: &Commit) -> u32 {
    let bytes: usize = commit
        .writes
        .iter()
        .map(|write| match write {
            Write::Append { body, .. } | Write::Put { body, .. } => 512 + body.len(),
            _ => 512,
        })
        .sum();
    u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX)
}
