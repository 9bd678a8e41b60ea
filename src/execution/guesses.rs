//! How many wrong passwords an account may get, wherever they come from.
//!
//! They are counted by the name that was typed, whoever has it or nobody: counted by account, the refusal
//! would tell that two names are one account's, and so that there is one. Whoever has logged in from a
//! network before is counted apart there: others cannot lock them out by typing wrong passwords elsewhere.
//! Where the journal is this machine's own, the count lives in memory (`own`); where nodes share one, they
//! share the count as well (`shared`), or each would give an attacker as many tries again. Nothing of it
//! is recorded.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::flow::Execution;
use crate::flow::context::{Value, key};
use crate::flow::event::Event;
use crate::journal::{self, Journal};

mod own;
mod shared;

use own::Own;
use shared::Shared;

const HOUR: Duration = Duration::from_hours(1);

/// What a password is typed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Account {
    /// A name that was typed, as its digest.
    Named([u8; 32]),
    /// A user whom nobody had to name.
    User(Uuid),
}

/// Whose password is asked for, and for which name.
pub(super) type Named = (Account, Option<Uuid>);

impl Account {
    fn named(typed: &str) -> Self {
        let digest = Sha256::digest(typed.trim().to_lowercase().as_bytes());
        Self::Named(digest.into())
    }
}

/// Whose password an execution asks for, as far as it knows.
pub(super) fn pending(state: &Execution) -> Option<Named> {
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

/// The wrong passwords of all accounts.
pub(super) enum Guesses {
    /// Those that were typed here.
    Own(Own),
    /// Those that were typed on any node.
    Shared(Shared),
}

/// Whether a password may be tried, or how long to wait.
pub(super) type May = Result<(), Duration>;

impl Guesses {
    /// Allows so many an hour in the long run, and so many at once: on all nodes together, where the journal
    /// has several.
    pub(super) fn new(journal: &Arc<dyn Journal>, per_hour: u32, at_once: u32) -> Self {
        if journal.spans().is_some() {
            let each = HOUR / per_hour.max(1);
            Self::Shared(Shared::new(Arc::clone(journal), each, at_once))
        } else {
            Self::Own(Own::new(per_hour, at_once))
        }
    }

    /// Whether a password may be tried at all.
    ///
    /// # Errors
    /// When the nodes' count cannot be asked for: then none is tried.
    pub(super) async fn look(
        &self,
        named: Named,
        address: IpAddr,
        now: Instant,
    ) -> journal::Result<May> {
        match self {
            Self::Own(own) => Ok(own.look(named, address, now)),
            Self::Shared(shared) => shared.look(named, address).await,
        }
    }

    /// Counts what was tried. A wait means that there were too many before: nothing of it may count then,
    /// not even a right password.
    ///
    /// # Errors
    /// As [`Guesses::look`]; then nothing of it may count either.
    pub(super) async fn count(
        &self,
        tried: &[Guess],
        address: IpAddr,
        now: Instant,
    ) -> journal::Result<May> {
        match self {
            Self::Own(own) => Ok(own.count(tried, address, now)),
            Self::Shared(shared) => shared.count(tried, address).await,
        }
    }

    /// Notes that a user has been in this network.
    ///
    /// # Errors
    /// As [`Guesses::look`].
    pub(super) async fn knows(&self, user: Uuid, address: IpAddr) -> journal::Result<()> {
        match self {
            Self::Own(own) => own.knows(user, address),
            Self::Shared(shared) => shared.knows(user, address).await?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_counted_whatever_its_spelling() {
        assert_eq!(Account::named(" Ann "), Account::named("ann"));
        assert_ne!(Account::named("ann"), Account::named("bob"));
    }
}
