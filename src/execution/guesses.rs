//! How many wrong passwords an account may get, wherever they come from.
//!
//! The count lives in memory, so that guessing costs no more than it did, and begins anew with
//! the server. Whoever has logged in from a network before is counted apart there: others cannot
//! lock them out by typing wrong passwords elsewhere.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::limit::Buckets;
use crate::flow::Execution;
use crate::flow::client::network;
use crate::flow::context::{Value, key};
use crate::flow::event::Event;

/// How many networks are remembered from which somebody has logged in.
const KNOWN: NonZeroUsize = NonZeroUsize::new(16 * 1024).expect("more than none");

const HOUR: f64 = 3600.0;

/// An account, or a name that nobody has: strangers are counted as everybody is, or the limit
/// would tell who exists. A name is kept as its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Account {
    User(Uuid),
    Stranger([u8; 32]),
}

impl Account {
    fn stranger(typed: &str) -> Self {
        let digest = Sha256::digest(typed.trim().to_lowercase().as_bytes());
        Self::Stranger(digest.into())
    }

    /// Whose password an execution asks for, as far as it knows.
    pub(super) fn pending(state: &Execution) -> Option<Self> {
        let running = state.latest()?;
        match running.context.get(key::PENDING_USER)? {
            Value::User(user) => Some(Self::User(*user)),
            Value::Stranger { identifier } => Some(Self::stranger(identifier)),
            _ => None,
        }
    }
}

/// A password that was tried for an account, and whether it was right.
pub(super) type Guess = (Account, bool);

/// Which passwords a command tried.
pub(super) fn tried(
    events: &[Event],
    state: &Execution,
    typed: Option<&serde_json::Value>,
) -> Vec<Guess> {
    let of = |event: &Event| match event {
        Event::PasswordVerified { user, .. } => Some((Account::User(*user), true)),
        Event::PasswordRejected {
            user: Some(user), ..
        } => Some((Account::User(*user), false)),
        Event::PasswordRejected { user: None, .. } => {
            let named = typed.and_then(|body| body["uid_field"].as_str());
            let account = named.map(Account::stranger).or(Account::pending(state))?;
            Some((account, false))
        }
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

/// Where guesses are counted: everywhere, or where the account's owner has been before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Place {
    Anywhere(Account),
    Known(Account, IpAddr),
}

/// The wrong passwords of all accounts.
#[derive(Debug)]
pub(super) struct Guesses {
    wrong: Buckets<Place>,
    known: Mutex<LruCache<(Account, IpAddr), ()>>,
}

impl Guesses {
    /// Allows so many an hour in the long run, and so many at once.
    pub(super) fn new(per_hour: u32, at_once: u32) -> Self {
        Self {
            wrong: Buckets::new(f64::from(per_hour.max(1)) / HOUR, at_once),
            known: Mutex::new(LruCache::new(KNOWN)),
        }
    }

    /// Whether a password may be tried at all.
    ///
    /// # Errors
    /// How long to wait otherwise.
    pub(super) fn look(
        &self,
        account: Account,
        address: IpAddr,
        now: Instant,
    ) -> Result<(), Duration> {
        self.wrong.look(&self.place(account, address), now)
    }

    /// Counts what was tried. An error means that there were too many before: nothing of it may
    /// count then, not even a right password.
    ///
    /// # Errors
    /// How long to wait.
    pub(super) fn count(
        &self,
        tried: &[Guess],
        address: IpAddr,
        now: Instant,
    ) -> Result<(), Duration> {
        for (account, is_right) in tried {
            let place = self.place(*account, address);
            if *is_right {
                self.wrong.look(&place, now)?;
                self.known().put((*account, network(address)), ());
            } else {
                self.wrong.take(place, now)?;
            }
        }
        Ok(())
    }

    fn place(&self, account: Account, address: IpAddr) -> Place {
        let address = network(address);
        if self.known().get(&(account, address)).is_some() {
            Place::Known(account, address)
        } else {
            Place::Anywhere(account)
        }
    }

    fn known(&self) -> MutexGuard<'_, LruCache<(Account, IpAddr), ()>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    const ANN: Account = Account::User(Uuid::from_u128(1));

    #[test]
    fn an_account_gets_so_many_wherever_they_come_from() {
        let guesses = Guesses::new(60, 3);
        let now = Clock::system().monotonic();
        for last in 1..=3 {
            assert_eq!(guesses.count(&[(ANN, false)], address(last), now), Ok(()));
        }
        let minute = Duration::from_mins(1);
        assert_eq!(guesses.look(ANN, address(9), now), Err(minute));
        assert_eq!(guesses.count(&[(ANN, true)], address(9), now), Err(minute));
        let other = Account::User(Uuid::from_u128(2));
        assert_eq!(guesses.look(other, address(9), now), Ok(()));
        assert_eq!(guesses.look(ANN, address(9), now + minute), Ok(()));
    }

    #[test]
    fn whoever_was_there_before_is_not_locked_out_by_others() {
        let guesses = Guesses::new(60, 2);
        let now = Clock::system().monotonic();
        assert_eq!(guesses.count(&[(ANN, true)], address(1), now), Ok(()));
        for _ in 0..2 {
            assert_eq!(guesses.count(&[(ANN, false)], address(7), now), Ok(()));
        }
        assert!(guesses.look(ANN, address(7), now).is_err());
        assert_eq!(guesses.look(ANN, address(1), now), Ok(()));
        // But they may not guess for ever there either.
        for _ in 0..2 {
            assert_eq!(guesses.count(&[(ANN, false)], address(1), now), Ok(()));
        }
        assert!(guesses.count(&[(ANN, false)], address(1), now).is_err());
    }

    #[test]
    fn a_name_that_nobody_has_is_counted_whatever_its_spelling() {
        assert_eq!(Account::stranger(" Ann "), Account::stranger("ann"));
        assert_ne!(Account::stranger("ann"), Account::stranger("bob"));
    }
}
