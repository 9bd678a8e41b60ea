//! How many pushes of one account are asked about at the same moment, and whether Duo answers it.
//!
//! Each account has a share of its own: one with many pushes, or one that Duo does not answer, must
//! not keep those of another waiting.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::{Account, Error};

/// How many polls in a row have to fail before that is called an outage: one that fails by itself
/// is tried again, and nobody has to know.
const OUTAGE: u32 = 2;

/// The desks of all accounts.
#[derive(Debug)]
pub(super) struct Desks {
    at_once: usize,
    all: Mutex<HashMap<(String, String), Arc<Desk>>>,
}

/// The desk of one account.
#[derive(Debug)]
pub(super) struct Desk {
    host: String,
    turns: Semaphore,
    /// How many polls failed in a row.
    failed: AtomicU32,
}

impl Desks {
    /// Desks at which so many are served at once.
    pub(super) fn new(at_once: usize) -> Self {
        Self {
            at_once,
            all: Mutex::default(),
        }
    }

    /// The desk of an account.
    pub(super) fn of(&self, account: &Account) -> Arc<Desk> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        // One at which nobody is any more is made anew, unless somebody has yet to read that an
        // outage is over.
        all.retain(|_, desk| Arc::strong_count(desk) > 1 || desk.is_out());
        let name = (account.host.clone(), account.key.clone());
        let desk = all.entry(name).or_insert_with(|| {
            Arc::new(Desk {
                host: account.host.clone(),
                turns: Semaphore::new(self.at_once),
                failed: AtomicU32::new(0),
            })
        });
        Arc::clone(desk)
    }
}

impl Desk {
    /// Waits for a turn.
    pub(super) async fn turn(&self) -> Result<SemaphorePermit<'_>, Error> {
        let closed = |_| Error::Unreachable("the server stops");
        self.turns.acquire().await.map_err(closed)
    }

    /// Duo has answered, whatever it says.
    pub(super) fn has_answered(&self) {
        if self.failed.swap(0, Ordering::Relaxed) >= OUTAGE {
            let host = &self.host;
            tracing::info!(host, "Duo answers again when it is asked about pushes");
        }
    }

    /// It has not. Whoever is on call reads of it once, however many pushes wait.
    pub(super) fn has_failed(&self, error: &Error) {
        tracing::debug!(%error, "asking again what became of a push");
        let before = self.failed.fetch_add(1, Ordering::Relaxed);
        if before + 1 == OUTAGE {
            let host = &self.host;
            tracing::warn!(host, %error, "Duo cannot be asked about pushes; they wait, and it is asked on");
        }
    }

    fn is_out(&self) -> bool {
        self.failed.load(Ordering::Relaxed) >= OUTAGE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(key: &str) -> Account {
        Account {
            host: "api.example".to_owned(),
            key: key.to_owned(),
            secret: "the secret".into(),
        }
    }

    #[tokio::test]
    async fn an_account_that_keeps_all_its_turns_takes_none_of_another() {
        let desks = Desks::new(2);
        let busy = desks.of(&account("busy"));
        let _one = busy.turn().await.expect("a turn");
        let _other = busy.turn().await.expect("a turn");
        let again = desks.of(&account("busy"));
        assert!(again.turns.try_acquire().is_err(), "they share a desk");
        let other = desks.of(&account("other"));
        assert!(other.turns.try_acquire().is_ok());
    }

    #[test]
    fn a_desk_at_which_nobody_is_is_forgotten_unless_duo_is_out() {
        let desks = Desks::new(2);
        let count = || desks.all.lock().expect("a lock").len();
        drop(desks.of(&account("one")));
        let other = desks.of(&account("other"));
        assert_eq!(count(), 1);
        let error = Error::Unreachable("no connection");
        other.has_failed(&error);
        assert!(!other.is_out(), "one poll may fail");
        other.has_failed(&error);
        assert!(other.is_out());
        drop(other);
        let third = desks.of(&account("third"));
        assert_eq!(count(), 2);
        desks.of(&account("other")).has_answered();
        drop(third);
        drop(desks.of(&account("third")));
        assert_eq!(count(), 1);
    }
}
