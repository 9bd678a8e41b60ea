//! The short code by which an operator finds an execution that a visitor speaks of.
//!
//! Ten characters of Crockford's base 32 in two groups of five, such as `D7K2M-9QX4T`: 32 bits of
//! the second in which the execution began and 18 bits of its random part. Nobody can find the
//! execution's id by its code without reading the journal.

use std::fmt;

use uuid::Uuid;

/// The characters, in the order of their values. No I, L, O or U: they are misread, or make words.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// How many characters there are.
const LENGTH: usize = 10;

/// How many bits of the random part there are.
const RANDOM: u32 = 18;

/// A code as it is shown and typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(u64);

/// The code of the execution with this id.
#[must_use]
pub fn code(id: Uuid) -> Code {
    let (time, random) = id.as_u64_pair();
    let second = ((time >> 16) / 1000) & u64::from(u32::MAX);
    // The lowest bits are random whatever counter stands further up.
    let random = random & ((1 << RANDOM) - 1);
    Code((second << RANDOM) | random)
}

impl Code {
    /// Reads a code as somebody typed it: in lower case, with O for 0 and I or L for 1, and with
    /// dashes and spaces anywhere or nowhere.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bits = 0;
        let mut count = 0;
        for letter in text.bytes() {
            if letter == b'-' || letter.is_ascii_whitespace() {
                continue;
            }
            let letter = match letter.to_ascii_uppercase() {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                letter => letter,
            };
            let value = LETTERS.iter().position(|&known| known == letter)?;
            count += 1;
            if count > LENGTH {
                return None;
            }
            bits = (bits << 5) | value as u64;
        }
        (count == LENGTH).then_some(Self(bits))
    }

    /// The first and the last id that an execution can have that began in the code's second.
    #[must_use]
    pub fn range(self) -> (Uuid, Uuid) {
        let first = u128::from(self.0 >> RANDOM) * 1000;
        let fixed = (7 << 76) | (0b10 << 62);
        let random = !((0xf << 76) | (0b11 << 62)) & ((1 << 80) - 1);
        let last = first + 999;
        (
            Uuid::from_u128((first << 80) | fixed),
            Uuid::from_u128((last << 80) | fixed | random),
        )
    }

    /// Whether this is the code of the execution with this id.
    #[must_use]
    pub fn is_of(self, id: Uuid) -> bool {
        code(id) == self
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for at in 0..LENGTH {
            if at == LENGTH / 2 {
                f.write_str("-")?;
            }
            let value = (self.0 >> (5 * (LENGTH - 1 - at))) & 31;
            let letter = LETTERS[usize::try_from(value).map_err(|_| fmt::Error)?];
            write!(f, "{}", char::from(letter))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Uuid = Uuid::from_u128(0x019a_bcde_f012_7345_89ab_cdef_0123_4567);

    #[test]
    fn a_code_is_two_groups_and_is_read_back_however_it_is_typed() {
        let code = code(ID);
        let shown = code.to_string();
        assert_eq!(shown.len(), 11);
        assert_eq!(shown.find('-'), Some(5));
        for typed in [
            shown.clone(),
            shown.to_lowercase(),
            shown.replace('-', ""),
            shown.replace('0', "O").replace('1', "l"),
            shown.replace('0', "o").replace('1', "I"),
            format!("  {} ", shown.replace('-', " ")),
        ] {
            assert_eq!(Code::parse(&typed), Some(code), "{typed}");
        }
    }

    #[test]
    fn what_is_no_code_is_none() {
        for typed in [
            "",
            "12345",
            "12345-6789",
            "12345-67890-1",
            "UUUUU-UUUUU",
            "é2345-67890",
        ] {
            assert_eq!(Code::parse(typed), None, "{typed}");
        }
    }

    #[test]
    fn a_code_is_of_its_own_execution_which_lies_in_its_second() {
        let code = code(ID);
        assert!(code.is_of(ID));
        assert!(!code.is_of(Uuid::from_u128(ID.as_u128() ^ 1)));
        assert!(!code.is_of(Uuid::from_u128(ID.as_u128() + (1000 << 80))));
        let (first, last) = code.range();
        assert!(first <= ID && ID <= last);
        for end in [first, last] {
            assert_eq!(end.get_version_num(), 7);
            assert_eq!(end.get_variant(), uuid::Variant::RFC4122);
            assert_eq!(super::code(end).0 >> RANDOM, code.0 >> RANDOM);
        }
        let before = (first.as_u128() >> 80) - 1;
        let after = (last.as_u128() >> 80) + 1;
        for outside in [before, after] {
            let outside = super::code(Uuid::from_u128(outside << 80));
            assert_ne!(outside.0 >> RANDOM, code.0 >> RANDOM);
        }
    }
}
