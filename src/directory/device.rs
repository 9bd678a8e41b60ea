//! A user's authenticators: what they show besides the password.
//!
//! One type for all classes, as all have an owner, a name and a history; what only one class has
//! lies in [`Authenticator`]. Source: authentik `stages/authenticator`, whose classes and field
//! names these are. All of it is sealed by the user's key and goes with it.

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::flow::model::words;
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{Key, KeyId, Kind, Objects, Result};

words! {
    /// A class of authenticators, by authentik's name.
    DeviceClass as DeviceClassesEnum {
        /// Codes that were written down.
        Static = "static",
        /// A generator of codes that goes by the time.
        Totp = "totp",
        /// A security key or a passkey.
        Webauthn = "webauthn",
        /// A push to an app of Duo's.
        Duo = "duo",
        /// A code in a text message.
        Sms = "sms",
        /// A code in a mail.
        Email = "email",
    }
}

impl DeviceClass {
    /// The longest name that one of this class may have, in characters.
    #[must_use]
    pub const fn longest_name(self) -> usize {
        match self {
            Self::Webauthn => 200,
            _ => 64,
        }
    }
}

/// An authenticator of a user. Serialising one puts its secrets into the result: only the journal
/// may.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Device {
    /// The object's identifier.
    pub uuid: Uuid,
    /// The number by which the API knows it within its class. It is random: nobody learns from it
    /// how many there are.
    pub pk: i64,
    /// Whose it is.
    pub user: Uuid,
    /// What its owner calls it.
    pub name: String,
    /// Whether its owner has shown that they have it. Others count for nothing.
    pub confirmed: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When anything of this was last written.
    pub last_updated: Timestamp,
    /// When it last proved something.
    pub last_used: Option<Timestamp>,
    /// The wrong codes that were typed for it.
    #[serde(default)]
    pub throttle: Throttle,
    /// What only its class has.
    #[serde(flatten)]
    pub of: Authenticator,
}

/// What only one class of authenticators has.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "class", rename_all = "snake_case")]
pub enum Authenticator {
    /// Codes that were written down.
    Static {
        /// Those that are left; each is good once.
        codes: Vec<RecoveryCode>,
    },
    /// A generator of codes that goes by the time (RFC 6238, SHA-1).
    Totp(Totp),
    /// A security key or a passkey.
    Webauthn(Box<Credential>),
    /// An account at Duo.
    Duo {
        /// The stage by which it was enrolled, whose account at Duo is used.
        stage: Uuid,
        /// What Duo calls the user.
        duo_user_id: String,
    },
    /// A telephone.
    Sms {
        /// The stage by which it was enrolled, whose provider is used.
        stage: Uuid,
        /// The number; or `hash:` and its SHA-256, where the stage only verifies numbers.
        phone_number: String,
        /// The code that was sent last.
        code: Option<Code>,
    },
    /// A mailbox.
    Email {
        /// The stage by which it was enrolled, whose server is used.
        stage: Uuid,
        /// The address.
        email: String,
        /// The code that was sent last.
        code: Option<Code>,
    },
}

/// A code that is good once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecoveryCode {
    /// The code.
    #[serde(with = "object::sealed")]
    pub code: SecretString,
}

/// A generator of codes that goes by the time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Totp {
    /// The key, in lower hexadecimal.
    #[serde(with = "object::sealed")]
    pub key: SecretString,
    /// How many digits a code has: 6 or 8.
    pub digits: u8,
    /// How many seconds a code is good.
    pub step: u32,
    /// How many steps its clock is ahead of ours.
    pub drift: i64,
    /// The step of the last code that was accepted; only later ones are good. -1 for none.
    pub last_t: i64,
}

/// A security key or a passkey, as it was registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// Its identifier, in base64url without padding.
    pub credential_id: String,
    /// Its public key in COSE form, in base64url without padding.
    pub public_key: String,
    /// The signatures that it counted; 0 where it counts none.
    pub sign_count: u32,
    /// The relying party that it was made for.
    pub rp_id: String,
    /// Its model.
    pub aaguid: Uuid,
    /// The certificate of its maker, in PEM, where it showed one.
    pub attestation_certificate_pem: Option<String>,
    /// The SHA-256 of that certificate, in lower hexadecimal with colons.
    pub attestation_certificate_fingerprint: Option<String>,
}

/// A code that was sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Code {
    /// The code.
    #[serde(with = "object::sealed")]
    pub secret: SecretString,
    /// Until when it is good.
    pub until: Timestamp,
}

/// Wrong codes in a row, each of which makes the next one wait twice as long. Source: authentik
/// `stages/authenticator/models.py`, `ThrottlingMixin`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throttle {
    /// How many.
    pub failures: u32,
    /// When the last of them was.
    pub last: Option<Timestamp>,
}

/// The longest wait after a wrong code: authentik's doubles without end, so that whoever knows a
/// password could lock its owner out for years.
const LONGEST_LOCK: SignedDuration = SignedDuration::from_hours(1);

impl Throttle {
    /// Until when no code is looked at, where one is not looked at `now`.
    #[must_use]
    pub fn locked_until(&self, now: Timestamp) -> Option<Timestamp> {
        let (Some(last), true) = (self.last, self.failures > 0) else {
            return None;
        };
        let seconds = 1_i64.checked_shl(self.failures - 1).unwrap_or(i64::MAX);
        let wait = SignedDuration::from_secs(seconds.max(1)).min(LONGEST_LOCK);
        let until = last.checked_add(wait).unwrap_or(Timestamp::MAX);
        (now < until).then_some(until)
    }

    /// One wrong code more.
    pub fn fail(&mut self, now: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        self.last = Some(now);
    }

    /// A right one.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

impl Device {
    /// A device that belongs to `user`, not confirmed yet. The random identifier is not noted here.
    #[must_use]
    pub fn new(id: Uuid, user: Uuid, name: &str, of: Authenticator, now: Timestamp) -> Self {
        let (_, low) = id.as_u64_pair();
        Self {
            uuid: id,
            // What a 32-bit column takes, as the clients' types say.
            pk: i64::try_from(low & 0x7fff_ffff).unwrap_or(1).max(1),
            user,
            name: name.to_owned(),
            confirmed: false,
            created: now,
            last_updated: now,
            last_used: None,
            throttle: Throttle::default(),
            of,
        }
    }

    /// The class.
    #[must_use]
    pub fn class(&self) -> DeviceClass {
        match self.of {
            Authenticator::Static { .. } => DeviceClass::Static,
            Authenticator::Totp(_) => DeviceClass::Totp,
            Authenticator::Webauthn(_) => DeviceClass::Webauthn,
            Authenticator::Duo { .. } => DeviceClass::Duo,
            Authenticator::Sms { .. } => DeviceClass::Sms,
            Authenticator::Email { .. } => DeviceClass::Email,
        }
    }
}

impl Stored for Device {
    const KIND: Kind = Kind::new("device");

    fn id(&self) -> Uuid {
        self.uuid
    }

    fn sealed_by(&self) -> KeyId {
        KeyId(self.user)
    }

    fn unique(&self) -> Vec<Key> {
        let mut keys = vec![number(self.class(), self.pk)];
        match &self.of {
            Authenticator::Webauthn(credential) => {
                keys.push(Key::new("credential", &credential.credential_id));
            }
            Authenticator::Sms {
                stage,
                phone_number,
                ..
            } => keys.push(Key::new("phone_number", format!("{stage}/{phone_number}"))),
            Authenticator::Email { email, .. } => {
                keys.push(Key::new(
                    "user_email",
                    format!("{}/{}", self.user, email.to_lowercase()),
                ));
            }
            Authenticator::Static { .. } | Authenticator::Totp(_) | Authenticator::Duo { .. } => {}
        }
        keys
    }

    fn index(&self) -> Vec<Key> {
        let mut keys = vec![Key::new("user", self.user)];
        match &self.of {
            Authenticator::Webauthn(credential) => {
                let fingerprint = credential.attestation_certificate_fingerprint.as_ref();
                keys.extend(fingerprint.map(|print| Key::new("fingerprint", print)));
            }
            Authenticator::Duo { duo_user_id, .. } => keys.push(Key::new("duo_user", duo_user_id)),
            Authenticator::Email { stage, email, .. } => {
                keys.push(stage_email(*stage, email));
            }
            Authenticator::Static { .. } | Authenticator::Totp(_) | Authenticator::Sms { .. } => {}
        }
        keys
    }
}

/// Upper and lower case are the same address.
fn stage_email(stage: Uuid, email: &str) -> Key {
    Key::new("stage_email", format!("{stage}/{}", email.to_lowercase()))
}

fn number(class: DeviceClass, pk: i64) -> Key {
    Key::new("pk", format!("{}/{pk}", class.as_str()))
}

/// The device of this class with this number.
pub async fn device_by_pk(
    objects: &(impl Objects + ?Sized),
    class: DeviceClass,
    pk: i64,
) -> Result<Option<Versioned<Device>>> {
    object::find(objects, number(class, pk)).await
}

/// All devices of a user, by class in authentik's order (duo, email, sms, static, totp, webauthn) and,
/// within a class, the oldest first.
pub async fn devices_of(
    objects: &(impl Objects + ?Sized),
    user: Uuid,
) -> Result<Vec<Versioned<Device>>> {
    let mut found: Vec<Versioned<Device>> = object::scan(objects, Key::new("user", user)).await?;
    found.sort_by_key(|it| (it.value.class().as_str(), it.value.created, it.value.uuid));
    Ok(found)
}

/// The device with this credential, whoever's it is.
pub async fn device_by_credential(
    objects: &(impl Objects + ?Sized),
    credential_id: &str,
) -> Result<Option<Versioned<Device>>> {
    object::find(objects, Key::new("credential", credential_id)).await
}

/// The devices whose maker's certificate this is.
pub async fn devices_by_fingerprint(
    objects: &(impl Objects + ?Sized),
    fingerprint: &str,
) -> Result<Vec<Versioned<Device>>> {
    object::scan(objects, Key::new("fingerprint", fingerprint)).await
}

/// The device of this stage with this telephone number, in whichever form it is kept.
pub async fn device_by_phone_number(
    objects: &(impl Objects + ?Sized),
    stage: Uuid,
    phone_number: &str,
) -> Result<Option<Versioned<Device>>> {
    object::find(
        objects,
        Key::new("phone_number", format!("{stage}/{phone_number}")),
    )
    .await
}

/// The devices of this stage with this address.
pub async fn devices_by_email(
    objects: &(impl Objects + ?Sized),
    stage: Uuid,
    email: &str,
) -> Result<Vec<Versioned<Device>>> {
    object::scan(objects, stage_email(stage, email)).await
}

/// The devices of this account at Duo.
pub async fn devices_by_duo_user(
    objects: &(impl Objects + ?Sized),
    duo_user_id: &str,
) -> Result<Vec<Versioned<Device>>> {
    object::scan(objects, Key::new("duo_user", duo_user_id)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).expect("a moment")
    }

    #[test]
    fn each_wrong_code_makes_the_next_one_wait_twice_as_long() {
        let mut throttle = Throttle::default();
        assert_eq!(throttle.locked_until(at(0)), None);
        for seconds in [1, 2, 4, 8, 16] {
            throttle.fail(at(0));
            let until = at(seconds * 1000);
            assert_eq!(throttle.locked_until(at(seconds * 1000 - 1)), Some(until));
            assert_eq!(throttle.locked_until(until), None);
        }
        throttle.reset();
        assert_eq!(throttle.locked_until(at(0)), None);
    }

    #[test]
    fn nobody_waits_longer_than_an_hour() {
        let mut throttle = Throttle::default();
        for _ in 0..200 {
            throttle.fail(at(0));
        }
        assert_eq!(throttle.locked_until(at(0)), Some(at(3_600_000)));
    }
}
