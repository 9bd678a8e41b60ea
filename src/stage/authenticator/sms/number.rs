//! Telephone numbers: what counts as one, and what is kept of one that is only verified.

use sha2::{Digest, Sha256};

/// A telephone number without what people put between its digits; `None` where it is none.
pub(super) fn normalised(typed: &str) -> Option<String> {
    let number: String = typed
        .chars()
        .filter(|it| !it.is_whitespace() && !"-().".contains(*it))
        .collect();
    let digits = number.strip_prefix('+').unwrap_or(&number);
    let is_number =
        (4..=15).contains(&digits.len()) && digits.bytes().all(|it| it.is_ascii_digit());
    is_number.then_some(number)
}

/// The telephone that a number reaches, as far as that can be said of a number: `+1…`, `001…` and
/// `1…` are one. Two that are not one may be taken for one, as a national number that reads like
/// the beginning of an international one; then they share an allowance, and nothing else.
pub(super) fn place(number: &str) -> String {
    number
        .trim_start_matches('+')
        .trim_start_matches('0')
        .to_owned()
}

/// What a number is kept as where it is only verified.
pub(super) fn hashed(number: &str) -> String {
    let digest = Sha256::digest(number.as_bytes());
    format!("hash:{}", base16ct::lower::encode_string(&digest))
}

/// Whether a number is kept as its hash only, so that nothing can be sent there.
pub(in super::super) fn is_hashed(number: &str) -> bool {
    number.starts_with("hash:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_kept_without_what_people_put_between_its_digits() {
        for (typed, kept) in [
            ("+49 (170) 123-45.67", "+491701234567"),
            (" 0170 1234567", "01701234567"),
            ("1234", "1234"),
        ] {
            assert_eq!(normalised(typed).as_deref(), Some(kept));
        }
        for typed in [
            "",
            "+",
            "123",
            "12a4",
            "+12345678901234567",
            "٣٣٣٣",
            "1+234",
        ] {
            assert_eq!(normalised(typed), None, "{typed}");
        }
    }

    #[test]
    fn however_a_number_is_dialled_it_is_one_telephone() {
        for number in ["+15551234567", "15551234567", "0015551234567"] {
            assert_eq!(place(number), "15551234567");
        }
        assert_ne!(place("+15551234567"), place("+15551234568"));
        assert_ne!(place("+15551234567"), place("+4915551234567"));
    }

    #[test]
    fn a_hash_is_told_from_a_number() {
        let hash = hashed("+1555");
        let known = "hash:e4d007151a94d1daeaf529a51d7f0c74c1572568544fef77b2589892422fe940";
        assert_eq!(hash, known);
        assert!(is_hashed(&hash) && !is_hashed("+1555"));
    }
}
