//! A secret among the settings of a stage, such as a provider's key.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use subtle::ConstantTimeEq;

/// A secret setting. Serialising it puts the secret into the result, as the settings of a stage
/// lie sealed in the journal; whoever hands settings out leaves it out. It cannot be printed.
#[derive(Clone, Default)]
pub struct Hidden(SecretString);

impl Hidden {
    /// The secret itself.
    #[must_use]
    pub fn secret(&self) -> &SecretString {
        &self.0
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.expose_secret().is_empty()
    }
}

impl From<&str> for Hidden {
    fn from(secret: &str) -> Self {
        Self(secret.into())
    }
}

impl PartialEq for Hidden {
    fn eq(&self, other: &Self) -> bool {
        let (own, other) = (self.0.expose_secret(), other.0.expose_secret());
        own.as_bytes().ct_eq(other.as_bytes()).into()
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden")
    }
}

impl Serialize for Hidden {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.expose_secret().serialize(to)
    }
}

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|secret| Self(secret.into()))
    }
}
