//! The names that tell streams of different things apart.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// What a stream is about, such as `execution` or `user`: 1 to 23 bytes of lower-case ASCII.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind {
    text: [u8; 23],
    length: u8,
}

impl Kind {
    /// The most bytes that a name may have.
    pub const LONGEST: usize = 23;

    /// A kind by a name that was read; `None` unless it is 1 to 23 lower-case letters, digits,
    /// `_` or `-`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let plain = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-')
        };
        ((1..=Self::LONGEST).contains(&name.len()) && name.bytes().all(plain))
            .then(|| Self::new(name))
    }

    /// A kind by its name.
    ///
    /// # Panics
    /// When the name is no kind (see [`Kind::parse`]); in a constant this fails the build.
    #[must_use]
    pub const fn new(name: &str) -> Self {
        let bytes = name.as_bytes();
        assert!(
            !bytes.is_empty() && bytes.len() <= 23,
            "a kind has 1 to 23 bytes"
        );
        let mut text = [0; 23];
        let mut at = 0;
        while at < bytes.len() {
            assert!(
                bytes[at].is_ascii_lowercase()
                    || bytes[at].is_ascii_digit()
                    || matches!(bytes[at], b'_' | b'-'),
                "a kind is lower-case letters, digits, `_` and `-`"
            );
            text[at] = bytes[at];
            at += 1;
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the length was checked above"
        )]
        let length = bytes.len() as u8;
        Self { text, length }
    }

    /// The kind's name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text[..usize::from(self.length)]).unwrap_or_default()
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kind({self})")
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::parse(&name).ok_or_else(|| {
            de::Error::invalid_value(
                de::Unexpected::Str(&name),
                &"1 to 23 lower-case letters, digits, `_` or `-`",
            )
        })
    }
}
