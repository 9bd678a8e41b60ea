//! Identifiers and moments as a few bytes instead of their letters.
//!
//! A token begins with a byte that no text in UTF-8 has. It stands for what follows a quotation mark in a
//! body: an identifier, with hyphens or without, or a moment. Identifiers are numbered as they come, after
//! those of the frame; a moment is told by its distance from the frame's. Only compute: whatever is not
//! written exactly as these functions would write it stays as it is.

use jiff::Timestamp;
use jiff::tz::Offset;

use super::Place;
use crate::journal::frame::LIMIT;
use crate::journal::varint::{self, Bad};

/// An identifier with hyphens that was not there before; its 16 bytes follow.
pub(super) const NEW: u8 = 0xf8;
/// One that was; its number follows.
pub(super) const KNOWN: u8 = 0xf9;
/// As [`NEW`], without hyphens.
pub(super) const NEW_PLAIN: u8 = 0xfa;
/// As [`KNOWN`], without hyphens.
pub(super) const KNOWN_PLAIN: u8 = 0xfb;
/// A moment; its distance from the frame's follows, in nanoseconds.
pub(super) const MOMENT: u8 = 0xfc;

/// No byte of a text is as great as this one.
const FIRST: u8 = 0xf8;

/// So many identifiers have a number.
const NUMBERED: usize = 256;

/// The most letters of a moment: nine digits of a second, and no sign before the year.
const LONGEST: usize = 30;

/// The identifiers that have a number.
struct Table(Vec<[u8; 16]>);

impl Table {
    fn of(place: &Place) -> Self {
        let ids = [place.stream.id, place.key.0, place.correlation];
        Self(ids.map(uuid::Uuid::into_bytes).to_vec())
    }

    fn number(&self, id: [u8; 16]) -> Option<u8> {
        let at = self.0.iter().position(|known| *known == id)?;
        u8::try_from(at).ok()
    }

    fn add(&mut self, id: [u8; 16]) {
        if self.0.len() < NUMBERED {
            self.0.push(id);
        }
    }
}

/// The body with tokens in it; `None` when it has bytes that look like one.
pub(super) fn of(body: &[u8], place: &Place) -> Option<Vec<u8>> {
    let mut table = Table::of(place);
    let mut tokens = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some((&byte, after)) = rest.split_first() {
        if byte >= FIRST {
            return None;
        }
        tokens.push(byte);
        rest = after;
        if byte == b'"' {
            let taken = token(rest, place, &mut table, &mut tokens);
            rest = &rest[taken..];
        }
    }
    Some(tokens)
}

/// Adds the token that `text` begins with, and says how many letters it stands for; none is no token.
fn token(text: &[u8], place: &Place, table: &mut Table, tokens: &mut Vec<u8>) -> usize {
    if !text.first().is_some_and(u8::is_ascii_hexdigit) {
        return 0;
    }
    let ends_at = |length: usize| text.get(length) == Some(&b'"');
    let (id, new, known, length) = if ends_at(36) {
        (hyphenated(&text[..36]), NEW, KNOWN, 36)
    } else if ends_at(32) {
        (plain(&text[..32]), NEW_PLAIN, KNOWN_PLAIN, 32)
    } else {
        return moment(text, place, tokens);
    };
    let Some(id) = id else {
        return 0;
    };
    if let Some(number) = table.number(id) {
        tokens.extend([known, number]);
    } else {
        tokens.push(new);
        tokens.extend(id);
        table.add(id);
    }
    length
}

fn moment(text: &[u8], place: &Place, tokens: &mut Vec<u8>) -> usize {
    let letters = &text[..text.len().min(LONGEST + 1)];
    let Some(length) = letters.iter().position(|letter| *letter == b'"') else {
        return 0;
    };
    let letters = &letters[..length];
    if length < 20 || letters[length - 1] != b'Z' || letters[10] != b'T' {
        return 0;
    }
    let told = std::str::from_utf8(letters).unwrap_or_default();
    let Ok(at) = told.parse::<Timestamp>() else {
        return 0;
    };
    let distance = at.as_nanosecond() - place.at.as_nanosecond();
    let Ok(distance) = i64::try_from(distance) else {
        return 0;
    };
    let mut written = Vec::with_capacity(LONGEST);
    write_moment(at, &mut written);
    if written != letters {
        return 0;
    }
    tokens.push(MOMENT);
    varint::write(tokens, varint::folded(distance));
    length
}

/// The body that has these tokens.
pub(super) fn body(tokens: &[u8], place: &Place) -> Result<Vec<u8>, String> {
    let mut table = Table::of(place);
    let mut body = Vec::with_capacity(tokens.len() * 2);
    let mut rest = tokens;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            NEW | NEW_PLAIN => {
                let (id, after) = rest.split_first_chunk::<16>().ok_or("a token is cut off")?;
                table.add(*id);
                write_id(*id, byte == NEW, &mut body);
                rest = after;
            }
            KNOWN | KNOWN_PLAIN => {
                let (number, after) = rest.split_first().ok_or("a token is cut off")?;
                let id = table.0.get(usize::from(*number));
                let id = id.ok_or("it names an identifier that is not there")?;
                write_id(*id, byte == KNOWN, &mut body);
                rest = after;
            }
            MOMENT => {
                let (distance, after) = distance(rest)?;
                let at = place.at.as_nanosecond() + i128::from(distance);
                let at = Timestamp::from_nanosecond(at).map_err(|error| error.to_string())?;
                write_moment(at, &mut body);
                rest = after;
            }
            FIRST.. => return Err(format!("it has the unknown token {byte}")),
            letter => body.push(letter),
        }
        if body.len() > LIMIT {
            return Err("it is larger than a record may be".into());
        }
    }
    Ok(body)
}

fn distance(rest: &[u8]) -> Result<(i64, &[u8]), String> {
    let (folded, after) = varint::read(rest).map_err(|bad| match bad {
        Bad::Short => "a token is cut off",
        Bad::Large => "a moment in it is too far away",
    })?;
    Ok((varint::unfolded(folded), after))
}

/// Where the hyphens of an identifier are.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

fn hyphenated(text: &[u8]) -> Option<[u8; 16]> {
    if HYPHENS.iter().any(|at| text[*at] != b'-') {
        return None;
    }
    let mut digits = [0; 32];
    let letters = text.iter().enumerate();
    let letters = letters.filter(|(at, _)| !HYPHENS.contains(at));
    for (digit, (_, letter)) in digits.iter_mut().zip(letters) {
        *digit = *letter;
    }
    plain(&digits)
}

fn plain(digits: &[u8]) -> Option<[u8; 16]> {
    let mut id = [0; 16];
    for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = (digit(pair[0])? << 4) | digit(pair[1])?;
    }
    Some(id)
}

const fn digit(letter: u8) -> Option<u8> {
    match letter {
        b'0'..=b'9' => Some(letter - b'0'),
        b'a'..=b'f' => Some(letter - b'a' + 10),
        _ => None,
    }
}

fn write_id(id: [u8; 16], hyphens: bool, to: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (at, byte) in id.into_iter().enumerate() {
        if hyphens && matches!(at, 4 | 6 | 8 | 10) {
            to.push(b'-');
        }
        to.push(DIGITS[usize::from(byte >> 4)]);
        to.push(DIGITS[usize::from(byte & 15)]);
    }
}

/// Written here and not by a library, whose next version might write it otherwise.
fn write_moment(at: Timestamp, to: &mut Vec<u8>) {
    let told = Offset::UTC.to_datetime(at);
    let parts = [
        (i32::from(told.year()), 4, b'-'),
        (i32::from(told.month()), 2, b'-'),
        (i32::from(told.day()), 2, b'T'),
        (i32::from(told.hour()), 2, b':'),
        (i32::from(told.minute()), 2, b':'),
        (i32::from(told.second()), 2, b'.'),
    ];
    for (value, width, after) in parts {
        write_digits(value.unsigned_abs(), width, to);
        to.push(after);
    }
    write_digits(told.subsec_nanosecond().unsigned_abs(), 9, to);
    while to.last() == Some(&b'0') {
        to.pop();
    }
    if to.last() == Some(&b'.') {
        to.pop();
    }
    to.push(b'Z');
}

fn write_digits(value: u32, width: u32, to: &mut Vec<u8>) {
    for place in (0..width).rev() {
        let digit = value / 10_u32.pow(place) % 10;
        to.push(b'0' + digit.to_le_bytes()[0]);
    }
}
