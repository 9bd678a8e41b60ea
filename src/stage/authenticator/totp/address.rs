//! The address that an app reads from a picture: `otpauth://totp/…`.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::ExposeSecret;

use super::code;
use crate::directory::device::Totp;

/// What Python's `quote` leaves as it is.
const QUOTED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'_')
    .remove(b'.')
    .remove(b'-')
    .remove(b'~')
    .remove(b'/');

/// Whether the key is in an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Secret {
    /// For the visitor.
    Shown,
    /// For the trail.
    LeftOut,
}

/// The address of a device that `username` has with `issuer`.
pub(super) fn of(device: &Totp, issuer: &str, username: &str, secret: Secret) -> String {
    let issuer = issuer.replace(':', "");
    let label = if issuer.is_empty() {
        username.to_owned()
    } else {
        format!("{issuer}:{username}")
    };
    let quoted = |text: &str| utf8_percent_encode(text, QUOTED).to_string();
    let mut address = format!("otpauth://totp/{}?", quoted(&label));
    if secret == Secret::Shown {
        let key = base32(&code::bytes(device.key.expose_secret()));
        address.push_str("secret=");
        address.push_str(&key);
        address.push('&');
    }
    let Totp { digits, step, .. } = device;
    write!(address, "algorithm=SHA1&digits={digits}&period={step}").expect("a text takes any text");
    if !issuer.is_empty() {
        address.push_str("&issuer=");
        address.push_str(&quoted(&issuer));
    }
    address
}

/// RFC 4648, filled up with `=` to eighths as Python does: form-urlencoded.
fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::new();
    for group in bytes.chunks(5) {
        let mut five = [0; 5];
        five[..group.len()].copy_from_slice(group);
        let bits = five
            .iter()
            .fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
        let letters = (group.len() * 8).div_ceil(5);
        for place in 0..8 {
            if place < letters {
                let index = usize::try_from((bits >> (35 - 5 * place)) & 31).unwrap_or_default();
                text.push(char::from(LETTERS[index]));
            } else {
                text.push_str("%3D");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device() -> Totp {
        Totp {
            key: "2a2bbba1092ffdd25a328ad1a0a5f5d61d7aacc4".into(),
            digits: 6,
            step: 30,
            drift: 0,
            last_t: -1,
        }
    }

    #[test]
    fn without_an_issuer_there_is_only_a_name() {
        let expected = "otpauth://totp/alice?secret=FIV3XIIJF765EWRSRLI2BJPV2YOXVLGE&algorithm=SHA1&digits=6&period=30";
        assert_eq!(of(&device(), "", "alice", Secret::Shown), expected);
    }

    #[test]
    fn an_issuer_stands_before_the_name_and_at_the_end() {
        let address = of(&device(), "example.com", "alice", Secret::Shown);
        assert!(address.starts_with("otpauth://totp/example.com%3Aalice?"));
        assert!(address.ends_with("&period=30&issuer=example.com"));
        let address = of(&device(), "Very: Trusted & Co", "a b", Secret::Shown);
        assert!(address.starts_with("otpauth://totp/Very%20Trusted%20%26%20Co%3Aa%20b?"));
        assert!(address.ends_with("&issuer=Very%20Trusted%20%26%20Co"));
    }

    #[test]
    fn the_trail_has_everything_but_the_key() {
        let address = of(&device(), "example.com", "alice", Secret::LeftOut);
        assert_eq!(
            address,
            "otpauth://totp/example.com%3Aalice?algorithm=SHA1&digits=6&period=30&issuer=example.com"
        );
    }

    #[test]
    fn letters_are_those_of_the_rfc() {
        for (bytes, letters) in [
            ("", ""),
            ("f", "MY%3D%3D%3D%3D%3D%3D"),
            ("fo", "MZXQ%3D%3D%3D%3D"),
            ("foo", "MZXW6%3D%3D%3D"),
            ("foob", "MZXW6YQ%3D"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI%3D%3D%3D%3D%3D%3D"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), letters);
        }
    }
}
