//! The cookie by which a browser shows that somebody logged in there before.
//!
//! Source: authentik `stages/user_login`. It says nothing that lets anybody in. Looks nothing up.

use jiff::Timestamp;
use secrecy::{SecretBox, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::stage_cookie::Signer;
use crate::flow::client::Device;

/// The cookie's name.
pub const DEVICE: &str = "authentik_device";

/// Signs and reads the device cookies of all login stages.
#[derive(Debug)]
pub struct Devices(Signer);

/// What the cookie says.
#[derive(Clone, Serialize, Deserialize)]
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
        Self(Signer::new(key, "device"))
    }

    /// The value of the cookie that `stage` gives to the browser of the user with this `uid`.
    #[must_use]
    pub fn sign(&self, stage: Uuid, user: &str, until: Timestamp) -> SecretString {
        let claims = Claims {
            sub: user.to_owned(),
            exp: until.as_duration().as_secs_f64(),
        };
        self.0.sign(stage, &claims)
    }

    /// What a cookie's value says; `None` unless this server signed it and it is good `now`.
    #[must_use]
    pub fn read(&self, value: &str, now: Timestamp) -> Option<Device> {
        let (stage, Claims { sub, exp }) = self.0.read(value)?;
        (exp > now.as_duration().as_secs_f64()).then_some(Device { stage, user: sub })
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

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
