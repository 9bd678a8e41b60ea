//! Pictures that a telephone's camera reads. Shapes only; a template draws them.

use std::fmt::Write as _;

use qrcode::{Color, QrCode};
use serde::Serialize;

/// White modules around a picture, which readers want to see.
const MARGIN: usize = 4;

/// A picture of small squares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Picture {
    /// How many squares are in a row.
    size: usize,
    /// The black ones, as the path of an SVG.
    path: String,
}

/// The picture of a text; `None` when it is too long for one.
pub(super) fn of(text: &str) -> Option<Picture> {
    let code = QrCode::new(text).ok()?;
    let width = code.width();
    let mut path = String::new();
    for (place, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            let (x, y) = (place % width + MARGIN, place / width + MARGIN);
            write!(path, "M{x} {y}h1v1h-1z").expect("a text takes any text");
        }
    }
    Some(Picture {
        size: width + 2 * MARGIN,
        path,
    })
}

/// The key in an `otpauth` address, in groups that are easy to type.
pub(super) fn key(address: &str) -> String {
    let parts = address.split_once('?').map_or("", |(_, query)| query);
    let mut parts = parts.split('&');
    let letters = parts.find_map(|part| part.strip_prefix("secret="));
    let letters: Vec<char> = letters.unwrap_or_default().chars().collect();
    let groups = letters.chunks(4).map(|group| group.iter().collect());
    groups.collect::<Vec<String>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_squares_with_white_around_them() {
        let picture = of("otpauth://totp/a?secret=ABC").expect("it is short");
        assert!(picture.path.starts_with("M4 4h1v1h-1z"), "{}", picture.path);
        assert_eq!((picture.size - 2 * MARGIN - 17) % 4, 0, "a version of QR");
        assert_eq!(of(&"x".repeat(10_000)), None);
    }

    #[test]
    fn a_key_is_told_in_groups_of_four() {
        assert_eq!(
            key("otpauth://totp/a?secret=ABCDEFGHIJ&digits=6"),
            "ABCD EFGH IJ"
        );
        assert_eq!(key("otpauth://totp/a"), "");
    }
}
