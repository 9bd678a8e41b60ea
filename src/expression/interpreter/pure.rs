//! The helpers that need nothing from the host: patterns, slugs, addresses.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::num::NonZeroUsize;

use fancy_regex::{Regex, RegexBuilder};
use ipnet::IpNet;
use lru::LruCache;

/// An exception's class and text.
pub(super) type Raised = (&'static str, String);

/// How often a pattern that needs it may go back before it is given up; some milliseconds.
const BACKTRACKS: usize = 200_000;
/// How many compiled patterns a worker keeps.
const PATTERNS: usize = 128;

thread_local! {
    static CACHE: RefCell<LruCache<String, Regex>> = RefCell::new(LruCache::new(
        NonZeroUsize::new(PATTERNS).expect("not zero"),
    ));
}

/// `regex_match`: whether the pattern is found anywhere in the text.
pub(super) fn regex_match(text: &str, pattern: &str) -> Result<bool, Raised> {
    with(pattern, |regex| regex.is_match(text))
}

/// `regex_replace`: the text with every place replaced; the replacement in Python's form.
pub(super) fn regex_replace(text: &str, pattern: &str, by: &str) -> Result<String, Raised> {
    let by = template(by);
    with(pattern, |regex| {
        regex.try_replacen(text, 0, by.as_str()).map(Into::into)
    })
}

fn with<T>(
    pattern: &str,
    work: impl FnOnce(&Regex) -> Result<T, fancy_regex::Error>,
) -> Result<T, Raised> {
    CACHE.with_borrow_mut(|cache| {
        let known = cache.try_get_or_insert_ref(pattern, || {
            let mut builder = RegexBuilder::new(pattern);
            builder.backtrack_limit(BACKTRACKS).build()
        });
        let regex = known.map_err(|error| ("re.PatternError", error.to_string()))?;
        work(regex).map_err(|error| ("RuntimeError", error.to_string()))
    })
}

/// Python's `\1` and `\g<name>` as `${1}` and `${name}`; a dollar is a dollar.
fn template(python: &str) -> String {
    let mut out = String::with_capacity(python.len());
    let mut rest = python.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, rest.peek()) {
            ('$', _) => out.push_str("$$"),
            ('\\', Some('g')) => {
                rest.next();
                let name: String = rest.by_ref().skip(1).take_while(|c| *c != '>').collect();
                // Writing into a string cannot fail.
                let _ = write!(out, "${{{name}}}");
            }
            ('\\', Some(digit)) if digit.is_ascii_digit() => {
                let mut number = String::new();
                while number.len() < 2
                    && let Some(digit) = rest.next_if(char::is_ascii_digit)
                {
                    number.push(digit);
                }
                let _ = write!(out, "${{{number}}}");
            }
            ('\\', Some('n')) => {
                rest.next();
                out.push('\n');
            }
            ('\\', Some('t')) => {
                rest.next();
                out.push('\t');
            }
            ('\\', Some('\\')) => {
                rest.next();
                out.push('\\');
            }
            _ => out.push(c),
        }
    }
    out
}

/// `slugify`: ASCII letters and digits in lower case, single hyphens between them.
pub(super) fn slugify(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    let mut slug = String::with_capacity(text.len());
    for c in text.nfkd().filter(char::is_ascii) {
        match c.to_ascii_lowercase() {
            c if c.is_ascii_alphanumeric() || c == '_' => slug.push(c),
            '-' | ' ' | '\t' | '\n' | '\r' if !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    slug.trim_matches(['-', '_']).to_owned()
}

/// What Python's `ipaddress` knows about an address or a network.
pub(super) struct Facts {
    pub(super) first: IpAddr,
    pub(super) last: IpAddr,
    pub(super) prefix: u8,
    pub(super) network: bool,
}

/// Parses an address, or a network; of the given version only.
pub(super) fn ip(text: &str, version: i64, network: bool, strict: bool) -> Result<Facts, Raised> {
    let refused = |what: &str| {
        (
            "ValueError",
            format!("'{text}' does not appear to be {what}"),
        )
    };
    let net = if network {
        let net = match text.parse::<IpNet>() {
            Ok(net) => net,
            Err(_) => masked(text)
                .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
                .ok_or_else(|| refused("an IPv4 or IPv6 network"))?,
        };
        if strict && net.addr() != net.network() {
            return Err(("ValueError", format!("{text} has host bits set")));
        }
        net.trunc()
    } else {
        let parsed: Result<IpAddr, _> = text.parse();
        IpNet::from(parsed.map_err(|_| refused("an IPv4 or IPv6 address"))?)
    };
    let expected = if net.addr().is_ipv4() { 4 } else { 6 };
    if expected != version {
        return Err(refused(&format!("an IPv{version} address or network")));
    }
    Ok(Facts {
        first: net.network(),
        last: net.broadcast(),
        prefix: net.prefix_len(),
        network,
    })
}

/// `10.0.0.0/255.0.0.0`.
fn masked(text: &str) -> Option<IpNet> {
    let (address, mask) = text.split_once('/')?;
    IpNet::with_netmask(address.parse().ok()?, mask.parse().ok()?).ok()
}

impl Facts {
    /// The properties that Python gives an address.
    pub(super) fn properties(&self) -> Vec<(&'static str, bool)> {
        let (private, reserved) = match self.first {
            IpAddr::V4(ip) => {
                let [a, b, c, _] = ip.octets();
                let special = ip.is_private()
                    || ip.is_loopback()
                    || ip.is_link_local()
                    || ip.is_documentation()
                    || ip.is_broadcast()
                    || a == 0
                    || a >= 240
                    || (a, b & 0xfe) == (198, 18)
                    || (a, b, c) == (192, 0, 0);
                (special, a >= 240)
            }
            IpAddr::V6(ip) => {
                let mapped = ip
                    .to_ipv4_mapped()
                    .is_some_and(|ip| ip.is_private() || ip.is_loopback());
                let head = ip.segments();
                let special = mapped
                    || ip.is_loopback()
                    || ip.is_unspecified()
                    || ip.is_unique_local()
                    || ip.is_unicast_link_local()
                    || (head[0], head[1]) == (0x2001, 0x0db8);
                (
                    special,
                    head[0] < 0x2000 && !ip.is_loopback() && !ip.is_unspecified(),
                )
            }
        };
        let shared = matches!(self.first, IpAddr::V4(ip) if {
            let [a, b, ..] = ip.octets();
            a == 100 && (64..128).contains(&b)
        });
        let link_local = match self.first {
            IpAddr::V4(ip) => ip.is_link_local(),
            IpAddr::V6(ip) => ip.is_unicast_link_local(),
        };
        vec![
            ("is_private", private),
            ("is_global", !private && !shared),
            ("is_loopback", self.first.is_loopback()),
            ("is_link_local", link_local),
            ("is_multicast", self.first.is_multicast()),
            ("is_unspecified", self.first.is_unspecified()),
            ("is_reserved", reserved),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_searched_and_not_matched_whole() {
        assert!(regex_match("a@example.com", r"@example\.com$").expect("matches"));
        assert!(regex_match("ab", r"a(?!c)").expect("looks ahead"));
        assert!(!regex_match("ac", r"a(?!c)").expect("looks ahead"));
        assert_eq!(
            regex_match("a", "(").expect_err("no pattern").0,
            "re.PatternError"
        );
    }

    #[test]
    fn a_pattern_that_backtracks_for_ever_is_given_up() {
        let text = format!("{}!", "a".repeat(64));
        assert!(!regex_match(&text, "^(a+)+$").expect("linear"));
        let error = regex_match(&text, r"^(?=a)(a+)+\1$").expect_err("gives up");
        assert_eq!(error.0, "RuntimeError");
    }

    #[test]
    fn a_replacement_is_written_as_in_python() {
        let replaced = regex_replace("ann@x", r"(\w+)@(?P<host>\w+)", r"\g<host>$\1");
        assert_eq!(replaced.expect("replaces"), "x$ann");
    }

    #[test]
    fn slugs_are_djangos() {
        assert_eq!(slugify(" Ünïcode -- Name_1! "), "unicode-name_1");
        assert_eq!(slugify("__x__"), "x");
    }

    #[test]
    fn addresses_have_the_properties_that_python_gives_them() {
        let of = |text: &str, version| ip(text, version, false, true).expect("parses");
        let has = |facts: &Facts, name| facts.properties().contains(&(name, true));
        assert!(has(&of("10.1.2.3", 4), "is_private"));
        assert!(has(&of("8.8.8.8", 4), "is_global"));
        assert!(!has(&of("100.64.0.1", 4), "is_global"));
        assert!(has(&of("fd00::1", 6), "is_private"));
        assert!(ip("10.0.0.1/8", 4, true, true).is_err());
        assert_eq!(
            ip("10.0.0.1/255.0.0.0", 4, true, false)
                .expect("parses")
                .prefix,
            8
        );
        assert!(ip("::1", 4, false, true).is_err());
    }
}
