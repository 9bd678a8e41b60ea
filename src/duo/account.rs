//! An account at Duo: where it is asked, and with which key.

use std::net::IpAddr;

use secrecy::SecretString;
use url::{Host, Url};

/// An account at Duo, or the part of it that administers it.
#[derive(Clone, Debug)]
pub struct Account {
    /// The host of its API, see [`is_host`].
    pub host: String,
    /// The integration key, which names the account.
    pub key: String,
    /// The secret key.
    pub secret: SecretString,
}

/// Where requests go.
#[derive(Debug)]
pub(super) struct Place {
    /// The scheme, the host and the port, without a slash at the end.
    pub(super) base: String,
    /// The host that is signed.
    pub(super) host: String,
}

/// Whether this can be the host of an account: a name as Duo gives it, such as
/// `api-12345678.duosecurity.com`, which is called with HTTPS.
///
/// For tests, and for proxies on the same machine, it may be an address such as
/// `http://127.0.0.1:8000` too, as long as that is this very machine: then nothing is encrypted.
#[must_use]
pub fn is_host(text: &str) -> bool {
    place(text).is_some()
}

pub(super) fn place(text: &str) -> Option<Place> {
    let (scheme, rest) = match text.strip_prefix("http://") {
        Some(rest) => ("http", rest),
        None => ("https", text),
    };
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-.:[]".contains(letter);
    if rest.is_empty() || !rest.chars().all(allowed) {
        return None;
    }
    let base = format!("{scheme}://{rest}");
    let url = Url::parse(&base).ok()?;
    let is_near = match url.host()? {
        Host::Ipv4(address) => IpAddr::V4(address).is_loopback(),
        Host::Ipv6(address) => IpAddr::V6(address).is_loopback(),
        Host::Domain(_) => false,
    };
    if scheme == "http" && !is_near {
        return None;
    }
    let host = url.host_str()?.to_owned();
    Some(Place { base, host })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_called_with_https_and_only_this_machine_without() {
        let there = place("api-1234.duosecurity.com").expect("a host");
        assert_eq!(there.base, "https://api-1234.duosecurity.com");
        assert_eq!(there.host, "api-1234.duosecurity.com");
        let here = place("http://127.0.0.1:8000").expect("this machine");
        assert_eq!(here.base, "http://127.0.0.1:8000");
        assert_eq!(here.host, "127.0.0.1");
        assert!(is_host("http://[::1]:8000"));
    }

    #[test]
    fn whatever_would_lead_elsewhere_is_no_host() {
        for text in [
            "",
            "http://",
            "http://192.0.2.1",
            "http://localhost:8000",
            "http://api-1234.duosecurity.com",
            "https://api-1234.duosecurity.com",
            "api.example/path",
            "me@api.example",
            "api.example?x",
            "api.example#x",
            "api.example:port",
            "http://127.0.0.1.evil.example",
            " api.example",
        ] {
            assert!(!is_host(text), "{text:?}");
        }
    }
}
