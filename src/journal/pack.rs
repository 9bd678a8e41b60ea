//! Makes bodies smaller before they are sealed, and gives them back byte for byte.
//!
//! A body is JSON that says what its frame says too (its own id, its moment), repeats identifiers, and
//! consists for the most part of names that every body of its sort has. [`tokens`] shortens the first two;
//! the third is compressed with a dictionary that is part of this program. Each body is packed by itself:
//! nothing recorded is ever compressed together with anything else that is (decision 0045).
//! The layout is frozen: format 2 of a frame means this one and `dictionary-2.txt`, for ever.

use std::sync::OnceLock;

use jiff::Timestamp;
use uuid::Uuid;

use super::frame::{Frame, LIMIT};
use super::{Commit, KeyId, StreamId, Write};

mod lz4;
mod tokens;

#[cfg(test)]
mod tests;

/// The body as it is.
const PLAIN: u8 = 0;

/// The length of the tokens in four bytes, and then an LZ4 block of them over the dictionary.
const PACKED: u8 = 1;

/// Below so many bytes nothing is won.
const LEAST: usize = 24;

/// What bodies of the usual sorts look like, as tokens in words.
const DICTIONARY: &str = include_str!("pack/dictionary-2.txt");

fn dictionary() -> &'static lz4::Dictionary {
    static MADE: OnceLock<lz4::Dictionary> = OnceLock::new();
    MADE.get_or_init(|| lz4::Dictionary::of(in_tokens(DICTIONARY)))
}

/// The bytes of the dictionary's text: its lines one after the other, with tokens for the words in
/// quotation marks: `‹id›`, `‹hex›`, `‹time›` begin one, and `‹now›`, `‹3›`, `‹hex 3›` are one.
fn in_tokens(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let word = rest.strip_prefix('‹').and_then(|rest| rest.split_once('›'));
        let token = word.and_then(|(word, after)| Some((token_of(word)?, after)));
        if let Some((token, after)) = token {
            bytes.extend(token);
            rest = after;
            continue;
        }
        let (sign, after) = rest.split_at(letter.len_utf8());
        if letter != '\n' {
            bytes.extend_from_slice(sign.as_bytes());
        }
        rest = after;
    }
    bytes
}

fn token_of(word: &str) -> Option<Vec<u8>> {
    Some(match word {
        "id" => vec![tokens::NEW],
        "hex" => vec![tokens::NEW_PLAIN],
        "time" => vec![tokens::MOMENT],
        "now" => vec![tokens::MOMENT, 0],
        other => match other.strip_prefix("hex ") {
            Some(number) => vec![tokens::KNOWN_PLAIN, number.parse().ok()?],
            None => vec![tokens::KNOWN, other.parse().ok()?],
        },
    })
}

/// Where a body lies: what its frame says, as far as that is known before anything is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    stream: StreamId,
    key: KeyId,
    correlation: Uuid,
    at: Timestamp,
}

impl Place {
    fn of(frame: &Frame) -> Self {
        Self {
            stream: frame.stream,
            key: frame.key,
            correlation: frame.correlation,
            at: frame.at,
        }
    }
}

/// The bodies of a commit, packed, one for each of its writes that has one.
#[derive(Debug)]
pub(super) struct Bodies(Vec<Option<Vec<u8>>>);

impl Bodies {
    /// Packs them. That takes the most time of all that happens to a commit but the disk, so it is done
    /// by whoever commits and not by the one thread that writes.
    pub(super) fn of(commit: &Commit) -> Self {
        let packed = commit.writes.iter().map(|write| match write {
            Write::Append {
                stream, key, body, ..
            }
            | Write::Put {
                stream, key, body, ..
            } => {
                let place = Place {
                    stream: *stream,
                    key: *key,
                    correlation: commit.correlation,
                    at: commit.at,
                };
                Some(pack(body, &place))
            }
            _ => None,
        });
        Self(packed.collect())
    }

    /// That of the write with this number; empty where it has none.
    pub(super) fn get(&self, write: usize) -> &[u8] {
        let body = self.0.get(write).and_then(Option::as_deref);
        body.unwrap_or_default()
    }
}

/// The body, made smaller if that can be done.
fn pack(body: &[u8], place: &Place) -> Vec<u8> {
    if body.len() >= LEAST
        && let Some(tokens) = tokens::of(body, place)
        && let Ok(length) = u32::try_from(tokens.len())
    {
        let packed = lz4::compress(&tokens, dictionary());
        if packed.len() + 4 < body.len() {
            return [&[PACKED][..], &length.to_be_bytes(), &packed].concat();
        }
    }
    [&[PLAIN], body].concat()
}

/// The body that was packed for the place of this frame.
///
/// # Errors
/// Says what is wrong with it. Nothing makes it panic, or ask for more memory than a record may have.
pub(super) fn unpack(packed: &[u8], frame: &Frame) -> Result<Vec<u8>, String> {
    match packed.split_first() {
        Some((&PLAIN, body)) => Ok(body.to_vec()),
        Some((&PACKED, rest)) => {
            let (length, block) = rest.split_first_chunk::<4>().ok_or("it is cut off")?;
            let length = u32::from_be_bytes(*length) as usize;
            if length > LIMIT {
                return Err(format!(
                    "it claims {length} bytes, more than a record may have"
                ));
            }
            let tokens = lz4_flex::block::decompress_with_dict(block, length, dictionary().bytes())
                .map_err(|error| error.to_string())?;
            tokens::body(&tokens, &Place::of(frame))
        }
        Some((other, _)) => Err(format!("it is packed in the unknown way {other}")),
        None => Err("it is empty".into()),
    }
}
