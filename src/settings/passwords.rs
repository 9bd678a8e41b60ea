//! Where stolen passwords are listed.

use std::fmt;
use std::path::PathBuf;

use url::Url;

use super::reader::Reader;
use super::value::Parsed;

/// `passwords.*`. Only password policies with `check_have_i_been_pwned` look there.
#[derive(Clone, Debug)]
pub struct Passwords {
    /// A file in the form of the published list, sorted by hash, or a directory with one file for
    /// each range. It is asked instead of the address.
    pub breach_file: Option<PathBuf>,
    /// What is asked: the first five hexadecimal digits of a hash are added to it.
    pub breach_url: BreachUrl,
}

/// An address to ask, or none: `off`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreachUrl(pub Option<String>);

impl BreachUrl {
    /// Where authentik asks.
    const DEFAULT: &str = "https://api.pwnedpasswords.com/range/";

    fn parse(text: &str) -> Parsed<Self> {
        if text.is_empty() || text == "off" {
            return Ok(Self(None));
        }
        let is_web = |url: &Url| ["http", "https"].contains(&url.scheme()) && url.has_host();
        if Url::parse(text).is_ok_and(|url| is_web(&url)) {
            Ok(Self(Some(text.to_owned())))
        } else {
            let default = Self::DEFAULT;
            Err(format!(
                "{text:?} is neither \"off\" nor an address such as \"{default}\""
            ))
        }
    }
}

impl fmt::Display for BreachUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_deref().unwrap_or("off"))
    }
}

impl Passwords {
    pub(super) fn read(from: &mut Reader) -> Self {
        let file = from.optional("passwords.breach_file", |text| Ok(text.to_owned()));
        let default = BreachUrl(Some(BreachUrl::DEFAULT.to_owned()));
        Self {
            breach_file: file.map(PathBuf::from),
            breach_url: from.parsed("passwords.breach_url", default, BreachUrl::parse),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_may_be_turned_off_and_is_one_of_the_web() {
        assert_eq!(BreachUrl::parse("off"), Ok(BreachUrl(None)));
        assert_eq!(BreachUrl::parse(""), Ok(BreachUrl(None)));
        for text in [BreachUrl::DEFAULT, "http://10.0.0.1:8000/range/"] {
            assert_eq!(BreachUrl::parse(text), Ok(BreachUrl(Some(text.to_owned()))));
        }
        for text in ["file:///list", "api.pwnedpasswords.com", "https://"] {
            assert!(BreachUrl::parse(text).is_err(), "{text}");
        }
    }
}
