//! The count of all nodes together: in the journal's spans, one for each name.
//!
//! A span lasts until the last wrong password is forgotten; where one more would make it longer than all
//! that may be tried at once, none may be tried. The database decides that in one statement, so it does not
//! matter through which nodes an attacker comes, or how many come at once. It gets keyed hashes only. Where
//! it does not answer, nobody tries a password: a login could not be written either.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::{Account, Guess, May, Named};
use crate::flow::client::network;
use crate::journal::{Error, Journal, Key, Result, Spans};

/// So long a network is remembered from which somebody has logged in, since the last time.
const KNOWN: Duration = Duration::from_hours(30 * 24);

/// The wrong passwords of all accounts.
pub(in crate::execution) struct Shared {
    journal: Arc<dyn Journal>,
    /// How long one wrong password counts.
    each: Duration,
    /// How long all that may be tried at once count.
    most: Duration,
}

/// Where a guess is counted.
struct Place {
    key: Key,
    /// How long what was counted there still lasts.
    left: Duration,
    /// How long it is still remembered that the account's owner has been there.
    known: Duration,
}

impl Shared {
    /// Each wrong password counts for so long, and so many may count at once.
    pub(super) fn new(journal: Arc<dyn Journal>, each: Duration, at_once: u32) -> Self {
        Self {
            journal,
            each,
            most: each.saturating_mul(at_once.max(1)),
        }
    }

    /// Whether a password may be tried at all.
    pub(super) async fn look(&self, named: Named, address: IpAddr) -> Result<May> {
        let place = self.place(named, address).await?;
        Ok(self.room(&place))
    }

    /// Counts what was tried.
    pub(super) async fn count(&self, tried: &[Guess], address: IpAddr) -> Result<May> {
        for guess in tried {
            let place = self.place((guess.account, guess.user), address).await?;
            let may = if guess.is_right {
                self.room(&place)
            } else {
                self.spans()?
                    .extend(&place.key, self.each, self.most)
                    .await?
            };
            if may.is_err() {
                return Ok(may);
            }
            // To remember it anew for each login would say nothing more.
            if let Some(user) = guess.user.filter(|_| guess.is_right)
                && place.known < KNOWN / 2
            {
                self.knows(user, address).await?;
            }
        }
        Ok(Ok(()))
    }

    /// Notes that a user has been in this network.
    pub(super) async fn knows(&self, user: Uuid, address: IpAddr) -> Result<()> {
        let known = known(user, network(address));
        self.spans()?.at_least(&known, KNOWN).await
    }

    /// Everything is asked for in any case, so that the time tells nothing of whose name it is.
    async fn place(&self, (account, user): Named, address: IpAddr) -> Result<Place> {
        let address = network(address);
        let keys = [
            Key::new("wrong passwords", bytes(account, None)),
            Key::new("wrong passwords", bytes(account, Some(address))),
            known(user.unwrap_or_default(), address),
        ];
        let left = self.spans()?.left(&keys).await?;
        let [anywhere, there, known] = <[Duration; 3]>::try_from(left).unwrap_or_default();
        let [anywhere_key, there_key, _] = keys;
        let is_known = user.is_some() && !known.is_zero();
        let (key, left) = if is_known {
            (there_key, there)
        } else {
            (anywhere_key, anywhere)
        };
        Ok(Place { key, left, known })
    }

    /// Whether one more would fit.
    fn room(&self, place: &Place) -> May {
        let wait = (place.left + self.each).saturating_sub(self.most);
        if wait.is_zero() { Ok(()) } else { Err(wait) }
    }

    fn spans(&self) -> Result<&dyn Spans> {
        let gone = || Error::Unavailable("it is not shared any more".into());
        self.journal.spans().ok_or_else(gone)
    }
}

fn known(user: Uuid, address: IpAddr) -> Key {
    let mut value = user.as_bytes().to_vec();
    value.extend(address.to_string().bytes());
    Key::new("known network", value)
}

/// No two places have the same bytes: what an account has is of fixed length.
fn bytes(account: Account, address: Option<IpAddr>) -> Vec<u8> {
    let mut value = match account {
        Account::Named(digest) => [&[1][..], &digest].concat(),
        Account::User(user) => [&[2][..], user.as_bytes()].concat(),
    };
    value.extend(address.iter().flat_map(|it| it.to_string().into_bytes()));
    value
}
