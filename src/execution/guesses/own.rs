//! The count of a single server: in memory, so that guessing costs no more than it did. It begins anew with
//! the server, which is not the attacker's to cause.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;
use uuid::Uuid;

use super::super::limit::Buckets;
use super::{Account, Guess, HOUR, Named};
use crate::flow::client::network;

/// How many accounts are remembered: so many that whoever types other names until one is forgotten has
/// tried more passwords than it would have got.
const ACCOUNTS: NonZeroUsize = NonZeroUsize::new(128 * 1024).expect("more than none");

/// How many networks are remembered from which somebody has logged in.
const KNOWN: NonZeroUsize = NonZeroUsize::new(16 * 1024).expect("more than none");

/// Where guesses are counted: everywhere, or where the account's owner has been before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Place {
    Anywhere(Account),
    Known(Account, IpAddr),
}

/// The wrong passwords of all accounts.
#[derive(Debug)]
pub(in crate::execution) struct Own {
    wrong: Buckets<Place>,
    known: Mutex<LruCache<(Uuid, IpAddr), ()>>,
}

impl Own {
    /// Allows so many an hour in the long run, and so many at once.
    pub(super) fn new(per_hour: u32, at_once: u32) -> Self {
        let rate = f64::from(per_hour.max(1)) / HOUR.as_secs_f64();
        Self {
            wrong: Buckets::new(rate, at_once, ACCOUNTS),
            known: Mutex::new(LruCache::new(KNOWN)),
        }
    }

    /// Whether a password may be tried at all.
    pub(super) fn look(
        &self,
        (account, user): Named,
        address: IpAddr,
        now: Instant,
    ) -> Result<(), Duration> {
        self.wrong.look(&self.place(account, user, address), now)
    }

    /// Counts what was tried.
    pub(super) fn count(
        &self,
        tried: &[Guess],
        address: IpAddr,
        now: Instant,
    ) -> Result<(), Duration> {
        for guess in tried {
            let place = self.place(guess.account, guess.user, address);
            if guess.is_right {
                self.wrong.look(&place, now)?;
                if let Some(user) = guess.user {
                    self.knows(user, address);
                }
            } else {
                self.wrong.take(place, now)?;
            }
        }
        Ok(())
    }

    /// Notes that a user has been in this network.
    pub(super) fn knows(&self, user: Uuid, address: IpAddr) {
        self.known().put((user, network(address)), ());
    }

    fn place(&self, account: Account, user: Option<Uuid>, address: IpAddr) -> Place {
        let address = network(address);
        match user {
            Some(user) if self.known().get(&(user, address)).is_some() => {
                Place::Known(account, address)
            }
            _ => Place::Anywhere(account),
        }
    }

    fn known(&self) -> MutexGuard<'_, LruCache<(Uuid, IpAddr), ()>> {
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

    const ANN: Uuid = Uuid::from_u128(1);

    fn guess(name: &str, user: Option<Uuid>, is_right: bool) -> [Guess; 1] {
        let account = Account::named(name);
        [Guess {
            account,
            user,
            is_right,
        }]
    }

    fn ann(is_right: bool) -> [Guess; 1] {
        guess("ann", Some(ANN), is_right)
    }

    fn name(name: &str, user: Option<Uuid>) -> (Account, Option<Uuid>) {
        (Account::named(name), user)
    }

    #[test]
    fn a_name_gets_so_many_wherever_they_come_from() {
        let guesses = Own::new(60, 3);
        let now = Clock::system().monotonic();
        for last in 1..=3 {
            assert_eq!(guesses.count(&ann(false), address(last), now), Ok(()));
        }
        let minute = Duration::from_mins(1);
        let named = name("ann", Some(ANN));
        assert_eq!(guesses.look(named, address(9), now), Err(minute));
        assert_eq!(guesses.count(&ann(true), address(9), now), Err(minute));
        let other = name("bob", Some(Uuid::from_u128(2)));
        assert_eq!(guesses.look(other, address(9), now), Ok(()));
        assert_eq!(guesses.look(named, address(9), now + minute), Ok(()));
    }

    #[test]
    fn another_name_of_an_account_is_refused_no_sooner_than_one_that_nobody_has() {
        let guesses = Own::new(60, 1);
        let now = Clock::system().monotonic();
        assert_eq!(guesses.count(&ann(false), address(1), now), Ok(()));
        for (named, user) in [("ann@example.org", Some(ANN)), ("nobody", None)] {
            assert_eq!(guesses.look(name(named, user), address(1), now), Ok(()));
        }
    }

    #[test]
    fn whoever_was_there_before_is_not_locked_out_by_others() {
        let guesses = Own::new(60, 2);
        let now = Clock::system().monotonic();
        let named = name("ann", Some(ANN));
        assert_eq!(guesses.count(&ann(true), address(1), now), Ok(()));
        for _ in 0..2 {
            assert_eq!(guesses.count(&ann(false), address(7), now), Ok(()));
        }
        assert!(guesses.look(named, address(7), now).is_err());
        assert_eq!(guesses.look(named, address(1), now), Ok(()));
        // By whichever name they logged in.
        let mail = guess("ann@example.org", Some(ANN), false);
        for _ in 0..2 {
            assert_eq!(guesses.count(&mail, address(7), now), Ok(()));
        }
        assert_eq!(guesses.count(&mail, address(1), now), Ok(()));
        // But they may not guess for ever there either.
        for _ in 0..2 {
            assert_eq!(guesses.count(&ann(false), address(1), now), Ok(()));
        }
        assert!(guesses.count(&ann(false), address(1), now).is_err());
    }
}
