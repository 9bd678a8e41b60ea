//! Which site this is, as a browser and a device see it.

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// A site that people log in to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// Its name, without a port; a credential belongs to it.
    pub id: String,
    /// The scheme, the name and, unless it is the usual one, the port.
    pub origin: String,
}

impl Party {
    /// The site that was asked for by this host, which may name a port.
    #[must_use]
    pub fn new(host: &str, secure: bool) -> Self {
        let host = host.to_ascii_lowercase();
        let (scheme, usual) = if secure {
            ("https", ":443")
        } else {
            ("http", ":80")
        };
        let shown = host.strip_suffix(usual).unwrap_or(&host);
        // An address of IPv6 has colons of its own.
        let name = match host.split_once(']') {
            Some((address, _)) => format!("{address}]"),
            None => host.split(':').next().unwrap_or_default().to_owned(),
        };
        Self {
            id: name,
            origin: format!("{scheme}://{shown}"),
        }
    }

    /// What a device signs of the name.
    pub(super) fn hash(&self) -> [u8; 32] {
        sha256(self.id.as_bytes())
    }
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Bytes in base64url without padding, as everything here is written.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Authentik's page pads some of it.
const EITHER: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    EITHER.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn party(host: &str, secure: bool) -> (String, String) {
        let Party { id, origin } = Party::new(host, secure);
        (id, origin)
    }

    #[test]
    fn a_site_is_known_by_its_name_without_the_port() {
        for (host, secure, id, origin) in [
            ("id.example", true, "id.example", "https://id.example"),
            ("id.example:443", true, "id.example", "https://id.example"),
            (
                "ID.example:9443",
                true,
                "id.example",
                "https://id.example:9443",
            ),
            (
                "localhost:9000",
                false,
                "localhost",
                "http://localhost:9000",
            ),
            ("id.example:80", false, "id.example", "http://id.example"),
            ("[::1]:9000", false, "[::1]", "http://[::1]:9000"),
            (
                "[2001:db8::1]",
                true,
                "[2001:db8::1]",
                "https://[2001:db8::1]",
            ),
        ] {
            assert_eq!(party(host, secure), (id.to_owned(), origin.to_owned()));
        }
    }

    #[test]
    fn padding_may_be_there() {
        assert_eq!(decode("Zm9vYg=="), Some(b"foob".to_vec()));
        assert_eq!(decode("Zm9vYg"), Some(b"foob".to_vec()));
        assert_eq!(decode("+"), None);
    }
}
