//! How text messages are sent.

use url::Url;

use super::reader::Reader;
use super::value::Parsed;

/// `sms.*`.
#[derive(Clone, Debug)]
pub struct Sms {
    /// Where Twilio's API is: another place only for a region, a proxy or a test.
    pub twilio_url: String,
}

impl Sms {
    /// Where Twilio says that it is.
    pub const TWILIO: &str = "https://api.twilio.com";

    pub(super) fn read(from: &mut Reader) -> Self {
        Self {
            twilio_url: from.parsed("sms.twilio_url", Self::TWILIO.to_owned(), address),
        }
    }
}

fn address(text: &str) -> Parsed<String> {
    let is_web = |url: &Url| ["http", "https"].contains(&url.scheme()) && url.has_host();
    if Url::parse(text).is_ok_and(|url| is_web(&url)) {
        Ok(text.to_owned())
    } else {
        let default = Sms::TWILIO;
        Err(format!("{text:?} is no address such as \"{default}\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_of_the_web() {
        for text in [Sms::TWILIO, "http://127.0.0.1:8000/twilio"] {
            assert_eq!(address(text), Ok(text.to_owned()));
        }
        for text in ["", "api.twilio.com", "file:///etc", "https://"] {
            assert!(address(text).is_err(), "{text}");
        }
    }
}
