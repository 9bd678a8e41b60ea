//! Judges a code: those that were written down, those that go by the time, and those that were
//! sent.
//!
//! It is compared with those of every device that this stage offers, as it does not say which one
//! it is meant for. A wrong one counts against all the devices that it was compared with, and
//! against the user; one that is locked is not compared, and counts no further. Both counts lie in
//! the directory, with the version that was read: of two answers at the same instant the second
//! one is judged on what the first one left.

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::{AuthenticatorValidate, NOT_OFFERED, Owner, offered, refused};
use crate::directory::device::{Authenticator, Code, Device, DeviceClass};
use crate::directory::mfa_attempts::mfa_attempts;
use crate::flow::event::{Event, MfaProblem};
use crate::journal::object::{Versioned, put};
use crate::stage::authenticator::totp::code::{Found, find};
use crate::stage::{Error, Turn, Verdict};
use crate::world::Change;

/// What is read whenever a code is refused, for whatever reason.
const WRONG: &str =
    "Invalid Token. Please ensure the time on your device is accurate and try again.";

/// What the trail calls the class of a code that may have been meant for several.
const ANY: &str = "code";

/// Whether what this class shows is a code.
fn has_codes(class: DeviceClass) -> bool {
    match class {
        DeviceClass::Static | DeviceClass::Totp | DeviceClass::Sms | DeviceClass::Email => true,
        DeviceClass::Webauthn | DeviceClass::Duo => false,
    }
}

/// Whether wrong codes lock a device of this class by themselves. Codes that were sent are good for
/// minutes only, and count against the user alone.
fn is_throttled(class: DeviceClass) -> bool {
    matches!(class, DeviceClass::Static | DeviceClass::Totp)
}

/// What comparing a code with those of one device came to.
enum Compared {
    /// It is one of them; the device is as it has to be from now on.
    Good,
    /// It was one of them.
    Expired,
    /// It is none of them.
    Wrong,
}

impl AuthenticatorValidate {
    /// Judges a code.
    pub(super) async fn judge_code(
        &self,
        turn: &mut Turn<'_>,
        owner: &Owner,
        typed: &SecretString,
    ) -> Result<Verdict, Error> {
        let offers = offered::kept(turn);
        let is_offered = offers.iter().any(|offer| has_codes(offer.device_class));
        let (true, Some(user)) = (is_offered, owner.id()) else {
            turn.refuse("a code was typed where none was asked for");
            return Ok(refused("code", NOT_OFFERED));
        };
        let now = turn.world.now();
        let mut attempts = mfa_attempts(turn.world.objects(), user).await?;
        let mut devices = self.devices(turn, owner).await?;
        devices.retain(|it| has_codes(it.value.class()));
        if let Some(until) = attempts.value.locked_until(now) {
            return Ok(wrong(turn, &devices, MfaProblem::Locked { until }));
        }
        let is_free = |it: &Versioned<Device>| it.value.throttle.locked_until(now).is_none();
        let (mut tried, locked): (Vec<_>, Vec<_>) = devices.into_iter().partition(is_free);
        let untils = locked.iter().map(|it| it.value.throttle.locked_until(now));
        if let (true, Some(until)) = (tried.is_empty(), untils.flatten().min()) {
            return Ok(wrong(turn, &locked, MfaProblem::Locked { until }));
        }
        let mut is_expired = false;
        for device in &mut tried {
            match compare(turn, &mut device.value, typed, now)? {
                Compared::Good => {
                    let device = device.clone();
                    return self.accepted(turn, device).await;
                }
                Compared::Expired => is_expired = true,
                Compared::Wrong => {}
            }
        }
        attempts.value.fail(now);
        let count = put(&attempts.value, attempts.version);
        turn.world.change(Change::Write(count));
        for device in &mut tried {
            if is_throttled(device.value.class()) {
                device.value.throttle.fail(now);
                let count = put(&device.value, device.version);
                turn.world.change(Change::Write(count));
            }
        }
        let reason = if is_expired {
            MfaProblem::Expired
        } else {
            MfaProblem::Wrong
        };
        Ok(wrong(turn, &tried, reason))
    }
}

/// Notes why a code was refused, and says nothing of it.
fn wrong(turn: &mut Turn<'_>, devices: &[Versioned<Device>], reason: MfaProblem) -> Verdict {
    let (class, device) = match devices {
        [only] => (only.value.class().as_str(), Some(only.value.uuid)),
        _ => (ANY, None),
    };
    turn.learn(Event::MfaRejected {
        class: class.to_owned(),
        device,
        reason,
    });
    refused("code", WRONG)
}

/// Compares a code with those of a device, which has one less if it is one of them.
fn compare(
    turn: &Turn<'_>,
    device: &mut Device,
    typed: &SecretString,
    now: Timestamp,
) -> Result<Compared, Error> {
    match &mut device.of {
        Authenticator::Static { codes } => {
            let mut found = None;
            for (place, code) in codes.iter().enumerate() {
                if turn.world.is_secret(typed, &code.code)? {
                    found = Some(place);
                    break;
                }
            }
            let Some(place) = found else {
                return Ok(Compared::Wrong);
            };
            codes.remove(place);
            Ok(Compared::Good)
        }
        Authenticator::Totp(totp) => Ok(match find(turn.world, totp, typed)? {
            Found::Good { t, drift } => {
                totp.last_t = t;
                totp.drift = drift;
                Compared::Good
            }
            Found::Used => Compared::Expired,
            Found::None => Compared::Wrong,
        }),
        Authenticator::Sms { code, .. } | Authenticator::Email { code, .. } => {
            sent(turn, code, typed, now)
        }
        Authenticator::Webauthn(_) | Authenticator::Duo { .. } => Ok(Compared::Wrong),
    }
}

/// A code that was sent is good once, and until it runs out.
fn sent(
    turn: &Turn<'_>,
    slot: &mut Option<Code>,
    typed: &SecretString,
    now: Timestamp,
) -> Result<Compared, Error> {
    let Some(code) = slot else {
        return Ok(Compared::Wrong);
    };
    let typed: String = typed.expose_secret().split_whitespace().collect();
    if !turn.world.is_secret(&typed.into(), &code.secret)? {
        return Ok(Compared::Wrong);
    }
    if now >= code.until {
        return Ok(Compared::Expired);
    }
    *slot = None;
    Ok(Compared::Good)
}
