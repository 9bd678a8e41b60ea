//! What a person is known by, and whether a text holds it. Only computes.
//!
//! An address or the number of a telephone is found inside of longer texts as well. What may also be
//! an ordinary word, such as a short user name, has to be all of a value, a parameter of a query, or a
//! word of a sentence, and counts only where persons are named: people choose what they are called,
//! and nobody may be called so that the trails of others go with them.

use std::collections::BTreeSet;
use std::net::IpAddr;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::places::{Place, is_parameter};
use crate::directory::device::Authenticator;
use crate::directory::erasure::Sought;
use crate::directory::{Device, User};

/// No shorter detail is looked for: everything would be found by accident.
const SHORTEST: usize = 4;

/// So many digits a telephone has at least, and at most (E.164).
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// How often a text may be encoded within another, as an address to come back to is.
const DEEPEST: usize = 4;

/// What the key of an attribute holds when its value is the number of a telephone.
const TELEPHONES: [&str; 7] = [
    "phone", "telefon", "mobile", "handy", "cell", "sms", "whatsapp",
];

/// What the key of an attribute holds when its value is an address of the account's own.
const ADDRESSES: [&str; 3] = ["mail", "upn", "principal"];

/// What the key of an attribute holds when its value is a name of a person.
const NAMES: [&str; 5] = ["name", "alias", "login", "nick", "uid"];

/// Adds what a revision of a user says of who they are.
pub(super) fn of_user(user: &User, sought: &mut Sought) {
    identifier(&user.username, sought);
    identifier(&user.email, sought);
    detail(&user.name, sought);
    for (key, value) in &user.attributes {
        of_attribute(&key.to_lowercase(), value, sought);
    }
}

/// Adds what one account and nobody else logs in with: what others have of it is only spared where it
/// is this.
pub(super) fn of_account(user: &User, sought: &mut Sought) {
    identifier(&user.username, sought);
    identifier(&user.email, sought);
    if let Some(Value::String(upn)) = user.attributes.get("upn") {
        identifier(upn, sought);
    }
}

/// Adds where a device of theirs is reached.
pub(super) fn of_device(device: &Device, sought: &mut Sought) {
    match &device.of {
        Authenticator::Sms { phone_number, .. } => telephone(phone_number, sought),
        Authenticator::Email { email, .. } => identifier(email, sought),
        Authenticator::Duo { duo_user_id, .. } => identifier(duo_user_id, sought),
        _ => {}
    }
}

/// What an attribute tells is known by its key: of a department or a birthday nobody is known.
fn of_attribute(key: &str, value: &Value, sought: &mut Sought) {
    let says = |words: &[&str]| words.iter().any(|it| key.contains(it));
    match value {
        Value::String(text) if key == "upn" => identifier(text, sought),
        Value::String(text) if says(&ADDRESSES) && is_address(text.trim()) => {
            identifier(text, sought);
        }
        Value::String(text) if says(&TELEPHONES) || key == "tel" => telephone(text, sought),
        Value::String(text) if says(&NAMES) || is_address(text.trim()) => detail(text, sought),
        Value::Array(items) => items.iter().for_each(|it| of_attribute(key, it, sought)),
        Value::Object(entries) => {
            for (key, value) in entries {
                of_attribute(&key.to_lowercase(), value, sought);
            }
        }
        _ => {}
    }
}

fn telephone(text: &str, sought: &mut Sought) {
    if is_telephone(text.trim()) {
        identifier(text, sought);
    }
}

/// Adds something that a person is known by.
pub(super) fn identifier(text: &str, sought: &mut Sought) {
    add(text, &mut sought.identifiers);
}

/// Adds something that is known of a person.
fn detail(text: &str, sought: &mut Sought) {
    if text.trim().chars().count() >= SHORTEST {
        add(text, &mut sought.details);
    }
}

fn add(text: &str, list: &mut Vec<String>) {
    let text = text.trim().to_lowercase();
    if !text.is_empty() && !list.contains(&text) {
        list.push(text);
    }
}

/// What another account is known by as well does not mean this person alone.
pub(super) fn share(sought: &mut Sought, others: &BTreeSet<String>) {
    let (shared, own): (Vec<_>, Vec<_>) = std::mem::take(&mut sought.identifiers)
        .into_iter()
        .partition(|it| others.contains(it));
    sought.identifiers = own;
    sought.shared.extend(shared);
}

fn is_address(text: &str) -> bool {
    let parts = text.split_once('@');
    parts.is_some_and(|(name, domain)| !name.is_empty() && !domain.is_empty())
        && !text.contains(char::is_whitespace)
}

/// Whether a text looks like the number of a telephone: not like a day, nor like an address of a network.
fn is_telephone(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    DIGITS.contains(&digits)
        && text
            .chars()
            .all(|it| it.is_ascii_digit() || "+-()/. ".contains(it))
        && text.parse::<IpAddr>().is_err()
        && !is_day(text)
}

/// Whether a text is three numbers of which one may be a year, as in `2026-11-27` or `27.11.2026`.
fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['-', '.', '/', ' ']).collect();
    let [first, middle, last] = parts[..] else {
        return false;
    };
    let of = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.chars().all(|it| it.is_ascii_digit())
    };
    of(middle, 2) && ((of(first, 4) && of(last, 2)) || (of(first, 2) && of(last, 4)))
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// Whether one of these needles, in lower case, is in a text that stands there.
pub(super) fn is_in_text(needles: &[&String], text: &str, place: Place) -> bool {
    let text = text.to_lowercase();
    needles.iter().any(|needle| is_in(needle, &text, place, 0))
}

/// Whether a needle is in a text; both are in lower case.
fn is_in(needle: &str, text: &str, place: Place, depth: usize) -> bool {
    let found = if is_address(needle) {
        has_address(needle, text)
    } else if is_telephone(needle) {
        has_number(needle, text) || (is_telephone(text.trim()) && digits(needle) == digits(text))
    } else {
        place == Place::Personal && (text.trim() == needle || has_word(needle, text))
    };
    if found {
        return true;
    }
    if depth == DEEPEST {
        return false;
    }
    if text.contains('=') {
        let query = text.split_once('?').map_or(text, |(_, query)| query);
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        let is_there = pairs.any(|(name, value)| {
            !is_parameter(&name) && is_in(needle, &value.to_lowercase(), place, depth + 1)
        });
        if is_there {
            return true;
        }
    }
    let decoded = percent_decode_str(text).decode_utf8_lossy().to_lowercase();
    decoded != text && is_in(needle, &decoded, place, depth + 1)
}

fn has_address(needle: &str, text: &str) -> bool {
    stands_alone(needle, text, "_-+")
}

/// Whether a needle is a word of a sentence.
fn has_word(needle: &str, text: &str) -> bool {
    text.contains(char::is_whitespace) && stands_alone(needle, text, "@_-/")
}

/// Whether a needle stands in a text between characters that no name goes on with: a letter, a digit,
/// one of `signs`, or a full stop, unless that ends the sentence.
fn stands_alone(needle: &str, text: &str, signs: &str) -> bool {
    let goes_on = |it: char| it.is_alphanumeric() || signs.contains(it);
    text.match_indices(needle).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let mut after = text[at + needle.len()..].chars();
        let ends = match after.next() {
            Some('.') => !after.next().is_some_and(char::is_alphanumeric),
            next => !next.is_some_and(goes_on),
        };
        ends && !before.is_some_and(|it| goes_on(it) || it == '.')
    })
}

/// Whether a needle stands in a text and is no part of a longer number.
fn has_number(needle: &str, text: &str) -> bool {
    let is_digit = |it: char| it.is_ascii_digit();
    text.match_indices(needle).any(|(at, _)| {
        !text[..at].ends_with(is_digit) && !text[at + needle.len()..].starts_with(is_digit)
    })
}

#[cfg(test)]
mod tests;
