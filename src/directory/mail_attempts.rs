//! How many mails went to one address lately, all executions together.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{Key, Kind, Objects, Result};

/// When mails went to one address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailAttempts {
    /// The object's identifier.
    pub id: Uuid,
    /// When, oldest first, as far as it still counts.
    pub at: Vec<Timestamp>,
    /// When all of it is forgotten.
    pub expires: Timestamp,
    /// The address. Only its lookup is stored, so whoever writes the object fills it in.
    #[serde(skip)]
    pub address: String,
}

impl MailAttempts {
    /// Nothing went there so far.
    #[must_use]
    pub fn none(id: Uuid, address: &str) -> Self {
        Self {
            id,
            at: Vec::new(),
            expires: Timestamp::MIN,
            address: address.to_owned(),
        }
    }

    /// Forgets what counts no more.
    pub fn forget(&mut self, now: Timestamp, window: SignedDuration) {
        self.at.retain(|at| now.duration_since(*at) < window);
    }

    /// Counts another one.
    pub fn count(&mut self, now: Timestamp, window: SignedDuration) {
        self.at.push(now);
        let expires = now.checked_add(window).unwrap_or(Timestamp::MAX);
        self.expires = self.expires.max(expires);
    }
}

impl Stored for MailAttempts {
    const KIND: Kind = Kind::new("mail_attempts");

    fn id(&self) -> Uuid {
        self.id
    }

    fn unique(&self) -> Vec<Key> {
        vec![key(&self.address)]
    }
}

/// Upper and lower case are the same address.
fn key(address: &str) -> Key {
    Key::new("address", address.to_lowercase())
}

/// What went to this address.
pub async fn mail_attempts(
    objects: &(impl Objects + ?Sized),
    address: &str,
) -> Result<Option<Versioned<MailAttempts>>> {
    let found: Option<Versioned<MailAttempts>> = object::find(objects, key(address)).await?;
    Ok(found.map(|mut found| {
        address.clone_into(&mut found.value.address);
        found
    }))
}
