//! What a user allowed an application to do. It is sealed by the user's key and goes with it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{Key, KeyId, Kind, Objects, Result};

/// One user's consent to one application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserConsent {
    /// The object's identifier.
    pub id: Uuid,
    /// Who agreed.
    pub user: Uuid,
    /// The application's key.
    pub application: String,
    /// The identifiers of what was allowed, separated by spaces.
    pub permissions: String,
    /// When it ends; without a moment, never.
    pub expires: Option<Timestamp>,
}

impl UserConsent {
    /// Whether it has ended.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

impl Stored for UserConsent {
    const KIND: Kind = Kind::new("user_consent");

    fn id(&self) -> Uuid {
        self.id
    }

    fn sealed_by(&self) -> KeyId {
        KeyId(self.user)
    }

    fn unique(&self) -> Vec<Key> {
        vec![key(self.user, &self.application)]
    }

    fn index(&self) -> Vec<Key> {
        vec![Key::new("user", self.user)]
    }
}

/// All identifiers of users are of one length, so no two pairs look alike.
fn key(user: Uuid, application: &str) -> Key {
    Key::new("user_application", format!("{user}/{application}"))
}

/// What a user allowed an application, also when it has ended.
pub async fn consent_to(
    objects: &(impl Objects + ?Sized),
    user: Uuid,
    application: &str,
) -> Result<Option<Versioned<UserConsent>>> {
    object::find(objects, key(user, application)).await
}

/// All that a user allowed, also what has ended.
pub async fn consents_of(
    objects: &(impl Objects + ?Sized),
    user: Uuid,
) -> Result<Vec<Versioned<UserConsent>>> {
    object::scan(objects, Key::new("user", user)).await
}
