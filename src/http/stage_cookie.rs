//! Cookies that a stage gives out and only that stage believes: signed texts, each stage's under a
//! key of its own. They let nobody in by themselves. Looks nothing up.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode,
};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;
use uuid::Uuid;

/// Signs and reads the cookies of one kind, of all stages.
pub(super) struct Signer {
    /// Each stage's key is made of this one, the purpose and the stage's id.
    key: SecretBox<[u8; 32]>,
    purpose: &'static str,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.purpose)
    }
}

impl Signer {
    /// A signer with this key, which must be the same on all nodes and after every restart.
    pub(super) fn new(key: SecretBox<[u8; 32]>, purpose: &'static str) -> Self {
        Self { key, purpose }
    }

    /// The value of a cookie that `stage` gives out.
    ///
    /// # Panics
    /// Never: the claims are texts and numbers, and HS256 signs anything.
    pub(super) fn sign(&self, stage: Uuid, claims: &impl Serialize) -> SecretString {
        // The stage is named, or every stage's key would have to be tried.
        let header = Header {
            kid: Some(stage.simple().to_string()),
            ..Header::new(Algorithm::HS256)
        };
        let key = EncodingKey::from_secret(self.of(stage).expose_secret());
        encode(&header, claims, &key)
            .expect("plain claims can be signed")
            .into()
    }

    /// The stage that gave a cookie out and what it says; `None` unless this server signed it.
    /// Whether it has run out is for whoever knows its claims, by the clock that everything here
    /// goes by.
    pub(super) fn read<T: DeserializeOwned + Clone>(&self, value: &str) -> Option<(Uuid, T)> {
        let stage: Uuid = decode_header(value).ok()?.kid?.parse().ok()?;
        let mut rules = Validation::new(Algorithm::HS256);
        rules.required_spec_claims.clear();
        rules.validate_exp = false;
        rules.validate_aud = false;
        let key = DecodingKey::from_secret(self.of(stage).expose_secret());
        let claims = decode::<T>(value, &key, &rules).ok()?.claims;
        Some((stage, claims))
    }

    fn of(&self, stage: Uuid) -> SecretBox<[u8; 32]> {
        SecretBox::init_with(|| {
            let mut mac = Hmac::<Sha256>::new_from_slice(self.key.expose_secret())
                .expect("HMAC takes keys of any length");
            mac.update(self.purpose.as_bytes());
            mac.update(b" of stage ");
            mac.update(stage.as_bytes());
            mac.finalize().into_bytes().into()
        })
    }
}
