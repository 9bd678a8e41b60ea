//! How long something is tried again while the server cannot be reached.

use std::time::Duration;

use super::super::Result;
use super::connect::Failure;
use crate::clock::Clock;

/// So long a question is asked again.
const PATIENCE: Duration = Duration::from_secs(10);

/// The pause before it is asked again.
const PAUSE: Duration = Duration::from_millis(100);

/// Tries something until it is done, for a while.
///
/// # Errors
/// The failure, when another attempt would not help or there is no patience left.
pub(super) async fn patiently<T, F>(clock: &Clock, attempt: impl Fn() -> F) -> Result<T>
where
    F: Future<Output = std::result::Result<T, Failure>>,
{
    let deadline = clock.monotonic() + PATIENCE;
    loop {
        match attempt().await {
            Ok(done) => return Ok(done),
            Err(Failure::Passing(why)) if clock.monotonic() < deadline => {
                tracing::debug!(%why, "PostgreSQL could not be asked; trying again");
                tokio::time::sleep(PAUSE).await;
            }
            Err(failure) => return Err(failure.into_error()),
        }
    }
}
