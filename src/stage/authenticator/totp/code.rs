//! Codes that go by a counter (RFC 4226) and by the time (RFC 6238), and which of them is good.
//!
//! Nothing here branches on a key or on what was typed: whether they are equal is asked of the
//! world, which notes the answer, so that a replay takes the same way without either.

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;

use crate::directory::device::Totp;
use crate::stage::Error;
use crate::world::World;

/// How many steps a clock may be ahead or behind.
const TOLERANCE: i64 = 1;

/// What became of a code that was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::stage::authenticator) enum Found {
    /// It is the code of this step.
    Good {
        /// The step.
        t: i64,
        /// How many steps the device's clock is ahead of ours.
        drift: i64,
    },
    /// It is a code that was used, or one from before that.
    Used,
    /// It is none of the codes.
    None,
}

/// Looks for a code among those of the steps around now.
pub(in crate::stage::authenticator) fn find(
    world: &dyn World,
    device: &Totp,
    typed: &SecretString,
) -> Result<Found, Error> {
    let typed = plain(typed.expose_secret(), device.digits);
    within(device, world.now(), TOLERANCE, |code| {
        Ok(world.is_secret(&typed, code)?)
    })
}

fn within(
    device: &Totp,
    now: Timestamp,
    tolerance: i64,
    is_it: impl Fn(&SecretString) -> Result<bool, Error>,
) -> Result<Found, Error> {
    let now = step(now, device.step);
    let mut is_used = false;
    for offset in -tolerance..=tolerance {
        let drift = device.drift.saturating_add(offset);
        let t = now.saturating_add(drift);
        let code = hotp(&bytes(device.key.expose_secret()), t, device.digits);
        if !is_it(&code)? {
            continue;
        }
        if t > device.last_t {
            return Ok(Found::Good { t, drift });
        }
        is_used = true;
    }
    Ok(if is_used { Found::Used } else { Found::None })
}

/// The number of a moment's step.
fn step(now: Timestamp, step: u32) -> i64 {
    now.as_second().div_euclid(i64::from(step.max(1)))
}

/// What was typed as Python's `int` reads it, in the form of a code; anything else as it is, which
/// is no code.
fn plain(typed: &str, digits: u8) -> SecretString {
    // Many apps show a code in two groups.
    let joined: String = typed.split_whitespace().collect();
    let trimmed = joined.as_str();
    let number = trimmed.strip_prefix('+').unwrap_or(trimmed);
    let is_number = number
        .split('_')
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    if !is_number {
        return typed.into();
    }
    let number = number.replace('_', "");
    let number = number.trim_start_matches('0');
    format!("{number:0>width$}", width = usize::from(digits)).into()
}

/// The bytes of a key; none where it is no hexadecimal text, as in a replay.
pub(super) fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digits: Option<Vec<_>> = hexadecimal.chars().map(|it| it.to_digit(16)).collect();
    let digits = digits.unwrap_or_default();
    let byte = |pair: &[u32]| match pair {
        [high, low] => u8::try_from((high << 4) | low).ok(),
        _ => None,
    };
    digits.chunks(2).filter_map(byte).collect()
}

/// RFC 4226.
fn hotp(key: &[u8], counter: i64, digits: u8) -> SecretString {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(&counter.to_be_bytes());
    let sum: [u8; 20] = mac.finalize().into_bytes().into();
    let from = usize::from(sum[19] & 0x0f);
    let four = [sum[from], sum[from + 1], sum[from + 2], sum[from + 3]];
    let number = u32::from_be_bytes(four) & 0x7fff_ffff;
    // Nine digits are all that 31 bits have in full.
    let digits = u32::from(digits.min(9));
    let width = usize::try_from(digits).unwrap_or_default();
    format!("{:0>width$}", number % 10_u32.pow(digits)).into()
}

#[cfg(test)]
mod tests;
