//! A picture for a user who has none: their initials on a coloured ground.
//!
//! It is a data address, so showing it asks nobody for anything. The colour comes from SHA-256
//! of the name, where the original takes MD5: it is as steady, but another one.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::User;

/// Width and height in pixels.
const SIZE: u32 = 64;

/// The picture of a user, as an address: by their name, or by their user name if they have none.
#[must_use]
pub fn of(user: &User) -> String {
    if user.name.trim().is_empty() {
        initials(&user.username)
    } else {
        initials(&user.name)
    }
}

/// The picture for a name: the first letters of its first and last word, or the first two
/// letters of its only word, in upper case.
#[must_use]
pub fn initials(name: &str) -> String {
    let words: Vec<&str> = name.split_whitespace().collect();
    let letters: String = match words[..] {
        [] => String::new(),
        [only] => only.chars().take(2).collect(),
        [first, .., last] => first.chars().take(1).chain(last.chars().take(1)).collect(),
    };
    let (ground, ink) = colours(name);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{SIZE}px\" height=\"{SIZE}px\" \
         viewBox=\"0 0 {SIZE} {SIZE}\" version=\"1.1\">\
         <rect fill=\"#{ground}\" width=\"{SIZE}\" height=\"{SIZE}\"/>\
         <text x=\"50%\" y=\"50%\" fill=\"#{ink}\" font-family=\"sans-serif\" font-size=\"28\" \
         dominant-baseline=\"middle\" text-anchor=\"middle\" dy=\".1em\">"
    );
    for letter in letters.to_uppercase().chars() {
        match letter {
            '&' => svg.push_str("&amp;"),
            '<' => svg.push_str("&lt;"),
            '>' => svg.push_str("&gt;"),
            // What XML has no place for, such as control characters.
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => {}
            letter => svg.push(letter),
        }
    }
    svg.push_str("</text></svg>");
    format!("data:image/svg+xml;base64,{}", STANDARD.encode(svg))
}

/// The colours of the ground and of the letters on it, as six hexadecimal digits each.
fn colours(name: &str) -> (String, &'static str) {
    let digest = Sha256::digest(name.to_lowercase());
    // Neither too dark nor too light.
    let [red, green, blue] = [digest[0], digest[1], digest[2]].map(|part| part.clamp(55, 200));
    let mut ground = String::with_capacity(6);
    write!(ground, "{red:02x}{green:02x}{blue:02x}").expect("a string takes any text");
    let brightness = 299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue);
    let ink = if brightness > 186_000 {
        "000000"
    } else {
        "ffffff"
    };
    (ground, ink)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn svg(name: &str) -> String {
        let address = initials(name);
        let text = address
            .strip_prefix("data:image/svg+xml;base64,")
            .expect("a data address");
        let bytes = STANDARD.decode(text).expect("base64");
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn initials_are_of_the_first_and_the_last_word() {
        for (name, shown) in [
            ("Ada Lovelace", ">AL<"),
            ("ada king of lovelace", ">AL<"),
            ("ada", ">AD<"),
            ("é", ">É<"),
            ("", "><"),
            ("<script> &x", ">&lt;&amp;<"),
        ] {
            assert!(svg(name).contains(shown), "{name}: {}", svg(name));
        }
    }

    #[test]
    fn the_colour_stays_whatever_the_case() {
        assert_eq!(svg("Ada Lovelace"), svg("ADA LOVELACE"));
        assert_ne!(svg("Ada Lovelace"), svg("Bob Lovelace"));
    }
}
