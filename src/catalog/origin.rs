//! Where an application lives: a scheme, a host and perhaps a port. Only text; looks nothing up.

use std::fmt;

use url::Url;

/// The longest host that is looked at, in bytes; names of hosts are no longer.
const LONGEST: usize = 255;

/// A scheme, a host and a port, in the one spelling by which two of them are compared: small letters,
/// and no port where it is the usual one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    text: String,
    /// Where the host begins.
    host: usize,
}

impl Origin {
    /// The origin of a request for this `host`, with its port where it names one.
    ///
    /// `None` where that is no host: nothing but letters, digits, `.`, `-`, `_` and the brackets of an
    /// address may stand in it, so that whatever is made of it leads nowhere else.
    #[must_use]
    pub fn of_host(secure: bool, host: &str) -> Option<Self> {
        let scheme = if secure { "https" } else { "http" };
        let (name, port) = split(host)?;
        let is_name = !name.is_empty()
            && name.len() <= LONGEST
            && !name.starts_with('.')
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
        let is_address = || {
            let inner = name.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
            inner.is_some_and(|it| it.parse::<std::net::Ipv6Addr>().is_ok())
        };
        if !is_name && !is_address() {
            return None;
        }
        let usual = if secure { "443" } else { "80" };
        let mut text = String::with_capacity(scheme.len() + 3 + host.len());
        text.push_str(scheme);
        text.push_str("://");
        let at = text.len();
        text.push_str(name);
        text.make_ascii_lowercase();
        if let Some(port) = port.filter(|port| *port != usual) {
            text.push(':');
            text.push_str(port);
        }
        Some(Self { text, host: at })
    }

    /// The origin at the beginning of an absolute address, and what follows it: nothing, or something
    /// that begins with a slash.
    ///
    /// `None` of whatever is not written exactly so, such as with a name of a user, a backslash, or
    /// another scheme than `http` and `https` in small letters.
    #[must_use]
    pub fn split_off(address: &str) -> Option<(Self, &str)> {
        let (secure, rest) = if let Some(rest) = address.strip_prefix("https://") {
            (true, rest)
        } else {
            (false, address.strip_prefix("http://")?)
        };
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (host, after) = rest.split_at(end);
        let is_path = after.is_empty() || after.starts_with('/');
        let origin = Self::of_host(secure, host).filter(|_| is_path)?;
        Some((origin, after))
    }

    /// The origin as text, such as `https://app.example`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host, with the port where it is not the usual one.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.text[self.host..]
    }

    /// Whether it is reached over TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.text.starts_with("https:")
    }

    /// The origin that stands for this one and all others that differ from it in the first label of
    /// the host; `None` of a host with a single label.
    #[must_use]
    pub fn wildcard(&self) -> Option<String> {
        let host = self.host();
        let (_, parent) = host.split_once('.')?;
        // A number is no label of anything.
        let is_address = host.starts_with('[') || ends_in_number(host);
        (!is_address && !parent.is_empty())
            .then(|| format!("{}*.{parent}", &self.text[..self.host]))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Host and port; `None` where the port is no number.
fn split(host: &str) -> Option<(&str, Option<&str>)> {
    let end_of_address = host.rfind(']').map_or(0, |at| at + 1);
    let Some(at) = host[end_of_address..].find(':') else {
        return Some((host, None));
    };
    let at = end_of_address + at;
    let port = &host[at + 1..];
    let is_port = !port.is_empty()
        && !port.starts_with('0')
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && port.parse::<u16>().is_ok();
    is_port.then_some((&host[..at], Some(port)))
}

fn ends_in_number(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or(host);
    let last = name.rsplit('.').next().unwrap_or(name);
    last.bytes().all(|byte| byte.is_ascii_digit())
}

/// What an operator wrote for an origin, in the spelling by which origins are compared. The host may
/// begin with `*.`, which stands for one label.
///
/// # Errors
/// What is wrong with it, in a sentence.
pub fn configured(text: &str) -> Result<String, &'static str> {
    const EXPECTED: &str =
        "Expected is an origin such as https://app.example or https://*.example.org.";
    let (scheme, rest) = text.trim().split_once("://").ok_or(EXPECTED)?;
    let secure = match scheme.to_ascii_lowercase().as_str() {
        "https" => true,
        "http" => false,
        _ => return Err("Only http and https are protected."),
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (star, host) = match rest.strip_prefix("*.") {
        Some(host) => ("*.", host),
        None => ("", rest),
    };
    // A name in other letters is written as browsers send it.
    let ascii = if host.is_ascii() {
        host.to_owned()
    } else {
        let (name, port) = split(host).ok_or(EXPECTED)?;
        let url = Url::parse(&format!("https://{name}/")).map_err(|_| EXPECTED)?;
        let name = url.host_str().ok_or(EXPECTED)?;
        port.map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"))
    };
    let origin = Origin::of_host(secure, &ascii).ok_or(EXPECTED)?;
    if star.is_empty() {
        return Ok(origin.text);
    }
    // Whoever has a name below `com` is a stranger to all others there.
    let is_deep = origin
        .host()
        .split(':')
        .next()
        .is_some_and(|it| it.contains('.'));
    if !is_deep || ends_in_number(origin.host()) {
        return Err(
            "An asterisk stands for one label below at least two, as in https://*.example.org.",
        );
    }
    let (scheme, host) = origin.text.split_at(origin.host);
    Ok(format!("{scheme}{star}{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_one_spelling() {
        for (secure, host, expected) in [
            (true, "App.Example", "https://app.example"),
            (true, "app.example:443", "https://app.example"),
            (true, "app.example:80", "https://app.example:80"),
            (false, "app.example:80", "http://app.example"),
            (false, "127.0.0.1:8080", "http://127.0.0.1:8080"),
            (true, "[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"),
        ] {
            let origin = Origin::of_host(secure, host).expect(host);
            assert_eq!(origin.as_str(), expected);
        }
    }

    #[test]
    fn what_is_no_host_has_no_origin() {
        for host in [
            "",
            ".",
            ".example",
            "a b",
            "a/b",
            "a@b",
            "user@app.example",
            "a\\b",
            "a?b",
            "a#b",
            "a%2fb",
            "a:b",
            "a:",
            "a:080",
            "a:70000",
            "a:80:80",
            "[::1",
            "::1",
            "[x]",
            "*.example.org",
            "ä.example",
            "a\tb",
            "a,b",
        ] {
            assert_eq!(Origin::of_host(true, host), None, "{host:?}");
        }
        assert_eq!(Origin::of_host(true, &"a".repeat(256)), None);
    }

    #[test]
    fn an_address_is_split_only_where_nobody_could_read_it_otherwise() {
        let (origin, rest) = Origin::split_off("https://App.example/a?b#c").expect("an address");
        assert_eq!((origin.as_str(), rest), ("https://app.example", "/a?b#c"));
        let (origin, rest) = Origin::split_off("http://app.example:8080").expect("an address");
        assert_eq!((origin.as_str(), rest), ("http://app.example:8080", ""));
        for address in [
            "//app.example/",
            "https:app.example",
            "https:/app.example",
            "https:///app.example",
            "HTTPS://app.example/",
            "ftp://app.example/",
            "https://user@app.example/",
            "https://app.example@evil.example/",
            "https://app.example:443@evil.example/",
            "https://app.example\\@evil.example/",
            "https://app.example?x",
            "https://app.example#x",
            "https://app.example\t/",
            " https://app.example/",
            "javascript:alert(1)",
        ] {
            assert_eq!(Origin::split_off(address), None, "{address}");
        }
    }

    #[test]
    fn a_wildcard_stands_for_one_label() {
        let wildcard = |host| Origin::of_host(true, host).expect(host).wildcard();
        let of = |text: &str| Some(text.to_owned());
        assert_eq!(wildcard("a.example.org"), of("https://*.example.org"));
        assert_eq!(
            wildcard("a.example.org:8443"),
            of("https://*.example.org:8443")
        );
        assert_eq!(wildcard("a.b.example.org"), of("https://*.b.example.org"));
        assert_eq!(wildcard("localhost"), None);
        assert_eq!(wildcard("127.0.0.1"), None);
        assert_eq!(wildcard("127.0.0.1:80"), None);
        assert_eq!(wildcard("[2001:db8::1]"), None);
    }

    #[test]
    fn an_operator_may_spell_as_usual() {
        for (text, expected) in [
            ("https://App.Example", "https://app.example"),
            ("HTTPS://app.example:443/", "https://app.example"),
            ("http://app.example:8080", "http://app.example:8080"),
            ("https://*.Example.org", "https://*.example.org"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
        ] {
            assert_eq!(configured(text), Ok(expected.to_owned()));
        }
        for text in [
            "app.example",
            "https://",
            "https://app.example/path",
            "https://user@app.example",
            "https://app.example?x",
            "https://*",
            "https://*.com",
            "https://a.*.example.org",
            "https://*.*.example.org",
            "https://*.0.0.1",
            "ftp://app.example",
        ] {
            assert!(configured(text).is_err(), "{text}");
        }
    }
}
