//! Speaks to the operator's routes: of the running server, or of one started for this command.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use reqwest::{Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use crate::app::{self, lock, socket};
use crate::clock::Clock;
use crate::settings::Settings;
use crate::tls;

/// How long a holder of the lock may take to answer on its socket.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(100);
/// For calls that read one thing or write one.
const SHORT: Duration = Duration::from_mins(1);
/// For calls that walk through the whole journal.
pub(super) const LONG: Duration = Duration::from_hours(12);

/// Somebody holds the lock but does not answer.
#[derive(Debug, thiserror::Error)]
#[error("{held}, but does not answer at {socket}: {problem}")]
pub(super) struct Silent {
    held: lock::Error,
    socket: String,
    problem: String,
}

/// The server's answer was a refusal.
#[derive(Debug, Deserialize, thiserror::Error)]
#[error("{message}")]
pub(super) struct Refusal {
    /// The HTTP status.
    #[serde(skip)]
    pub(super) status: u16,
    /// What a program reads, such as `journal_corrupt`.
    pub(super) code: String,
    /// What a person reads.
    pub(super) message: String,
    /// Details, such as the problems of a blueprint.
    #[serde(default)]
    pub(super) problems: Vec<Value>,
}

/// A connection to the operator's routes.
pub(super) struct Operator {
    http: reqwest::Client,
    own: Option<app::Running>,
}

/// Asks one thing: posts where there is a body.
pub(super) async fn once(
    settings: &Settings,
    path: &str,
    body: Option<&Value>,
) -> anyhow::Result<Value> {
    let operator = Operator::reach(settings).await?;
    let answer = match body {
        Some(body) => operator.post(path, body).await,
        None => operator.get(path).await,
    };
    operator.close().await?;
    answer
}

impl Operator {
    /// Takes the lock and starts a server for this command, or connects to whoever has it.
    pub(super) async fn reach(settings: &Settings) -> anyhow::Result<Self> {
        let clock = Clock::system();
        let deadline = clock.monotonic() + PATIENCE;
        loop {
            let take = match settings.journal.url {
                Some(_) => lock::take_beside_a_database,
                None => lock::take,
            };
            let held = match take(&settings.data, lock::Role::Command, &clock) {
                Ok(lock) => return Self::start(lock, settings, clock).await,
                Err(held @ lock::Error::Held { .. }) => held,
                Err(error) => return Err(error.into()),
            };
            let path = socket::find(&settings.data);
            let http = http(&path)?;
            let Err(problem) = http.get(url("status")).timeout(PAUSE * 10).send().await else {
                return Ok(Self { http, own: None });
            };
            if clock.monotonic() >= deadline {
                return Err(Silent {
                    held,
                    socket: path.display().to_string(),
                    problem: innermost(&problem),
                }
                .into());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn start(lock: lock::Lock, settings: &Settings, clock: Clock) -> anyhow::Result<Self> {
        let own = app::operate(lock, settings.clone(), clock).await?;
        let http = http(own.socket())?;
        Ok(Self {
            http,
            own: Some(own),
        })
    }

    /// Reads `/operator/<path>`.
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.call(Method::GET, path, None, SHORT).await
    }

    /// The same for what may take as long as it takes.
    pub(super) async fn get_long(&self, path: &str) -> anyhow::Result<Value> {
        self.call(Method::GET, path, None, LONG).await
    }

    /// Sends `body` to `/operator/<path>`.
    pub(super) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.call(Method::POST, path, Some(body), SHORT).await
    }

    /// The same for what may take as long as it takes.
    pub(super) async fn post_long(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.call(Method::POST, path, Some(body), LONG).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        timeout: Duration,
    ) -> anyhow::Result<Value> {
        let response = self.send(method, path, body, timeout).await?;
        if response.status() == StatusCode::NO_CONTENT {
            return Ok(Value::Null);
        }
        response
            .json()
            .await
            .context("the server's answer is not JSON")
    }

    /// Sends a request and returns the answer with its body still to come.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        timeout: Duration,
    ) -> anyhow::Result<Response> {
        let mut request = self.http.request(method, url(path)).timeout(timeout);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request
            .send()
            .await
            .with_context(|| broke_off("the server's answer"))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let text = response.bytes().await.unwrap_or_default();
        let refusal = serde_json::from_slice(&text).unwrap_or_else(|_| Refusal {
            status: 0,
            code: "unexpected".to_owned(),
            message: format!("the server answered with {status}"),
            problems: Vec::new(),
        });
        Err(Refusal {
            status: status.as_u16(),
            ..refusal
        }
        .into())
    }

    /// Ends the connection, and the server if it was started for it.
    pub(super) async fn close(self) -> anyhow::Result<()> {
        drop(self.http);
        match self.own {
            Some(own) => own.stop().await,
            None => Ok(()),
        }
    }
}

/// The next piece of a long answer, which is called `what`; `None` at its end.
///
/// # Errors
/// When it broke off, which says nothing of why: the server can only stop in the middle.
pub(super) async fn next(response: &mut Response, what: &str) -> anyhow::Result<Option<Bytes>> {
    response.chunk().await.with_context(|| broke_off(what))
}

/// What is said where a server stopped in the middle, which may be before its first word.
fn broke_off(what: &str) -> String {
    format!(
        "{what} broke off; the server's log says why, and `gatelog journal verify` whether the \
         journal is damaged"
    )
}

/// A segment of a path: everything but letters, digits and `-_.~` is percent-encoded.
pub(super) fn segment(text: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const RESERVED: AsciiSet = NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'~');
    utf8_percent_encode(text, &RESERVED).to_string()
}

fn url(path: &str) -> String {
    format!("http://gatelog/operator/{path}")
}

fn http(socket: &Path) -> anyhow::Result<reqwest::Client> {
    tls::inward()
        .unix_socket(socket.to_owned())
        .connect_timeout(PATIENCE)
        .build()
        .context("the HTTP client cannot be made")
}

/// What the operating system said, without the layers above.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_within_its_segment() {
        assert_eq!(segment("a/../ü?#"), "a%2F..%2F%C3%BC%3F%23");
    }
}
