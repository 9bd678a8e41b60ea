//! Passwords as they are stored: making new encodings and checking all that Django knows.

use secrecy::{ExposeSecret, SecretString};

use crate::clock::Clock;

/// What marks an encoding that no password fits.
const UNUSABLE: char = '!';

/// An encoding that no password fits; random, so that two of them tell nothing.
#[must_use]
pub fn unusable(clock: &Clock) -> SecretString {
    let tail = clock.random_text(40);
    format!("{UNUSABLE}{}", tail.expose_secret()).into()
}

/// Whether any password may fit this encoding, as far as its first character tells.
#[must_use]
pub fn is_usable(encoded: &str) -> bool {
    !encoded.is_empty() && !encoded.starts_with(UNUSABLE)
}
