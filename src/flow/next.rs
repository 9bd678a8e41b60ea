//! Where a visitor may be sent after a flow. Pure; decides about text only.

use percent_encoding::percent_decode_str;
use url::Url;

/// Whether `next` can only lead to a page of this very server, however a browser reads it.
///
/// That is a path with a single leading slash, without backslashes and control characters, also
/// after percent-decoding as often as something is left to decode: somewhere between the server
/// and the browser, somebody may decode once more.
#[must_use]
pub fn is_safe(next: &str) -> bool {
    let path = next.split(['?', '#']).next().unwrap_or_default();
    next.len() <= MAX_LENGTH
        && is_plain(next)
        && stays_here(next)
        && layers(path).is_some_and(|all| all.iter().all(|it| is_plain(it) && stays_here(it)))
}

/// A path as it is, and after each decoding that changes it. `None` where that never ends: nobody
/// encodes a path so many times who means well.
fn layers(path: &str) -> Option<Vec<String>> {
    let mut layers = vec![path.to_owned()];
    for _ in 0..DECODINGS {
        let last = layers.last()?;
        let decoded = percent_decode_str(last).decode_utf8().ok()?.into_owned();
        if decoded == *last {
            return Some(layers);
        }
        layers.push(decoded);
    }
    None
}

/// The longest `next` that is followed, in bytes; browsers and proxies refuse longer addresses.
const MAX_LENGTH: usize = 8 * 1024;

/// How many layers of percent-encoding are looked through.
const DECODINGS: usize = 5;

/// A single leading slash, and nothing that a browser drops or reads as a slash.
fn is_plain(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && !path
            .chars()
            .any(|letter| letter == '\\' || letter.is_control())
}

/// The second opinion: the way a browser resolves the address. What is left when it has taken out
/// `.` and `..` has to be plain as well.
fn stays_here(next: &str) -> bool {
    let Ok(base) = Url::parse("https://here.invalid/if/flow/some/") else {
        return false;
    };
    base.join(next).is_ok_and(|target| {
        target.origin() == base.origin()
            && target.username().is_empty()
            && layers(target.path()).is_some_and(|all| all.iter().all(|it| is_plain(it)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_of_this_server_are_safe() {
        for next in [
            "/",
            "/unique-string",
            "/if/user/?a=b#c",
            "/application/o/authorize/?redirect_uri=https%3A%2F%2Fapp.example%2Fback&state=a%0Ab",
            "/a//b",
            "/søk/%C3%A5",
            "/with space",
        ] {
            assert!(is_safe(next), "{next:?}");
        }
    }

    #[test]
    fn everything_that_may_lead_away_is_not() {
        for next in [
            "",
            "x",
            "x/y",
            "?a",
            "//evil.example",
            "///evil.example",
            "////evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "\t//evil.example",
            " //evil.example",
            "/\u{0}/x",
            "/\u{85}x",
            "/%2Fevil.example",
            "/%2e/%2fevil.example",
            "/a/..%2f/%2fevil.example",
            "/%252e/%252fevil.example",
            "/%2f/evil.example",
            "/%5Cevil.example",
            "/%09/evil.example",
            "/%252Fevil.example",
            "/%25252525252525252Fevil.example",
            "/.//evil.example",
            "/..//evil.example",
            "/x/..//evil.example",
            "/%2e%2e//evil.example",
            "/%FF",
            "https://evil.example/",
            "https:evil.example",
            "http:/evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "/a\\b",
        ] {
            assert!(!is_safe(next), "{next:?}");
        }
    }

    #[test]
    fn a_next_beyond_all_measure_is_not_followed() {
        assert!(!is_safe(&format!("/{}", "a".repeat(MAX_LENGTH))));
    }

    proptest! {
        #[test]
        fn whatever_is_safe_stays_on_the_server(
            next in r"[/\\.@:?#%2FfcC5e09a\t\n\r \x00a-z]{0,24}"
        ) {
            if is_safe(&next) {
                let base = Url::parse("http://gatelog.example:9000/if/flow/a/").expect("a literal");
                let target = base.join(&next).expect("a safe next is an address");
                prop_assert_eq!(target.origin(), base.origin());
                // What a careless proxy makes of it must stay here as well.
                let decoded = percent_decode_str(target.path()).decode_utf8_lossy().into_owned();
                prop_assert!(!decoded.starts_with("//") && !decoded.starts_with("/\\"));
            }
        }

        #[test]
        fn any_text_is_judged_without_panic(next in any::<String>()) {
            if is_safe(&next) {
                prop_assert!(next.starts_with('/') && !next.starts_with("//"));
            }
        }

        #[test]
        fn plain_paths_are_never_refused(next in "/([a-z0-9-]{1,8}/){0,4}([?][a-z]=[a-z0-9%]{0})?") {
            prop_assert!(is_safe(&next));
        }
    }
}
