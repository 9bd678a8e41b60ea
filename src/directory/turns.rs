//! Has those who change objects go one after the other. A commit notices when somebody else wrote the
//! same objects, but not when they removed what a new one refers to: both would succeed, and the one
//! would lead nowhere. Logins take no turn; what they write refers to nothing that they have not read.

use tokio::sync::{Mutex, MutexGuard};

/// How often a change is tried that others make at the same time.
const TRIES: usize = 16;

/// The turns of all who change objects on this server.
#[derive(Debug, Default)]
pub struct Turns(Mutex<()>);

impl Turns {
    /// Waits for a turn, which lasts as long as it is kept.
    pub async fn take(&self) -> MutexGuard<'_, ()> {
        self.0.lock().await
    }

    /// Tries something, one at a time with all others, until it succeeds. `None` when others, who
    /// wait for no turn, were faster each time.
    ///
    /// # Errors
    /// Those of the attempt, which is not tried again then.
    pub async fn until<T, E>(
        &self,
        attempt: impl AsyncFn() -> Result<Option<T>, E>,
    ) -> Result<Option<T>, E> {
        let _turn = self.take().await;
        for _ in 0..TRIES {
            if let Some(done) = attempt().await? {
                return Ok(Some(done));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[actix_web::test]
    async fn everybody_who_adds_to_a_number_at_the_same_time_gets_a_turn() {
        let (turns, number) = (Turns::default(), Cell::new(0));
        let add = async || {
            let seen = number.get();
            tokio::task::yield_now().await;
            if number.get() != seen {
                return Ok::<_, ()>(None);
            }
            number.set(seen + 1);
            Ok(Some(()))
        };
        let all = futures_util::future::join_all((0..30).map(|_| turns.until(add)));
        let done = all.await;
        assert!(done.iter().all(|it| *it == Ok(Some(()))));
        assert_eq!(number.get(), 30);
    }

    #[actix_web::test]
    async fn what_never_succeeds_is_given_up() {
        let tried = Cell::new(0);
        let fails = async || {
            tried.set(tried.get() + 1);
            Ok::<Option<()>, ()>(None)
        };
        assert_eq!(Turns::default().until(fails).await, Ok(None));
        assert_eq!(tried.get(), TRIES);
    }
}
