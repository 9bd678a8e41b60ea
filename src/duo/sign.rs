//! Signs requests as Duo wants them: signature version 5, HMAC-SHA512 over a canonical form.
//!
//! Source: the published client `duo_client` 5.6.1. It computes only; time is handed in.

use base16ct::lower::encode_string;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest as _, Sha512};

/// What is not written as it is in a query string (RFC 3986).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// What of a request is signed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signed<'a> {
    /// The value of its `Date` header.
    pub(super) date: &'a str,
    /// The method, in capitals.
    pub(super) method: &'a str,
    /// The host, without a port.
    pub(super) host: &'a str,
    /// The path.
    pub(super) path: &'a str,
    /// The query string, see [`query`].
    pub(super) query: &'a str,
    /// The body.
    pub(super) body: &'a str,
}

impl Signed<'_> {
    fn canonical(&self) -> String {
        let host = self.host.to_lowercase();
        let body = encode_string(&Sha512::digest(self.body));
        // No header of Duo's own is sent.
        let headers = encode_string(&Sha512::digest(""));
        let Self {
            date,
            method,
            path,
            query,
            ..
        } = *self;
        [date, method, &host, path, query, &body, &headers].join("\n")
    }

    /// The value of the `Authorization` header, which is as good as the secret for this request.
    pub(super) fn authorization(&self, key: &str, secret: &SecretString) -> SecretString {
        basic(key, secret, &self.canonical())
    }
}

fn basic(key: &str, secret: &SecretString, canonical: &str) -> SecretString {
    let mut mac = Hmac::<Sha512>::new_from_slice(secret.expose_secret().as_bytes())
        .expect("a key of any length will do");
    mac.update(canonical.as_bytes());
    let signature = encode_string(&mac.finalize().into_bytes());
    let encoded = STANDARD.encode(format!("{key}:{signature}"));
    format!("Basic {encoded}").into()
}

/// The moment as Duo reads it: RFC 2822 in UTC, with the zone `-0000`.
pub(super) fn date(now: Timestamp) -> String {
    DateTimePrinter::new()
        .timestamp_to_string(&now)
        .expect("the clock shows a year that has four digits")
}

/// Parameters as a query string, sorted by their names: the form that is signed is the form that
/// is sent.
pub(super) fn query(parameters: &[(&str, &str)]) -> String {
    let encode = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
    let mut pairs: Vec<(String, String)> = parameters
        .iter()
        .map(|(name, value)| (encode(name), encode(value)))
        .collect();
    pairs.sort();
    let pairs = pairs.iter().map(|(name, value)| format!("{name}={value}"));
    pairs.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    // The key and the signature are those of the tests that Duo publishes with its clients.
    const PARAMETERS: [(&str, &str); 4] = [
        (
            "\u{469a}\u{287b}\u{35d0}\u{8ef3}\u{6727}\u{502a}\u{0810}\u{d091}\u{c8}\u{c170}",
            "\u{0f45}\u{1a76}\u{341a}\u{654c}\u{c23f}\u{9b09}\u{abe2}\u{8343}\u{1b27}\u{60d0}",
        ),
        (
            "\u{7449}\u{7e4b}\u{ccfb}\u{59ff}\u{fe5f}\u{83b7}\u{adcc}\u{900c}\u{cfd1}\u{7813}",
            "\u{8db7}\u{5022}\u{92d3}\u{42ef}\u{207d}\u{8730}\u{acfe}\u{5617}\u{0946}\u{4e30}",
        ),
        (
            "\u{7470}\u{9314}\u{901c}\u{9eae}\u{40d8}\u{4201}\u{82d8}\u{8c70}\u{1d31}\u{a042}",
            "\u{17d9}\u{0ba8}\u{9358}\u{aadf}\u{a42a}\u{48be}\u{fb96}\u{6fe9}\u{b7ff}\u{32f3}",
        ),
        (
            "\u{c2c5}\u{2c1d}\u{2620}\u{3617}\u{96b3}F\u{8605}\u{20e8}\u{ac21}\u{5934}",
            "\u{fba9}\u{41aa}\u{bd83}\u{840b}\u{2615}\u{3e6e}\u{652d}\u{a8b5}\u{d56b}U",
        ),
    ];

    #[test]
    fn the_published_signature_comes_out() {
        let query = query(&PARAMETERS);
        let canonical =
            format!("Fri, 07 Dec 2012 17:18:00 -0000\nPOST\nfoo.bar52.com\n/Foo/BaR2/qux\n{query}");
        let secret = "gtdfxv9YgVBYcF6dl2Eq17KUQJN2PLM2ODVTkvoT".into();
        let signature = "0508065035a03b2a1de2f453e629e791d180329e157f65df6b3e0f08299d4321\
                         e1c5c7a7c7ee6b9e5fc80d1fb6fbf3ad5eb7c44dd3b3985a02c37aca53ec3698";
        let expected = format!(
            "Basic {}",
            STANDARD.encode(format!("test_ikey:{signature}"))
        );
        let signed = basic("test_ikey", &secret, &canonical);
        assert_eq!(signed.expose_secret(), expected);
    }

    #[test]
    fn a_request_is_signed_line_by_line() {
        let signed = Signed {
            date: "Tue, 17 Nov 2020 14:12:00 -0000",
            method: "POST",
            host: "foO.BaR52.cOm",
            path: "/Foo/BaR2/qux",
            query: "",
            body: "",
        };
        let nothing = "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce\
                       47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e";
        let lines = [
            "Tue, 17 Nov 2020 14:12:00 -0000",
            "POST",
            "foo.bar52.com",
            "/Foo/BaR2/qux",
            "",
            nothing,
            nothing,
        ];
        assert_eq!(signed.canonical(), lines.join("\n"));
    }

    #[test]
    fn a_query_string_is_sorted_and_only_plain_letters_stay_as_they_are() {
        let sorted = query(&[("username", "root"), ("realname", "First Last")]);
        assert_eq!(sorted, "realname=First%20Last&username=root");
        assert_eq!(query(&[("foo_bar", "2"), ("foo", "1")]), "foo=1&foo_bar=2");
        let strange = query(&[("a", "!*'()+,-./_~")]);
        assert_eq!(strange, "a=%21%2A%27%28%29%2B%2C-.%2F_~");
    }

    #[test]
    fn a_date_has_the_zone_that_names_none() {
        let moment = Timestamp::from_second(1_354_900_680).expect("a moment");
        assert_eq!(date(moment), "Fri, 7 Dec 2012 17:18:00 -0000");
    }
}
