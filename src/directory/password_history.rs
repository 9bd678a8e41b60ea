//! The passwords that a user had before the current one, encoded as they were.
//!
//! Writes are returned for somebody else's commit. How many are kept is said by whoever asks: it
//! depends on policies, of which nothing is known here.

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::password;
use super::user::User;
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{Journal, KeyId, Kind, Objects, Result, Write};

/// What is kept of former passwords. By default nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keeping {
    /// Whether a password that is replaced is kept.
    pub records: bool,
    /// How many of a user are kept at most.
    pub most: usize,
}

/// The former passwords of one user.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PasswordHistory {
    /// Whose.
    pub user: Uuid,
    /// The latest first.
    pub former: Vec<Former>,
}

/// A password that was replaced.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Former {
    /// How it was encoded, see [`super::password`].
    #[serde(with = "object::sealed")]
    pub hash: SecretString,
    /// When it was replaced.
    pub created_at: Timestamp,
}

impl Stored for PasswordHistory {
    const KIND: Kind = Kind::new("password_history");

    fn id(&self) -> Uuid {
        self.user
    }

    fn sealed_by(&self) -> KeyId {
        KeyId(self.user)
    }
}

/// The former passwords of a user, if any are kept.
async fn history_of(
    journal: &(impl Journal + ?Sized),
    user: Uuid,
) -> Result<Option<Versioned<PasswordHistory>>> {
    let found = journal.get(object::stream::<PasswordHistory>(user)).await?;
    found.as_ref().map(object::open).transpose()
}

/// The write that belongs to a change of the password of `user`, who is given as they were before;
/// none when nothing is to be kept and nothing is.
///
/// A password that never fitted anything is not kept: it would take the place of one that did.
pub async fn replaced(
    journal: &(impl Journal + ?Sized),
    keeping: Keeping,
    user: &User,
    now: Timestamp,
) -> Result<Option<Write>> {
    let found = history_of(journal, user.uuid).await?;
    let mut history = found.as_ref().map_or_else(
        || PasswordHistory {
            user: user.uuid,
            former: Vec::new(),
        },
        |found| found.value.clone(),
    );
    if keeping.records && password::is_usable(user.password.expose_secret()) {
        let former = Former {
            hash: user.password.clone(),
            created_at: now,
        };
        history.former.insert(0, former);
    }
    history.former.truncate(keeping.most);
    if let Some(found) = &found {
        if history.former.is_empty() {
            return Ok(Some(object::delete::<PasswordHistory>(
                user.uuid,
                found.version,
            )));
        }
        return Ok(Some(object::put(&history, found.version)));
    }
    if history.former.is_empty() {
        return Ok(None);
    }
    // There may have been one that was removed.
    let stream = object::stream::<PasswordHistory>(user.uuid);
    let (version, _) = journal.head(stream).await?;
    Ok(Some(object::put(&history, version)))
}

/// The write that removes what is kept of a user who goes.
pub async fn removal(objects: &(impl Objects + ?Sized), user: Uuid) -> Result<Option<Write>> {
    let found: Option<Versioned<PasswordHistory>> = object::get(objects, user).await?;
    Ok(found.map(|found| object::delete::<PasswordHistory>(user, found.version)))
}

impl Versioned<PasswordHistory> {
    /// The write that leaves no more than is kept; none when there is no more.
    #[must_use]
    pub fn trimmed(&self, keeping: Keeping) -> Option<Write> {
        let Self { version, value } = self;
        if value.former.len() <= keeping.most {
            return None;
        }
        if keeping.most == 0 {
            return Some(object::delete::<PasswordHistory>(value.user, *version));
        }
        let mut value = value.clone();
        value.former.truncate(keeping.most);
        Some(object::put(&value, *version))
    }
}
