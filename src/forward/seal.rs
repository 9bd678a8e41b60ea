//! What this server tells itself by way of a browser: signed, and each for one purpose. Nothing of it
//! is secret to the browser that carries it, but whoever has it could do the same. Looks nothing up.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretBox};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// The longest text that is looked at, in bytes; what is signed here is shorter.
const LONGEST: usize = 8 * 1024;

/// A key, and what is signed with it.
pub struct Seal(SecretBox<[u8; 32]>);

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(..)")
    }
}

/// Something that is signed for a purpose and for a time.
pub trait Claims: Serialize + DeserializeOwned {
    /// What it is for: what was signed for one purpose is worth nothing for another.
    const PURPOSE: &'static str;

    /// When it ends.
    fn until(&self) -> Timestamp;
}

/// What a browser keeps at the application while it is away to log in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// What only this browser knows.
    pub nonce: String,
    /// The application.
    pub application: Uuid,
    /// Where it began.
    pub origin: String,
    /// Where it goes in the end.
    pub to: String,
    /// When it ends.
    pub until: Timestamp,
}

/// What an application asks the login for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The application.
    pub application: Uuid,
    /// Where the visitor comes from, and is sent back to.
    pub origin: String,
    /// The digest of what their browser keeps there.
    pub state: String,
    /// When it ends.
    pub until: Timestamp,
}

/// What the login says to the application: used once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// What this use is recorded as.
    pub id: Uuid,
    /// The application.
    pub application: Uuid,
    /// Where it may be used.
    pub origin: String,
    /// The digest of what the browser that may use it keeps there.
    pub state: String,
    /// The login.
    pub login: Login,
    /// When it ends.
    pub until: Timestamp,
}

/// A login: it ends when anything of it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// The session.
    pub session: Uuid,
    /// How often its secret had been replaced: a login and a logout do that.
    pub generation: u64,
    /// Who is logged in there.
    pub user: Uuid,
}

/// The cookie of an application: stands for a login, at one origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    /// The application.
    pub application: Uuid,
    /// Where it is good.
    pub origin: String,
    /// The login.
    pub login: Login,
    /// When it ends.
    pub until: Timestamp,
}

/// Where whoever logged out goes in the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// The address, which is one of the application's.
    pub to: String,
    /// When it ends.
    pub until: Timestamp,
}

macro_rules! claims {
    ($($Type:ty = $purpose:literal;)+) => {
        $(impl Claims for $Type {
            const PURPOSE: &'static str = $purpose;

            fn until(&self) -> Timestamp {
                self.until
            }
        })+
    };
}

claims! {
    Start = "start";
    Asked = "authorize";
    Code = "code";
    Pass = "application cookie";
    Left = "signed out";
}

impl Seal {
    /// Signs with this key, which must be the same on all nodes and after every restart.
    #[must_use]
    pub fn new(key: SecretBox<[u8; 32]>) -> Self {
        Self(key)
    }

    /// The text that says this.
    ///
    /// # Panics
    /// Never: claims have only string keys, and HMAC signs anything.
    #[must_use]
    pub fn sign<T: Claims>(&self, claims: &T) -> String {
        let body = serde_json::to_vec(claims).expect("claims have only string keys");
        let mut text = URL_SAFE_NO_PAD.encode(body);
        let tag = self.mac(T::PURPOSE, &text).finalize().into_bytes();
        text.push('.');
        text.push_str(&URL_SAFE_NO_PAD.encode(tag));
        text
    }

    /// What a text says; `None` unless this server signed it for this purpose. It may have ended.
    #[must_use]
    pub fn read<T: Claims>(&self, text: &str) -> Option<T> {
        let (body, tag) = text.split_once('.').filter(|_| text.len() <= LONGEST)?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        // In constant time.
        self.mac(T::PURPOSE, body).verify_slice(&tag).ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).ok()?).ok()
    }

    /// The same of what has not ended `now`.
    #[must_use]
    pub fn read_at<T: Claims>(&self, text: &str, now: Timestamp) -> Option<T> {
        self.read(text).filter(|it: &T| now < it.until())
    }

    fn mac(&self, purpose: &str, body: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret())
            .expect("HMAC takes keys of any length");
        mac.update(purpose.as_bytes());
        mac.update(b"\0");
        mac.update(body.as_bytes());
        mac
    }
}

/// What others may know of a nonce.
#[must_use]
pub fn digest(nonce: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(nonce.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(seed: u8) -> Seal {
        Seal::new(SecretBox::init_with(|| [seed; 32]))
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a moment")
    }

    fn left() -> Left {
        Left {
            to: "https://app.example/".to_owned(),
            until: at("2026-01-01T00:01:00Z"),
        }
    }

    #[test]
    fn what_was_signed_is_read_until_it_ends() {
        let text = seal(1).sign(&left());
        let read = |now| seal(1).read_at::<Left>(&text, at(now));
        assert_eq!(read("2026-01-01T00:00:59.9Z"), Some(left()));
        assert_eq!(read("2026-01-01T00:01:00Z"), None);
        assert_eq!(seal(1).read::<Left>(&text), Some(left()));
    }

    #[test]
    fn what_another_server_signed_or_for_another_purpose_is_nothing() {
        let text = seal(1).sign(&left());
        assert_eq!(seal(2).read::<Left>(&text), None);
        assert_eq!(seal(1).read::<Pass>(&text), None);
        let asked = Asked {
            application: Uuid::nil(),
            origin: "https://app.example".to_owned(),
            state: digest("x"),
            until: at("2026-01-01T00:01:00Z"),
        };
        // The two have members in common, so only the purpose tells them apart.
        assert_eq!(seal(1).read::<Start>(&seal(1).sign(&asked)), None);
    }

    #[test]
    fn what_was_changed_is_nothing() {
        let text = seal(1).sign(&left());
        let (body, tag) = text.split_once('.').expect("two parts");
        let other = URL_SAFE_NO_PAD
            .encode(br#"{"to":"https://evil.example/","until":"2030-01-01T00:00:00Z"}"#);
        let empty = URL_SAFE_NO_PAD.encode([0; 32]);
        for forged in [
            String::new(),
            ".".to_owned(),
            body.to_owned(),
            format!("{body}."),
            format!("{body}.{empty}"),
            format!("{other}.{tag}"),
            format!("{body}.{tag}x"),
            format!("{body}.{}", &tag[..10]),
            format!("{body}.{tag}.{tag}"),
            "x".repeat(LONGEST + 1),
        ] {
            assert_eq!(seal(1).read::<Left>(&forged), None, "{forged}");
        }
    }
}
