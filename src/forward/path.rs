//! The path of a request as an application may come to read it. Only text.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The path with what is encoded in it decoded; `None` where two servers might read two paths in it:
/// then nobody can say that it needs no login.
///
/// That is so of `.` and `..`, empty parts, parameters behind a semicolon, backslashes, control
/// characters, whatever is no ASCII as it was sent, and of each of these when it is encoded, once or
/// several times.
#[must_use]
pub fn plain(path: &str) -> Option<Cow<'_, str>> {
    if !path.starts_with('/') || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    if !path.contains('%') {
        return is_plain(path).then_some(Cow::Borrowed(path));
    }
    if !is_well_encoded(path) {
        return None;
    }
    let decoded = percent_decode_str(path).decode_utf8().ok()?;
    // A slash that was encoded is none to some and one to others, and what is encoded twice may be
    // decoded twice.
    let has_as_many = |byte: u8| count(path, byte) == count(&decoded, byte);
    let is_once = !decoded.contains('%') && has_as_many(b'/');
    let is_clean = !decoded.chars().any(char::is_control);
    (is_once && is_clean && is_plain(&decoded)).then_some(decoded)
}

fn count(text: &str, byte: u8) -> usize {
    text.bytes().filter(|it| *it == byte).count()
}

/// Each per cent sign stands before two hexadecimal digits.
fn is_well_encoded(path: &str) -> bool {
    let mut parts = path.split('%');
    parts.next();
    let is_code = |part: &str| {
        let code = part.as_bytes().get(..2);
        code.is_some_and(|code| code.iter().all(u8::is_ascii_hexdigit))
    };
    parts.all(is_code)
}

fn is_plain(path: &str) -> bool {
    let strange = ['\\', ';', '?', '#'];
    let inner = path.strip_prefix('/').unwrap_or(path);
    // The last part may be empty: a folder ends with a slash.
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    let is_part = |part: &str| !part.is_empty() && part != "." && part != "..";
    !path.contains(strange) && (path == "/" || inner.split('/').all(is_part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_path_that_reads_in_one_way_is_decoded() {
        for (path, expected) in [
            ("/", "/"),
            ("/a", "/a"),
            ("/a/", "/a/"),
            ("/public/a.b..c/...x", "/public/a.b..c/...x"),
            ("/s%C3%B8k/a%20b", "/søk/a b"),
            ("/%61", "/a"),
        ] {
            assert_eq!(plain(path).as_deref(), Some(expected), "{path}");
        }
    }

    #[test]
    fn a_path_that_can_be_read_in_two_ways_is_none() {
        for path in [
            "",
            "a",
            "//",
            "//a",
            "/a//b",
            "/public/../admin",
            "/public/./admin",
            "/public/..",
            "/.",
            "/..",
            "/public/%2e%2e/admin",
            "/public/.%2E/admin",
            "/public/%2e/admin",
            "/public%2f..%2fadmin",
            "/public%2Fadmin",
            "/public%5c..%5cadmin",
            "/public\\..\\admin",
            "/public/..;/admin",
            "/public/..%3b/admin",
            "/public;x=/admin",
            "/public/%252e%252e/admin",
            "/public/%25",
            "/public/%",
            "/public/%2",
            "/public/%zz",
            "/public/%00",
            "/public/%0a",
            "/public/%3f",
            "/public/%23",
            "/public/%ff",
            "/public/%c0%ae%c0%ae/admin",
            "/public/ x",
            "/public/\t",
            "/public/ä",
            "/a%2f",
            "/%2fa",
        ] {
            assert_eq!(plain(path), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_plain_stays_below_where_it_begins(path in r"[/.%2eEfF5cC;a-c\\]{1,24}") {
            if let Some(plain) = plain(&path) {
                let up = plain.split('/').any(|part| part == "..");
                let odd = plain.contains(['\\', ';', '%']);
                prop_assert!(plain.starts_with('/') && !plain.contains("//") && !up && !odd);
            }
        }
    }
}
