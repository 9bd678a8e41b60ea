//! How many wrong passwords an account may get, wherever they come from.
//!
//! They are counted by the name that was typed, whoever has it or nobody: counted by account, the refusal
//! would tell that two names are one account's, and so that there is one. The count lives in memory, so that
//! guessing costs no more than it did, and begins anew with the server. Whoever has logged in from a
//! network before is counted apart there: others cannot lock them out by typing wrong passwords elsewhere.

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

/// How many accounts are remembered: so many that whoever types other names until one is forgotten has
/// tried more passwords than it would have got.
const ACCOUNTS: NonZeroUsize = NonZeroUsize::new(128 * 1024).expect("more than none");

/// How many networks are remembered from which somebody has logged in.
const KNOWN: NonZeroUsize = NonZeroUsize::new(16 * 1024).expect("more than none");

const HOUR: f64 = 3600.0;

/// What a password is typed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Account {
    /// A name that was typed, as its digest.
    Named([u8; 32]),
    /// A user whom nobody had to name.
    User(Uuid),
}

impl Account {
    fn named(typed: &str) -> Self {
        let digest = Sha256::digest(typed.trim().to_lowercase().as_bytes());
        Self::Named(digest.into())
    }
}

/// Whose password an execution asks for, as far as it knows.
pub(super) fn pending(state: &Execution) -> Option<(Account, Option<Uuid>)> {
    let context = &state.latest()?.context;
    let typed = context
        .text(key::PENDING_USER_IDENTIFIER)
        .map(Account::named);
    match context.get(key::PENDING_USER)? {
        Value::User(user) => Some((typed.unwrap_or(Account::User(*user)), Some(*user))),
        Value::Stranger { identifier } => Some((Account::named(identifier), None)),
        _ => None,
    }
}

/// A password that was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Guess {
    account: Account,
    /// Whose it is, where it is somebody's.
    user: Option<Uuid>,
    is_right: bool,
}

/// Which passwords a command tried.
pub(super) fn tried(
    events: &[Event],
    state: &Execution,
    typed: Option<&serde_json::Value>,
) -> Vec<Guess> {
    let named = typed.and_then(|body| body["uid_field"].as_str());
    let named = named.map(Account::named);
    let account = named.or(pending(state).map(|(account, _)| account));
    let of = |event: &Event| {
        let (user, is_right) = match event {
            Event::PasswordVerified { user, .. } => (Some(*user), true),
            Event::PasswordRejected { user, .. } => (*user, false),
            _ => return None,
        };
        Some(Guess {
            account: account.or(user.map(Account::User))?,
            user,
            is_right,
        })
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
    known: Mutex<LruCache<(Uuid, IpAddr), ()>>,
}

impl Guesses {
    /// Allows so many an hour in the long run, and so many at once.
    pub(super) fn new(per_hour: u32, at_once: u32) -> Self {
        Self {
            wrong: Buckets::new(f64::from(per_hour.max(1)) / HOUR, at_once, ACCOUNTS),
            known: Mutex::new(LruCache::new(KNOWN)),
        }
    }

    /// Whether a password may be tried at all.
    ///
    /// # Errors
    /// How long to wait otherwise.
    pub(super) fn look(
        &self,
        (account, user): (Account, Option<Uuid>),
        address: IpAddr,
        now: Instant,
    ) -> Result<(), Duration> {
        self.wrong.look(&self.place(account, user, address), now)
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
        let guesses = Guesses::new(60, 3);
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
        let guesses = Guesses::new(60, 1);
        let now = Clock::system().monotonic();
        assert_eq!(guesses.count(&ann(false), address(1), now), Ok(()));
        for (named, user) in [("ann@example.org", Some(ANN)), ("nobody", None)] {
            assert_eq!(guesses.look(name(named, user), address(1), now), Ok(()));
        }
    }

    #[test]
    fn whoever_was_there_before_is_not_locked_out_by_others() {
        let guesses = Guesses::new(60, 2);
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

    #[test]
    fn a_name_is_counted_whatever_its_spelling() {
        assert_eq!(Account::named(" Ann "), Account::named("ann"));
        assert_ne!(Account::named("ann"), Account::named("bob"));
    }
}
