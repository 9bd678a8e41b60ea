//! How fast the journal is read.

use std::future::Future;

/// After so many records without a break, whoever is served comes first for a moment.
const BREATH: u64 = 64;

/// Who reads, and rests now and then.
pub trait Pace {
    /// Called after each record. False when nobody waits for what is read any more.
    fn rest(&mut self) -> impl Future<Output = bool>;
}

/// Reads to the end, and lets others go first now and then.
#[derive(Debug, Default)]
pub struct Freely {
    records: u64,
}

impl Pace for Freely {
    async fn rest(&mut self) -> bool {
        self.records += 1;
        if self.records.is_multiple_of(BREATH) {
            tokio::task::yield_now().await;
        }
        true
    }
}
