//! Sends one signed request to Duo and reads the envelope of its answer.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, Response};
use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::account::{Account, Place, place};
use super::sign::{self, Signed};
use crate::clock::Clock;
use crate::tls;

/// The most bytes of an answer that are read; a page of users has some hundred thousand.
const LONGEST: usize = 8 * 1024 * 1024;

/// How long a connection may take to be made.
const CONNECTING: Duration = Duration::from_secs(10);

/// How long to wait when Duo is asked too often, at first.
const PAUSE: Duration = Duration::from_secs(1);

/// The most characters of what Duo says that are repeated to somebody.
const SHORT: usize = 200;

/// Why Duo did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It answered, and does not want to: what the operator has set is wrong, or what was asked.
    #[error("{message}")]
    Refused {
        /// What Duo calls the problem, such as 40103; where it says so.
        code: Option<u64>,
        /// What it says, with the status.
        message: String,
    },
    /// It was not reached, has too much to do, or is out of order: nothing was done.
    #[error("Duo could not be asked: {0}")]
    Unreachable(&'static str),
    /// The request was sent, and what became of it is not known.
    #[error("what Duo did is not known: {0}")]
    Broken(&'static str),
}

impl Error {
    /// It says something that makes no sense.
    pub(super) const STRANGE: Self = Self::Unreachable("its answer makes no sense");
}

/// What Duo answered.
#[derive(Debug)]
pub(super) struct Answer {
    /// What was asked for.
    pub(super) response: Value,
    /// Where there is more of it.
    pub(super) metadata: Value,
}

/// Sends requests.
#[derive(Debug)]
pub(super) struct Http {
    clock: Clock,
    /// Made when it is first needed: it reads the machine's certificates.
    client: OnceCell<Client>,
}

/// One request, in every form that is needed to sign and to send it.
struct Asked<'a> {
    account: &'a Account,
    method: Method,
    path: &'a str,
    query: String,
    body: String,
}

impl Http {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            client: OnceCell::new(),
        }
    }

    pub(super) async fn post(
        &self,
        account: &Account,
        path: &str,
        body: &Value,
        patience: Duration,
    ) -> Result<Value, Error> {
        let asked = Asked {
            account,
            method: Method::POST,
            path,
            query: String::new(),
            body: sorted(body),
        };
        Ok(self.ask(&asked, patience).await?.response)
    }

    pub(super) async fn get(
        &self,
        account: &Account,
        path: &str,
        parameters: &[(&str, &str)],
        patience: Duration,
    ) -> Result<Answer, Error> {
        let asked = Asked {
            account,
            method: Method::GET,
            path,
            query: sign::query(parameters),
            body: String::new(),
        };
        self.ask(&asked, patience).await
    }

    /// Asks, and again as long as Duo says that it is asked too often and there is time.
    async fn ask(&self, asked: &Asked<'_>, patience: Duration) -> Result<Answer, Error> {
        let end = self.clock.monotonic() + patience;
        let mut pause = PAUSE;
        loop {
            let left = end.saturating_duration_since(self.clock.monotonic());
            let answer = self.send(asked, left).await?;
            if answer.status().as_u16() != TOO_OFTEN {
                return read(answer, asked.account).await;
            }
            let [jitter] = self.clock.random::<1>();
            let wait = pause + Duration::from_millis(u64::from(jitter) * 4);
            if self.clock.monotonic() + wait >= end {
                return Err(Error::Unreachable("it is asked too often"));
            }
            tokio::time::sleep(wait).await;
            pause *= 2;
        }
    }

    async fn send(&self, asked: &Asked<'_>, patience: Duration) -> Result<Response, Error> {
        let client = self.client.get_or_try_init(client).await?;
        let request = self.request(client, asked)?.timeout(patience);
        request.send().await.map_err(failed)
    }

    fn request(&self, client: &Client, asked: &Asked<'_>) -> Result<RequestBuilder, Error> {
        let Account { host, key, secret } = asked.account;
        let wrong = || Error::Refused {
            code: None,
            message: "the host of Duo's API is no name of a host".to_owned(),
        };
        let Place { base, host } = place(host).ok_or_else(wrong)?;
        let date = sign::date(self.clock.now());
        let signed = Signed {
            date: &date,
            method: asked.method.as_str(),
            host: &host,
            path: asked.path,
            query: &asked.query,
            body: &asked.body,
        };
        let authorization = signed.authorization(key, secret);
        let header = HeaderValue::from_str(authorization.expose_secret());
        let mut header = header.expect("it is base64");
        header.set_sensitive(true);
        let mut url = format!("{base}{}", asked.path);
        if !asked.query.is_empty() {
            url = format!("{url}?{}", asked.query);
        }
        let request = client
            .request(asked.method.clone(), url)
            .header(DATE, date)
            .header(AUTHORIZATION, header);
        if asked.body.is_empty() {
            return Ok(request);
        }
        let kind = "application/json";
        Ok(request.header(CONTENT_TYPE, kind).body(asked.body.clone()))
    }
}

/// JSON with its members sorted by name and no space in between, as it is signed.
fn sorted(body: &Value) -> String {
    // The map of this build is sorted, unless some crate wants it otherwise.
    let mut body = body.clone();
    body.sort_all_objects();
    body.to_string()
}

/// The status by which Duo says that it is asked too often.
const TOO_OFTEN: u16 = 429;

/// Reads the envelope.
async fn read(answer: Response, account: &Account) -> Result<Answer, Error> {
    let status = answer.status();
    let text = tls::body(answer, LONGEST).await.map_err(failed)?;
    let text = text.ok_or(Error::STRANGE)?;
    if status.is_server_error() {
        return Err(Error::Unreachable("it is out of order"));
    }
    let said: Option<Value> = serde_json::from_slice(&text).ok();
    let mut said = match said {
        Some(said @ Value::Object(_)) => said,
        // A proxy in between, or another server altogether.
        _ if status.is_success() => return Err(Error::STRANGE),
        _ => Value::Null,
    };
    if status.as_u16() == 200 && said["stat"] == "OK" {
        return Ok(Answer {
            response: said["response"].take(),
            metadata: said["metadata"].take(),
        });
    }
    if status.is_redirection() {
        return Err(Error::Unreachable("it sends requests elsewhere"));
    }
    Err(Error::Refused {
        code: said["code"].as_u64(),
        message: complaint(status.as_u16(), status.canonical_reason(), &said, account),
    })
}

/// What the operator reads. Source: `duo_client`, `parse_json_response`.
fn complaint(number: u16, reason: Option<&str>, said: &Value, account: &Account) -> String {
    let text = |name: &str| said[name].as_str().map(short).filter(|it| !it.is_empty());
    let complaint = match (text("message"), text("message_detail")) {
        (Some(message), Some(detail)) => format!("Received {number} {message} ({detail})"),
        (Some(message), None) => format!("Received {number} {message}"),
        (None, _) => {
            let reason = reason.unwrap_or_default();
            format!("Received {number} {reason}")
        }
    };
    let secret = account.secret.expose_secret();
    if !secret.is_empty() && complaint.contains(secret) {
        return format!("Received {number}");
    }
    complaint.trim_end().to_owned()
}

/// The beginning of a text, without what would mislead whoever reads it in a log.
pub(super) fn short(text: &str) -> String {
    let plain = text.chars().filter(|letter| !letter.is_control());
    plain.take(SHORT).collect()
}

async fn client() -> Result<Client, Error> {
    let built = tls::built(tls::outward().connect_timeout(CONNECTING)).await;
    let none = "no client can be made; perhaps there are no certificates";
    built.map_err(|_| Error::Unreachable(none))
}

#[allow(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
fn failed(error: reqwest::Error) -> Error {
    if error.is_builder() {
        Error::Unreachable("its address cannot be called")
    } else if error.is_connect() {
        Error::Unreachable("no connection")
    } else if error.is_timeout() {
        Error::Broken("it did not answer in time")
    } else {
        Error::Broken("the connection broke")
    }
}
