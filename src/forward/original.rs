//! The request that a proxy asks about, and where a visitor may be sent back to. Only text.
//!
//! Whatever can be read in two ways is refused: the proxy, the application and this server would else
//! speak of different things.

use url::Url;

use crate::catalog::{Application, Origin};
use crate::flow::next::is_safe;

/// The longest address to which somebody is sent back, in bytes: it is kept in a cookie.
const LONGEST: usize = 2_000;

/// What a visitor asked an application for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Original<'a> {
    /// Where.
    pub origin: Origin,
    /// The path and the query string, as they were sent.
    pub address: &'a str,
}

impl<'a> Original<'a> {
    /// The request for this absolute address.
    #[must_use]
    pub fn of_url(url: &'a str) -> Option<Self> {
        let (origin, address) = Origin::split_off(url)?;
        Some(Self {
            origin,
            address: if address.is_empty() { "/" } else { address },
        })
    }

    /// The request whose parts a proxy told one by one.
    #[must_use]
    pub fn of_parts(secure: bool, host: &str, address: &'a str) -> Option<Self> {
        if !address.starts_with('/') {
            return None;
        }
        let origin = Origin::of_host(secure, host)?;
        Some(Self { origin, address })
    }

    /// The path alone, as it was sent.
    #[must_use]
    pub fn path(&self) -> &'a str {
        self.address.split(['?', '#']).next().unwrap_or_default()
    }

    /// The whole address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}{}", self.origin, self.address)
    }
}

/// Where whoever began at `origin` goes in the end: to `wanted`, where that is a path there or an
/// address of the same application, else to the root.
///
/// The beginning of the result is always an origin of the application as this server spells it; of
/// `wanted` only what follows is taken, and only where it is a path however a browser reads it.
#[must_use]
pub fn destination(application: &Application, origin: &Origin, wanted: Option<&str>) -> String {
    let root = || format!("{origin}/");
    let Some(wanted) = wanted.filter(|it| it.len() <= LONGEST && is_printable(it)) else {
        return root();
    };
    let (there, path) = if wanted.starts_with('/') {
        (origin.clone(), wanted)
    } else {
        match Origin::split_off(wanted) {
            Some((there, path)) => (there, path),
            None => return root(),
        }
    };
    let path = if path.is_empty() { "/" } else { path };
    let is_own = there == *origin || application.is_at(&there);
    if !is_own || !is_safe(path) {
        return root();
    }
    let whole = format!("{there}{path}");
    if leads_to(&whole, &there) {
        whole
    } else {
        root()
    }
}

/// Nothing that a browser drops, and nothing that does not stand in an address.
fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The second opinion: the way a browser reads the address.
fn leads_to(address: &str, origin: &Origin) -> bool {
    let Ok(url) = Url::parse(address) else {
        return false;
    };
    let is_nobody = url.username().is_empty() && url.password().is_none();
    is_nobody && url.origin().ascii_serialization() == origin.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::ForwardAuth;
    use crate::clock::Clock;
    use proptest::prelude::*;

    fn application() -> Application {
        let slug = "app".parse().expect("a slug");
        Application {
            forward_auth: Some(ForwardAuth {
                hosts: vec![
                    "https://app.example".to_owned(),
                    "https://*.apps.example".to_owned(),
                ],
                skip_paths: Vec::new(),
                authentication_flow: None,
                invalidation_flow: None,
                session_seconds: 60,
                cache_seconds: 0,
            }),
            ..Application::new(&Clock::system(), slug)
        }
    }

    fn home() -> Origin {
        Origin::of_host(true, "app.example").expect("a host")
    }

    #[test]
    fn a_request_is_read_from_its_address_or_from_its_parts() {
        let of_url = Original::of_url("https://App.example/a/b?c=d").expect("an address");
        let parts = Original::of_parts(true, "app.example:443", "/a/b?c=d").expect("parts");
        assert_eq!(of_url, parts);
        assert_eq!(of_url.path(), "/a/b");
        assert_eq!(of_url.url(), "https://app.example/a/b?c=d");
        let root = Original::of_url("https://app.example").expect("an address");
        assert_eq!(root.path(), "/");
        for address in ["", "x", "http://evil.example/", "*"] {
            assert_eq!(Original::of_parts(true, "app.example", address), None);
        }
    }

    #[test]
    fn somebody_comes_back_to_where_they_were_within_the_application() {
        for (wanted, expected) in [
            ("/a?b=c#d", "https://app.example/a?b=c#d"),
            ("https://app.example/a?b=//x", "https://app.example/a?b=//x"),
            ("https://App.Example:443/a", "https://app.example/a"),
            ("https://app.example", "https://app.example/"),
            ("https://x.apps.example/a", "https://x.apps.example/a"),
        ] {
            let found = destination(&application(), &home(), Some(wanted));
            assert_eq!(found, expected, "{wanted}");
        }
        assert_eq!(
            destination(&application(), &home(), None),
            "https://app.example/"
        );
    }

    #[test]
    fn nobody_is_sent_anywhere_else() {
        let long = format!("/{}", "a".repeat(LONGEST));
        for wanted in [
            "",
            "x",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/%2F/evil.example",
            "https:evil.example",
            "https:/evil.example",
            "https:///evil.example",
            "https://evil.example/",
            "https://evil.example/https://app.example/",
            "https://app.example@evil.example/",
            "https://user@app.example/",
            "https://app.example:443@evil.example/",
            "https://app.example\\@evil.example/",
            "https://app.example.evil.example/",
            "https://evil.app.example/",
            "https://a.b.apps.example/",
            "https://apps.example/",
            "https://app.example:8443/",
            "http://app.example/",
            "HTTPS://app.example/",
            "hTtPs://evil.example/",
            "https://app.example?x",
            "https://app.example//evil.example",
            "https://app.example/\\evil.example",
            "https://app.example/a b",
            "https://app.example/\n",
            "https://app.ex\u{0}ample/",
            "https://äpp.example/",
            "javascript:alert(1)",
            "data:text/html,x",
            " https://app.example/",
            long.as_str(),
        ] {
            let found = destination(&application(), &home(), Some(wanted));
            assert_eq!(found, "https://app.example/", "{wanted:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_wanted_the_way_ends_at_the_application(
            wanted in r"(https?:)?[/\\]{0,3}(app|evil|x.apps)?[.@:?#%\t ]?[example.@:/\\%2F]{0,20}"
        ) {
            let found = destination(&application(), &home(), Some(&wanted));
            let url = Url::parse(&found).expect("an address");
            let host = url.host_str().unwrap_or_default();
            prop_assert!(host == "app.example" || host == "x.apps.example", "{}", found);
            prop_assert!(url.username().is_empty());
        }

        #[test]
        fn any_text_is_judged_without_panic(wanted in any::<String>()) {
            let found = destination(&application(), &home(), Some(&wanted));
            prop_assert!(found.starts_with("https://app.example/") || found.contains(".apps.example/"));
        }
    }
}
