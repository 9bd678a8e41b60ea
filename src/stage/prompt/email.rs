//! What counts as an e-mail address. Source: Django, `EmailValidator`.

use std::net::{Ipv4Addr, Ipv6Addr};

/// More characters than any address has.
const LONGEST: usize = 320;

/// Whether it is an address that mail could be sent to.
pub(in crate::stage) fn is_address(text: &str) -> bool {
    let Some((user, domain)) = text.rsplit_once('@') else {
        return false;
    };
    text.chars().count() <= LONGEST && is_user(user) && is_domain(domain)
}

fn is_user(user: &str) -> bool {
    let quoted = user.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    match quoted {
        Some(inner) => is_quoted(inner),
        None => user
            .split('.')
            .all(|atom| !atom.is_empty() && atom.bytes().all(is_atom)),
    }
}

fn is_atom(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-!#$%&'*+/=?^_`{}|~".contains(&byte)
}

fn is_quoted(inner: &str) -> bool {
    let mut bytes = inner.bytes();
    while let Some(byte) = bytes.next() {
        let fits = match byte {
            b'\\' => bytes
                .next()
                .is_some_and(|it| matches!(it, 1..=9 | 11 | 12 | 14..=127)),
            b'"' => false,
            byte => matches!(byte, 1..=8 | 11 | 12 | 14..=31 | b'!'..=127),
        };
        if !fits {
            return false;
        }
    }
    true
}

fn is_domain(domain: &str) -> bool {
    if domain == "localhost" {
        return true;
    }
    let literal = domain.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    if let Some(address) = literal {
        return address.parse::<Ipv4Addr>().is_ok() || address.parse::<Ipv6Addr>().is_ok();
    }
    if domain.is_ascii() {
        return is_name(domain);
    }
    // A name in other letters has one in these.
    matches!(url::Host::parse(domain), Ok(url::Host::Domain(name)) if is_name(&name))
}

fn is_name(domain: &str) -> bool {
    let Some((labels, last)) = domain.rsplit_once('.') else {
        return false;
    };
    let letters = |label: &str| {
        label
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || it == b'-')
    };
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && letters(label)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    labels.split('.').all(is_label)
        && (2..=63).contains(&last.len())
        && letters(last)
        && !last.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_what_is_none() {
        for text in [
            "a@example.com",
            "a.b+c@sub.example.co",
            "user@localhost",
            "\"odd\\ one,\"@example.com",
            "a@[127.0.0.1]",
            "a@[::1]",
            "a@bücher.example",
        ] {
            assert!(is_address(text), "{text}");
        }
        for text in [
            "",
            "@",
            "a@b",
            "a",
            "a@",
            "@example.com",
            "a..b@example.com",
            "a b@example.com",
            "a@-x.com",
            "a@x-.com",
            "a@example.c",
            "a@example.com-",
            "a@exa mple.com",
            "a@example.com\n",
            "a@[1.2.3]",
            "\"a\"b\"@example.com",
        ] {
            assert!(!is_address(text), "{text}");
        }
        let long = format!("{}@example.com", "a".repeat(309));
        assert!(!is_address(&long));
    }
}
