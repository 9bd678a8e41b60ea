//! Headers of requests that the server sends, such as those by which it is let in.

use std::fmt;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use super::origin::Shown;
use super::reader::Reader;
use super::value::Parsed;

/// A header of a request. Its value may be a secret, so it is never shown.
#[derive(Clone)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: SecretString,
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, Shown::REDACTED)
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Header {
    /// A list of them. Each value is itself, or where it stands, as any other secret.
    pub(super) fn read_list(from: &mut Reader, key: &'static str) -> Vec<Self> {
        let mut headers = from.list(key, Vec::new(), header);
        for header in &mut headers {
            let found = from.dereference(header.value.expose_secret());
            match found.and_then(valid) {
                Ok(value) => header.value = value,
                Err(complaint) => {
                    let origin = from.origin(key);
                    from.complain(origin, format!("{key}: {complaint}"));
                }
            }
        }
        headers
    }

    /// All of them as a request has them; their values are written to no log.
    #[must_use]
    pub fn map(headers: &[Self]) -> HeaderMap {
        let read = headers.iter().filter_map(|header| {
            let name = HeaderName::from_bytes(header.name.as_bytes()).ok()?;
            let mut value = HeaderValue::from_str(header.value.expose_secret()).ok()?;
            value.set_sensitive(true);
            Some((name, value))
        });
        let mut map = HeaderMap::new();
        for (name, value) in read {
            map.append(name, value);
        }
        map
    }
}

fn header(text: &str) -> Parsed<Vec<Header>> {
    let is_name = |name: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        !name.is_empty() && name.bytes().all(plain)
    };
    let parts = text
        .split_once(':')
        .map(|(name, value)| (name.trim(), value.trim()));
    match parts {
        Some((name, value)) if is_name(name) => Ok(vec![Header {
            name: name.to_owned(),
            value: value.to_owned().into(),
        }]),
        // Not what was given: it may be a secret.
        _ => Err("a header is written as \"Name: value\"".to_owned()),
    }
}

/// A value that a header can have.
fn valid(value: SecretString) -> Parsed<SecretString> {
    let mut bytes = value.expose_secret().bytes();
    if bytes.all(|byte| (0x20..0x7f).contains(&byte)) {
        Ok(value)
    } else {
        Err("the value of a header is one line of plain text".to_owned())
    }
}
