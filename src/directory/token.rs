//! A token: a secret that stands for a user, for one purpose and for a time.

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::clock::Clock;
use crate::flow::field::{Invalid, Problem};
use crate::flow::model::{Slug, words};
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{Key, KeyId, Kind, Objects, Result};

/// How many letters and digits a token's key has: 357 bits of randomness.
pub const KEY_LENGTH: usize = 60;

/// How long a token is good for, unless told.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(24);

words! {
    /// What a token is for.
    #[derive(Default)]
    Intent as IntentEnum {
        /// Confirming an address.
        #[default]
        Verification = "verification",
        /// Calling the API.
        Api = "api",
        /// Getting back into an account.
        Recovery = "recovery",
        /// Logging in instead of with the password, from a program.
        AppPassword = "app_password",
    }
}

/// A token. Serialising one puts its key into the result: only the journal may.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Token {
    /// The object's identifier.
    pub token_uuid: Uuid,
    /// What it is called; unique, at most 255 characters.
    pub identifier: Slug,
    /// The secret; unique.
    #[serde(with = "object::sealed")]
    pub key: SecretString,
    /// What it is for.
    pub intent: Intent,
    /// Whom it stands for.
    pub user: Uuid,
    /// What its owner wrote down about it.
    pub description: String,
    /// Which part of the server looks after it; unique.
    pub managed: Option<String>,
    /// When it ends.
    pub expires: Option<Timestamp>,
    /// Whether it ends at all.
    pub expiring: bool,
}

impl Token {
    /// A token with a new key that ends after [`LIFETIME`].
    #[must_use]
    pub fn new(clock: &Clock, identifier: Slug, intent: Intent, user: Uuid) -> Self {
        Self {
            token_uuid: clock.opaque_id(),
            identifier,
            key: clock.random_text(KEY_LENGTH),
            intent,
            user,
            description: String::new(),
            managed: None,
            expires: clock.now().checked_add(LIFETIME).ok(),
            expiring: true,
        }
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expiring && self.expires.is_some_and(|expires| expires <= now)
    }

    /// What is wrong with it; nothing is when it may be stored.
    #[must_use]
    pub fn problems(&self) -> Vec<Invalid> {
        let mut found = Vec::new();
        if self.identifier.as_str().len() > 255 {
            found.push(Invalid::new("identifier", Problem::TooLong(255)));
        }
        if self.key.expose_secret().is_empty() {
            found.push(Invalid::new("key", Problem::Blank));
        }
        found
    }

    /// How a token is spoken of in records: what it is called and when it ends, not its key.
    #[must_use]
    pub fn reference(&self) -> String {
        let expires = self.expires.filter(|_| self.expiring);
        let expires = expires.map_or_else(|| "None".to_owned(), |at| at.to_string());
        format!("{} (expires={expires})", self.identifier)
    }
}

impl Stored for Token {
    const KIND: Kind = Kind::new("token");

    fn id(&self) -> Uuid {
        self.token_uuid
    }

    fn sealed_by(&self) -> KeyId {
        KeyId(self.user)
    }

    fn unique(&self) -> Vec<Key> {
        let mut keys = vec![
            Key::new("identifier", self.identifier.as_str()),
            Key::new("key", self.key.expose_secret()),
        ];
        keys.extend(self.managed.iter().map(|by| Key::new("managed", by)));
        keys
    }

    fn index(&self) -> Vec<Key> {
        vec![Key::new("user", self.user)]
    }
}

/// The token called so, unless it has ended.
pub async fn token_by_identifier(
    objects: &(impl Objects + ?Sized),
    identifier: &str,
    now: Timestamp,
) -> Result<Option<Versioned<Token>>> {
    let found = token_by_name(objects, identifier).await?;
    Ok(found.filter(|token| !token.value.is_expired(now)))
}

/// The token called so, also when it has ended.
pub async fn token_by_name(
    objects: &(impl Objects + ?Sized),
    identifier: &str,
) -> Result<Option<Versioned<Token>>> {
    object::find(objects, Key::new("identifier", identifier)).await
}

/// The token with this key and this purpose, unless it has ended.
pub async fn token_by_key(
    objects: &(impl Objects + ?Sized),
    key: &SecretString,
    intent: Intent,
    now: Timestamp,
) -> Result<Option<Versioned<Token>>> {
    let typed = key.expose_secret();
    if typed.is_empty() {
        return Ok(None);
    }
    let found: Option<Versioned<Token>> = object::find(objects, Key::new("key", typed)).await?;
    Ok(found.filter(|token| {
        let stored = token.value.key.expose_secret();
        let same: bool = stored.as_bytes().ct_eq(typed.as_bytes()).into();
        same && token.value.intent == intent && !token.value.is_expired(now)
    }))
}

/// The user's app password that was typed, unless it has ended.
pub async fn app_password(
    objects: &(impl Objects + ?Sized),
    user: Uuid,
    typed: &SecretString,
    now: Timestamp,
) -> Result<Option<Versioned<Token>>> {
    let found = token_by_key(objects, typed, Intent::AppPassword, now).await?;
    Ok(found.filter(|token| token.value.user == user))
}

/// The tokens that stand for this user, also those that have ended, by identifier.
pub async fn tokens_of(
    objects: &(impl Objects + ?Sized),
    user: Uuid,
) -> Result<Vec<Versioned<Token>>> {
    let mut tokens: Vec<Versioned<Token>> = object::scan(objects, Key::new("user", user)).await?;
    tokens.sort_by(|a, b| a.value.identifier.cmp(&b.value.identifier));
    Ok(tokens)
}
