//! What all processes of a journal remember together for a while, and is no part of its history: for
//! each key, how long something still lasts.
//!
//! How far a limit was used is such a span (it ends when all of it is free again), and that somebody was
//! seen somewhere is one as well. Nothing here is a record: it may be lost with the store's process, is
//! never replayed and never copied.

use std::time::Duration;

use async_trait::async_trait;

use super::{Key, Result};

/// The spans of a journal that several processes share. The store keeps only the HMACs of keys, and measures
/// time with one clock for all.
#[async_trait]
pub trait Spans: Send + Sync {
    /// How long each of these still lasts; zero for what is over or never was.
    ///
    /// # Errors
    /// When the store cannot be asked.
    async fn left(&self, keys: &[Key]) -> Result<Vec<Duration>>;

    /// Makes one longer by `by`, unless more than `most` would be left of it then. Of those who ask at
    /// the same instant no more get it than fit.
    ///
    /// # Errors
    /// When the store cannot be asked; it may have been made longer then. Otherwise the inner result says
    /// how long to wait until it would fit.
    async fn extend(
        &self,
        key: &Key,
        by: Duration,
        most: Duration,
    ) -> Result<std::result::Result<(), Duration>>;

    /// Makes each of these longer, whatever is left of it, and says how long each lasts then. No key may be
    /// named twice.
    ///
    /// # Errors
    /// When the store cannot be asked; they may have been made longer then.
    async fn add(&self, spans: &[(Key, Duration)]) -> Result<Vec<Duration>>;

    /// Lets one last for this long from now, unless it lasts longer already.
    ///
    /// # Errors
    /// When the store cannot be asked.
    async fn at_least(&self, key: &Key, lasts: Duration) -> Result<()>;

    /// Removes what is over, and says how many that were. It changes no answer.
    ///
    /// # Errors
    /// When the store cannot be asked.
    async fn sweep(&self) -> Result<u64>;
}
