//! Asks a server for a range, as `api.pwnedpasswords.com` is asked. Source: authentik
//! `policies/password`.

use std::time::Duration;

use reqwest::Client;
use tokio::sync::OnceCell;

use super::{Error, lines};
use crate::tls;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A server that answers for ranges.
#[derive(Debug)]
pub(super) struct Remote {
    url: String,
    /// Made when it is first needed: it reads the machine's certificates.
    http: OnceCell<Client>,
}

impl Remote {
    pub(super) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            http: OnceCell::new(),
        }
    }

    /// All that the server lists of a range.
    pub(super) async fn range(&self, digits: &str) -> Result<Vec<u8>, Error> {
        let http = self.http.get_or_try_init(client).await?;
        let asked = http
            .get(format!("{}{digits}", self.url))
            // Whoever watches the line cannot tell the range from the length of the answer.
            .header("Add-Padding", "true")
            .send();
        let answer = asked.await.map_err(unreachable)?;
        let status = answer.status().as_u16();
        if status != 200 {
            return Err(Error::Refused(status));
        }
        let text = tls::body(answer, lines::LONGEST).await;
        text.map_err(unreachable)?.ok_or(Error::NotAList)
    }
}

async fn client() -> Result<Client, Error> {
    let built = tls::built(tls::outward().timeout(PATIENCE)).await;
    let unknown = || Error::Unreachable("no client can be made".to_owned());
    built.map_err(|error| error.map_or_else(unknown, unreachable))
}

/// The error says nothing of the address, which ends with digits of the hash.
#[allow(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
fn unreachable(error: reqwest::Error) -> Error {
    let what = if error.is_timeout() {
        "it did not answer in time"
    } else if error.is_connect() {
        "no connection"
    } else if error.is_builder() {
        "the client cannot be made; the machine may have no certificates"
    } else {
        "the connection broke"
    };
    Error::Unreachable(what.to_owned())
}
