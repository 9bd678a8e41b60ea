//! Hands text messages to a provider: Twilio, or anything else that takes JSON. One request for
//! each message, and never a second one.
//!
//! It judges nothing, and says nothing of what it sent in an error. Of an answer it returns the
//! status and what the provider complains of, without the code and the operator's credentials.

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use url::{Url, form_urlencoded};

use crate::settings::Sms;
use crate::tls;

mod message;

pub use message::{Credentials, Message, Provider};

/// How long the provider may take altogether. Source: authentik `lib/utils/http.py`.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The most bytes of an answer that are read.
const LONGEST: usize = 16 * 1024;

/// The most characters of a complaint that anybody is shown.
const SHOWN: usize = 500;

/// Stands in a complaint where a secret was.
const CLEARED: &str = "‹secret›";

/// What a provider answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// What it complains of, where it did not take the message; may be empty.
    pub said: String,
}

impl Answer {
    /// Whether it took the message.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The provider was not reached, so it has no message.
    #[error("the provider could not be reached: {0}")]
    Unreachable(&'static str),
    /// It did not answer in time; it may have the message.
    #[error("the provider did not answer in time")]
    Slow,
    /// The connection broke; it may have the message.
    #[error("the connection to the provider broke")]
    Broken,
}

/// Hands messages over. One for the whole program.
#[derive(Debug)]
pub struct Providers {
    /// Where Twilio is, without a slash at its end.
    twilio: String,
    patience: Duration,
    /// Made when it is first needed: it reads the machine's certificates.
    http: OnceCell<Client>,
}

impl Default for Providers {
    fn default() -> Self {
        Self::new(Sms::TWILIO)
    }
}

impl Providers {
    /// Twilio is at this address.
    #[must_use]
    pub fn new(twilio: &str) -> Self {
        Self {
            twilio: twilio.trim_end_matches('/').to_owned(),
            patience: PATIENCE,
            http: OnceCell::new(),
        }
    }

    /// Hands a message over.
    ///
    /// # Errors
    /// Why nobody knows what the provider says, and whether it may have the message.
    pub async fn send(&self, message: &Message) -> Result<Answer, Error> {
        let http = self.http.get_or_try_init(|| client(self.patience)).await?;
        let request = match message.provider {
            Provider::Twilio => self.twilio(http, message)?,
            Provider::Generic => generic(http, message)?,
        };
        let mut answer = request.send().await.map_err(|error| failed(&error))?;
        let status = answer.status().as_u16();
        let mut text = Vec::new();
        // It took the message or did not, whatever becomes of the rest of its answer.
        while let Ok(Some(part)) = answer.chunk().await {
            let left = LONGEST - text.len();
            text.extend_from_slice(&part[..part.len().min(left)]);
            if text.len() == LONGEST {
                break;
            }
        }
        let taken = Answer {
            status,
            said: String::new(),
        };
        if taken.is_taken() {
            return Ok(taken);
        }
        let text = String::from_utf8_lossy(&text);
        let said = match message.provider {
            Provider::Twilio => of_twilio(&text),
            Provider::Generic => text.into_owned(),
        };
        Ok(Answer {
            status,
            said: cleared(said, message),
        })
    }

    fn twilio(&self, http: &Client, message: &Message) -> Result<RequestBuilder, Error> {
        let no_address = Error::Unreachable("its address cannot be called");
        let mut url = Url::parse(&self.twilio).map_err(|_| no_address)?;
        url.path_segments_mut()
            .map_err(|()| no_address)?
            .pop_if_empty()
            .extend(["2010-04-01", "Accounts", &message.account, "Messages.json"]);
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("To", &message.to)
            .append_pair("From", &message.from)
            .append_pair("Body", message.text.expose_secret())
            .finish();
        let auth = message.auth.expose_secret();
        Ok(http
            .post(url)
            .basic_auth(&message.account, Some(auth))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json")
            .body(form))
    }
}

fn generic(http: &Client, message: &Message) -> Result<RequestBuilder, Error> {
    let url = Url::parse(&message.account)
        .map_err(|_| Error::Unreachable("its address cannot be called"))?;
    let usual = || {
        json!({
            "From": message.from,
            "To": message.to,
            "Body": message.code.expose_secret(),
            "Message": message.text.expose_secret(),
        })
    };
    let body = message.body.as_ref().map_or_else(
        || usual().to_string(),
        |body| body.expose_secret().to_owned(),
    );
    let request = http
        .post(url)
        .header(CONTENT_TYPE, "application/json")
        .body(body);
    let auth = message.auth.expose_secret();
    Ok(match &message.credentials {
        Credentials::Bearer => request.bearer_auth(auth),
        Credentials::Basic { password } => request.basic_auth(auth, Some(password.expose_secret())),
    })
}

/// What Twilio complains of.
fn of_twilio(text: &str) -> String {
    let said: Option<Value> = serde_json::from_str(text).ok();
    let said = said.as_ref().and_then(|said| said["message"].as_str());
    said.unwrap_or("Unable to create record").to_owned()
}

/// What may be shown of a complaint: a provider may repeat what it was sent.
fn cleared(said: String, message: &Message) -> String {
    let mut secrets = vec![&message.code, &message.auth];
    if let Credentials::Basic { password } = &message.credentials {
        secrets.push(password);
    }
    let secrets = secrets.into_iter().map(ExposeSecret::expose_secret);
    let said = secrets
        .filter(|secret| !secret.is_empty())
        .fold(said, |said, secret| said.replace(secret, CLEARED));
    let mut shown: String = said.trim().chars().take(SHOWN).collect();
    shown.retain(|it| it == '\n' || !it.is_control());
    shown
}

async fn client(patience: Duration) -> Result<Client, Error> {
    let built = tls::built(tls::outward().timeout(patience)).await;
    built.map_err(|_| Error::Unreachable("no client can be made"))
}

fn failed(error: &reqwest::Error) -> Error {
    if error.is_builder() {
        Error::Unreachable("its address cannot be called, or the machine has no certificates")
    } else if error.is_connect() {
        // Also where that took too long: nothing was sent yet.
        Error::Unreachable("no connection")
    } else if error.is_timeout() {
        Error::Slow
    } else {
        Error::Broken
    }
}

#[cfg(test)]
mod tests;
