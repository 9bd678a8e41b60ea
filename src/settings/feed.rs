//! Where the journal is told to others as it grows.

use std::fmt;

use secrecy::SecretString;
use url::Url;

use super::header::Header;
use super::reader::Reader;
use super::value::Parsed;

/// `feed.*`.
#[derive(Clone, Debug)]
pub struct Feed {
    /// Where it begins when it is told for the first time.
    pub from: FeedStart,
    /// The form of the lines on standard output; none are written without it.
    pub stdout: Option<FeedFormat>,
    /// The server that each item is sent to.
    pub webhook: Option<Webhook>,
}

/// `feed.webhook.*`.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Where items are posted.
    pub url: Url,
    /// What they are signed with.
    pub secret: SecretString,
    /// Their form.
    pub format: FeedFormat,
    /// Further headers.
    pub headers: Vec<Header>,
}

/// Where a feed begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedStart {
    /// With what happens from now on.
    Now,
    /// With the first record that there is.
    Beginning,
}

/// The form of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedFormat {
    /// As the journal has it, one object to a line.
    Json,
    /// What OCSF has a class for, one object to a line.
    Ocsf,
    /// One line of RFC 5424.
    Syslog,
}

impl FeedFormat {
    /// The form with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Json, Self::Ocsf, Self::Syslog]
            .into_iter()
            .find(|it| it.name() == name)
    }

    /// What it is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Ocsf => "ocsf",
            Self::Syslog => "syslog",
        }
    }
}

impl fmt::Display for FeedFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for FeedStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Now => "now",
            Self::Beginning => "beginning",
        })
    }
}

impl Feed {
    pub(super) fn read(from: &mut Reader) -> Self {
        Self {
            from: from.parsed("feed.from", FeedStart::Now, start),
            stdout: from.optional("feed.stdout", format),
            webhook: Webhook::read(from),
        }
    }
}

impl Webhook {
    fn read(from: &mut Reader) -> Option<Self> {
        let has_secret = from.is_given("feed.webhook.secret");
        let url = from.optional("feed.webhook.url", address);
        let secret = from.secret("feed.webhook.secret");
        let format = from.parsed("feed.webhook.format", FeedFormat::Json, format);
        let headers = Header::read_list(from, "feed.webhook.headers");
        if url.is_some() && !has_secret {
            let origin = from.origin("feed.webhook.url");
            let problem = "feed.webhook.url has no feed.webhook.secret, so its server could not \
                           tell whom the items come from";
            from.complain(origin, problem.to_owned());
        }
        Some(Self {
            url: url?,
            secret: secret?,
            format,
            headers,
        })
    }
}

fn start(text: &str) -> Parsed<FeedStart> {
    match text {
        "now" => Ok(FeedStart::Now),
        "beginning" => Ok(FeedStart::Beginning),
        _ => Err(format!("{text:?} is neither \"now\" nor \"beginning\"")),
    }
}

fn format(text: &str) -> Parsed<FeedFormat> {
    FeedFormat::from_name(text)
        .ok_or_else(|| format!("{text:?} is no form: \"json\", \"ocsf\" or \"syslog\""))
}

/// The address of a server that is posted to.
pub(super) fn address(text: &str) -> Parsed<Url> {
    let url = Url::parse(text).ok();
    url.filter(|url| ["http", "https"].contains(&url.scheme()) && url.has_host())
        .ok_or_else(|| format!("{text:?} is no address such as \"https://siem.example.org/in\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Sources, load};
    use secrecy::ExposeSecret;

    fn with(variables: &[(&str, &str)]) -> Result<Feed, String> {
        let environment = variables.iter();
        let environment = environment.map(|(name, value)| ((*name).into(), (*value).into()));
        let sources = Sources {
            environment: environment.collect(),
            ..Sources::default()
        };
        let loaded = load(&sources).map_err(|error| error.to_string())?;
        assert!(
            loaded
                .shown
                .iter()
                .all(|shown| !format!("{shown:?}").contains("hunter2")),
            "a secret is shown"
        );
        Ok(loaded.settings.feed)
    }

    #[test]
    fn nothing_is_told_unless_somebody_asks_for_it() {
        let feed = with(&[]).expect("the defaults are valid");
        assert!(feed.webhook.is_none() && feed.stdout.is_none());
        assert_eq!(feed.from, FeedStart::Now);
    }

    #[test]
    fn a_webhook_has_an_address_and_a_secret_and_shows_no_header() {
        let url = ("GATELOG_FEED__WEBHOOK__URL", "https://siem.example.org/in");
        let problem = with(&[url]).expect_err("there is no secret");
        assert!(problem.contains("feed.webhook.secret"), "{problem}");
        let secret = ("GATELOG_FEED__WEBHOOK__SECRET", "whsec_aHVudGVyMg==");
        let headers = (
            "GATELOG_FEED__WEBHOOK__HEADERS",
            "Authorization: hunter2,X-Two: 2",
        );
        let webhook = with(&[url, secret, headers]).expect("all is there").webhook;
        let webhook = webhook.expect("an address");
        assert_eq!(webhook.format, FeedFormat::Json);
        assert_eq!(webhook.headers.len(), 2);
        assert_eq!(webhook.headers[0].value.expose_secret(), "hunter2");
        let problem = with(&[url, secret, ("GATELOG_FEED__WEBHOOK__HEADERS", "hunter2")]);
        assert!(!problem.expect_err("no header").contains("hunter2"));
    }

    #[test]
    fn a_form_that_is_none_is_refused() {
        for (name, value) in [
            ("GATELOG_FEED__STDOUT", "xml"),
            ("GATELOG_FEED__FROM", "yesterday"),
            ("GATELOG_FEED__WEBHOOK__URL", "siem.example.org"),
        ] {
            assert!(with(&[(name, value)]).is_err(), "{name}");
        }
    }
}
