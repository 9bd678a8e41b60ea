//! The headers that tell an application who somebody is. Only text; the names are authentik's.

use percent_encoding::{AsciiSet, CONTROLS, percent_encode};
use uuid::Uuid;

use crate::catalog::Application;
use crate::directory::User;

/// What is encoded in a value: whatever is no printable ASCII, and the sign that encodes.
const ENCODED: &AsciiSet = &CONTROLS.add(b'%');

/// The same in the name of a group, which ends at a bar.
const IN_LIST: &AsciiSet = &ENCODED.add(b'|');

/// The name of each header with its value, which may stand in a header as it is. `groups` are the names
/// of those that the user is in.
#[must_use]
pub fn headers(
    user: &User,
    groups: &[String],
    application: &Application,
    install: Uuid,
) -> [(&'static str, String); 8] {
    let groups: Vec<String> = groups.iter().map(|it| encoded(it, IN_LIST)).collect();
    let plain = |text: &str| encoded(text, ENCODED);
    [
        ("x-authentik-username", plain(&user.username)),
        ("x-authentik-groups", groups.join("|")),
        ("x-authentik-entitlements", String::new()),
        ("x-authentik-email", plain(&user.email)),
        ("x-authentik-name", plain(&user.name)),
        ("x-authentik-uid", plain(&user.uid(install))),
        ("x-authentik-meta-app", plain(application.slug.as_str())),
        (
            "x-authentik-meta-version",
            concat!("gatelog-", env!("CARGO_PKG_VERSION")).to_owned(),
        ),
    ]
}

/// The text with whatever cannot stand in a header percent-encoded, also blanks at its ends, which
/// would be lost on the way: nobody becomes somebody else by them.
fn encoded(text: &str, set: &'static AsciiSet) -> String {
    let inner = text.trim_matches(' ');
    let before = text.len() - text.trim_start_matches(' ').len();
    let after = if inner.is_empty() {
        0
    } else {
        text.len() - before - inner.len()
    };
    let mut value = "%20".repeat(before);
    value.extend(percent_encode(inner.as_bytes(), set));
    value.push_str(&"%20".repeat(after));
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_say_nothing_that_is_not_theirs() {
        for (text, expected) in [
            ("ann", "ann"),
            ("Ann Lee <a@b.example>", "Ann Lee <a@b.example>"),
            ("Åse", "%C3%85se"),
            (
                "a\r\nX-authentik-username: root",
                "a%0D%0AX-authentik-username: root",
            ),
            ("100%", "100%25"),
            ("%C3%85se", "%25C3%2585se"),
            (" root ", "%20root%20"),
            ("  ", "%20%20"),
            ("", ""),
            ("a\tb", "a%09b"),
        ] {
            assert_eq!(encoded(text, ENCODED), expected, "{text:?}");
        }
        assert_eq!(encoded("a|admins", IN_LIST), "a%7Cadmins");
    }

    proptest! {
        #[test]
        fn any_text_fits_into_a_header_and_no_two_look_alike(one in any::<String>(), other in any::<String>()) {
            let (a, b) = (encoded(&one, ENCODED), encoded(&other, ENCODED));
            prop_assert!(a.bytes().all(|byte| (0x20..0x7f).contains(&byte)));
            prop_assert!(!a.starts_with(' ') && !a.ends_with(' '));
            prop_assert_eq!(a == b, one == other);
        }
    }
}
