//! The cookie by which a browser shows that a second factor was shown there a while ago.
//!
//! Source: authentik `stages/authenticator_validate`. It lets nobody in: whether it spares the
//! visitor the question is decided by the stage that asks. Looks nothing up.

use jiff::{SignedDuration, Timestamp};
use secrecy::{SecretBox, SecretString};
use serde::{Deserialize, Serialize};

use super::stage_cookie::Signer;
use crate::flow::client::Verified;

/// The cookie's name.
pub const MFA: &str = "authentik_mfa";

/// Signs and reads the cookies of all stages that ask for second factors.
#[derive(Debug)]
pub struct Factors(Signer);

/// What the cookie says.
#[derive(Clone, Serialize, Deserialize)]
struct Claims {
    /// The number of the authenticator.
    device: i64,
    /// The stage, without hyphens.
    stage: String,
    /// When it runs out, in seconds.
    exp: f64,
}

impl Factors {
    /// A signer with this key, which must be the same on all nodes and after every restart.
    #[must_use]
    pub fn new(key: SecretBox<[u8; 32]>) -> Self {
        Self(Signer::new(key, "second factors"))
    }

    /// The value of the cookie.
    #[must_use]
    pub fn sign(&self, factor: &Verified) -> SecretString {
        let claims = Claims {
            device: factor.device,
            stage: factor.stage.simple().to_string(),
            exp: factor.until.as_duration().as_secs_f64(),
        };
        self.0.sign(factor.stage, &claims)
    }

    /// What a cookie's value says; `None` unless this server signed it and it is good `now`.
    #[must_use]
    pub fn read(&self, value: &str, now: Timestamp) -> Option<Verified> {
        let (stage, claims) = self.0.read::<Claims>(value)?;
        let until = SignedDuration::try_from_secs_f64(claims.exp).ok()?;
        let until = Timestamp::from_duration(until).ok()?;
        let is_good = until > now && claims.stage.parse() == Ok(stage);
        is_good.then_some(Verified {
            stage,
            device: claims.device,
            until,
        })
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use uuid::Uuid;

    use super::*;

    fn factors(seed: u8) -> Factors {
        Factors::new(SecretBox::init_with(|| [seed; 32]))
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a moment")
    }

    fn factor(stage: u128) -> Verified {
        Verified {
            stage: Uuid::from_u128(stage),
            device: 42,
            until: at("2027-01-31T00:00:00Z"),
        }
    }

    #[test]
    fn a_cookie_is_read_back_until_it_runs_out() {
        let value = factors(1).sign(&factor(7));
        let read = |now| factors(1).read(value.expose_secret(), at(now));
        assert_eq!(read("2027-01-30T23:59:59Z"), Some(factor(7)));
        assert_eq!(read("2027-01-31T00:00:00Z"), None);
    }

    #[test]
    fn the_claims_are_the_three_that_authentik_has() {
        let value = factors(1).sign(&factor(7));
        let claims =
            jsonwebtoken::dangerous::insecure_decode::<serde_json::Value>(value.expose_secret())
                .expect("it was signed")
                .claims;
        let expected = serde_json::json!({
            "device": 42,
            "stage": "00000000000000000000000000000007",
            "exp": 1_801_353_600.0,
        });
        assert_eq!(claims, expected);
    }

    #[test]
    fn a_cookie_of_another_server_or_stage_is_none() {
        let now = at("2026-01-01T00:00:00Z");
        let value = factors(1).sign(&factor(1));
        assert_eq!(factors(2).read(value.expose_secret(), now), None);
        for value in ["", "x", "x.y.z", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0."] {
            assert_eq!(factors(1).read(value, now), None, "{value}");
        }
        // The head of one stage's cookie before the rest of another's.
        let other = factors(1).sign(&factor(2));
        let (head, _) = other.expose_secret().split_once('.').expect("a head");
        let (_, rest) = value.expose_secret().split_once('.').expect("a rest");
        assert_eq!(factors(1).read(&format!("{head}.{rest}"), now), None);
    }
}
