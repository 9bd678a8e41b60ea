//! Asks a captcha's provider what it thinks of an answer: one form, posted once.
//!
//! reCAPTCHA, hCaptcha and Turnstile speak alike here. It judges nothing, and says nothing of
//! what it sent or got in an error. What it got is written down, so it returns only what is known of
//! these providers, and nothing in which they repeat the key or the visitor's token.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::sync::OnceCell;
use url::form_urlencoded;

use crate::tls;

/// How long the provider may take altogether. Source: authentik `lib/utils/http.py`.
const PATIENCE: Duration = Duration::from_secs(30);

/// The most bytes of an answer that are read; a real one has some hundred.
const LONGEST: usize = 16 * 1024;

/// What is taken over of an answer.
const MEMBERS: [&str; 8] = [
    "success",
    "score",
    "action",
    "hostname",
    "challenge_ts",
    "error-codes",
    "cdata",
    "credit",
];

/// What a provider is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// Where it is asked.
    pub url: String,
    /// The key that the operator shares with it.
    pub secret: SecretString,
    /// What the visitor's browser got from it; may be empty.
    pub response: SecretString,
    /// The visitor's address.
    pub address: IpAddr,
}

/// Why nothing is known of an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The provider could not be reached, or did not answer in time.
    #[error("the provider could not be asked: {0}")]
    Unreachable(&'static str),
    /// It answered with another status than those that mean success.
    #[error("the provider answered with the status {0}")]
    Status(u16),
    /// What it answered has more bytes than are read.
    #[error("the provider's answer has more than {LONGEST} bytes")]
    TooLong,
    /// What it answered is not JSON.
    #[error("the provider's answer is not JSON")]
    NotJson,
}

/// Asks providers. One for the whole program.
#[derive(Debug)]
pub struct Providers {
    patience: Duration,
    /// Made when it is first needed: it reads the machine's certificates.
    http: OnceCell<Client>,
}

impl Default for Providers {
    fn default() -> Self {
        Self {
            patience: PATIENCE,
            http: OnceCell::new(),
        }
    }
}

impl Providers {
    /// What the provider says of an answer, as far as it is known what that means. Null stands for
    /// something that is no object.
    ///
    /// # Errors
    /// Why it says nothing.
    pub async fn ask(&self, question: &Question) -> Result<Value, Error> {
        let http = self.http.get_or_try_init(|| client(self.patience)).await?;
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("secret", question.secret.expose_secret())
            .append_pair("response", question.response.expose_secret())
            .append_pair("remoteip", &question.address.to_string())
            .finish();
        let asked = http
            .post(&question.url)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form)
            .send();
        let answer = asked.await.map_err(unreachable)?;
        let status = answer.status();
        if !status.is_success() {
            return Err(Error::Status(status.as_u16()));
        }
        let text = tls::body(answer, LONGEST).await.map_err(unreachable)?;
        let text = text.ok_or(Error::TooLong)?;
        let said = serde_json::from_slice(&text).map_err(|_| Error::NotJson)?;
        Ok(known(said, question))
    }
}

/// What may be written down of an answer.
fn known(said: Value, question: &Question) -> Value {
    let Value::Object(mut said) = said else {
        return Value::Null;
    };
    let sent = [&question.secret, &question.response].map(ExposeSecret::expose_secret);
    said.retain(|name, value| {
        MEMBERS.contains(&name.as_str()) && !sent.iter().any(|sent| repeats(value, sent))
    });
    Value::Object(said)
}

/// Whether a text that was sent is anywhere in this.
fn repeats(value: &Value, sent: &str) -> bool {
    match value {
        Value::String(text) => !sent.is_empty() && text.contains(sent),
        Value::Array(items) => items.iter().any(|item| repeats(item, sent)),
        Value::Object(entries) => entries
            .iter()
            .any(|(name, value)| (!sent.is_empty() && name.contains(sent)) || repeats(value, sent)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

async fn client(patience: Duration) -> Result<Client, Error> {
    let built = tls::built(tls::outward().timeout(patience)).await;
    let unknown = Error::Unreachable("no client can be made");
    built.map_err(|error| error.map_or(unknown, unreachable))
}

#[allow(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
fn unreachable(error: reqwest::Error) -> Error {
    Error::Unreachable(if error.is_timeout() {
        "it did not answer in time"
    } else if error.is_connect() {
        "no connection"
    } else if error.is_builder() {
        "its address cannot be called, or the machine has no certificates"
    } else {
        "the connection broke"
    })
}

#[cfg(test)]
mod tests;
