//! Makes bodies smaller before they are sealed, and gives them back byte for byte.
//!
//! A body is JSON that says what its frame says too (its own id, its moment), repeats identifiers, and
//! consists for the most part of names that every body of its sort has. [`tokens`] shortens the first two;
//! the third is compressed with a dictionary that is part of this program. Each body is packed by itself:
//! nothing recorded is ever compressed together with anything else that is (decision 0045).
//! The layout is frozen: format 2 of a frame means this one and `dictionary-2.txt`, for ever.

use std::sync::OnceLock;

use super::frame::{Frame, LIMIT};

mod tokens;

#[cfg(test)]
mod tests;

/// The body as it is.
const PLAIN: u8 = 0;

/// The length of the tokens in four bytes, and then their LZ4 block over the dictionary.
const PACKED: u8 = 1;

/// Below so many bytes nothing is won.
const LEAST: usize = 24;

/// What bodies of the usual sorts look like, as tokens in words.
const DICTIONARY: &str = include_str!("pack/dictionary-2.txt");

/// The words for tokens in the dictionary's text, and the tokens.
const WORDS: [(&str, &[u8]); 12] = [
    ("\n", b""),
    ("‹own›", &[tokens::KNOWN, 0]),
    ("‹key›", &[tokens::KNOWN, 1]),
    ("‹cause›", &[tokens::KNOWN, 2]),
    ("‹3›", &[tokens::KNOWN, 3]),
    ("‹4›", &[tokens::KNOWN, 4]),
    ("‹id›", &[tokens::NEW]),
    ("‹hex›", &[tokens::NEW_PLAIN]),
    ("‹hex 4›", &[tokens::KNOWN_PLAIN, 4]),
    ("‹hex 5›", &[tokens::KNOWN_PLAIN, 5]),
    ("‹now›", &[tokens::MOMENT, 0]),
    ("‹time›", &[tokens::MOMENT]),
];

fn dictionary() -> &'static [u8] {
    static MADE: OnceLock<Vec<u8>> = OnceLock::new();
    MADE.get_or_init(|| {
        let mut made = Vec::with_capacity(DICTIONARY.len());
        let mut rest = DICTIONARY;
        while let Some(letter) = rest.chars().next() {
            let word = WORDS.iter().find(|(word, _)| rest.starts_with(word));
            let (taken, bytes) = match word {
                Some((word, token)) => (word.len(), *token),
                None => (letter.len_utf8(), &rest.as_bytes()[..letter.len_utf8()]),
            };
            made.extend_from_slice(bytes);
            rest = &rest[taken..];
        }
        made
    })
}

/// The body, made smaller if that can be done.
#[must_use]
pub(super) fn pack(body: &[u8], frame: &Frame) -> Vec<u8> {
    if body.len() >= LEAST
        && let Some(tokens) = tokens::of(body, frame)
        && let Ok(length) = u32::try_from(tokens.len())
    {
        let packed = lz4_flex::block::compress_with_dict(&tokens, dictionary());
        if packed.len() + 4 < body.len() {
            return [&[PACKED][..], &length.to_be_bytes(), &packed].concat();
        }
    }
    [&[PLAIN], body].concat()
}

/// The body that was given to [`pack`] with the same frame.
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
            let tokens = lz4_flex::block::decompress_with_dict(block, length, dictionary())
                .map_err(|error| error.to_string())?;
            tokens::body(&tokens, frame)
        }
        Some((other, _)) => Err(format!("it is packed in the unknown way {other}")),
        None => Err("it is empty".into()),
    }
}
