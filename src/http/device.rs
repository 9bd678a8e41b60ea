//! The cookie by which a browser shows that somebody logged in there before.
//!
//! Source: authentik `stages/user_login`. It says nothing that lets anybody in. Looks nothing up.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode,
};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;

use crate::flow::client::Device;

/// The cookie's name.
pub const DEVICE: &str = "authentik_device";

/// Signs and reads the device cookies of all login stages.
pub struct Devices {
    /// Each stage's key is made of this one and the stage's id.
    key: SecretBox<[u8; 32]>,
}

impl fmt::Debug for Devices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Devices(..)")
    }
}

/// What the cookie says.
#[derive(Serialize, Deserialize)]
struct Claims {
    /// The user's `uid`.
    sub: String,
    /// When it runs out, in seconds.
    exp: f64,
}

impl Devices {
    /// A signer with this key, which must be the same on all nodes and after every restart.
    #[must_use]
    pub fn new(key: SecretBox<[u8; 32]>) -> Self {
        Self { key }
    }

    /// The value of the cookie that `stage` gives to the browser of the user with this `uid`.
    ///
    /// # Panics
    /// Never: the claims are a text and a number, and HS256 signs anything.
    #[must_use]
    pub fn sign(&self, stage: Uuid, user: &str, until: Timestamp) -> SecretString {
        let claims = Claims {
            sub: user.to_owned(),
            exp: until.as_duration().as_secs_f64(),
        };
        // The stage is named, or every stage's key would have to be tried.
        let header = Header {
            kid: Some(stage.simple().to_string()),
            ..Header::new(Algorithm::HS256)
        };
        let key = EncodingKey::from_secret(self.of(stage).expose_secret());
        encode(&header, &claims, &key)
            .expect("plain claims can be signed")
            .into()
    }

    /// What a cookie's value says; `None` unless this server signed it and it is good `now`.
    #[must_use]
    pub fn read(&self, value: &str, now: Timestamp) -> Option<Device> {
        let stage: Uuid = decode_header(value).ok()?.kid?.parse().ok()?;
        let mut rules = Validation::new(Algorithm::HS256);
        rules.required_spec_claims.clear();
        // Below, by the clock that everything here goes by.
        rules.validate_exp = false;
        rules.validate_aud = false;
        let key = DecodingKey::from_secret(self.of(stage).expose_secret());
        let Claims { sub, exp } = decode::<Claims>(value, &key, &rules).ok()?.claims;
        (exp > now.as_duration().as_secs_f64()).then_some(Device { stage, user: sub })
    }

    fn of(&self, stage: Uuid) -> SecretBox<[u8; 32]> {
        SecretBox::init_with(|| {
            let mut mac = Hmac::<Sha256>::new_from_slice(self.key.expose_secret())
                .expect("HMAC takes keys of any length");
            mac.update(b"device of stage ");
            mac.update(stage.as_bytes());
            mac.finalize().into_bytes().into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn devices(seed: u8) -> Devices {
        Devices::new(SecretBox::init_with(|| [seed; 32]))
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a moment")
    }

    #[test]
    fn a_cookie_is_read_back_until_it_runs_out() {
        let stage = Uuid::from_u128(7);
        let until = at("2026-01-31T00:00:00.5Z");
        let value = devices(1).sign(stage, "abc", until);
        let read = |now| devices(1).read(value.expose_secret(), at(now));
        let device = Device {
            stage,
            user: "abc".to_owned(),
        };
        assert_eq!(read("2026-01-31T00:00:00.4Z"), Some(device));
        assert_eq!(read("2026-01-31T00:00:00.5Z"), None);
    }

    #[test]
    fn the_claims_are_the_two_that_authentik_has() {
        let value = devices(1).sign(Uuid::nil(), "abc", at("1970-01-01T00:01:00Z"));
        let claims =
            jsonwebtoken::dangerous::insecure_decode::<serde_json::Value>(value.expose_secret())
                .expect("it was signed")
                .claims;
        assert_eq!(claims, serde_json::json!({ "sub": "abc", "exp": 60.0 }));
    }

    #[test]
    fn a_cookie_of_another_server_or_stage_is_none() {
        let now = at("2026-01-01T00:00:00Z");
        let until = at("2027-01-01T00:00:00Z");
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let value = devices(1).sign(one, "abc", until);
        assert!(devices(2).read(value.expose_secret(), now).is_none());
        for value in ["", "x", "x.y.z", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0."] {
            assert!(devices(1).read(value, now).is_none(), "{value}");
        }
        // The head of one stage's cookie before the rest of another's.
        let foreign = devices(1).sign(other, "abc", until);
        let (head, _) = foreign.expose_secret().split_once('.').expect("a JWT");
        let (_, rest) = value.expose_secret().split_once('.').expect("a JWT");
        assert!(devices(1).read(&format!("{head}.{rest}"), now).is_none());
    }
}
