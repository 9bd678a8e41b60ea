//! How much a request may be, and how many of them one address may send.
//!
//! What is turned away here was not looked at.

use std::net::IpAddr;
use std::time::Duration;

use actix_web::{HttpRequest, web};
use futures_util::StreamExt as _;

use super::bodies::Bodies;
use super::client::address;
use super::health::is_probe;
use super::{Error, State};
use crate::execution::limit::Limiter;
use crate::telemetry::Refused;

/// What a name and a value take besides themselves, in bytes: a colon, a blank, the end of the
/// line.
const LINE: usize = 4;

/// How much a request may be, and how many an address may send.
#[derive(Debug)]
pub struct Bounds {
    /// The most bytes of a head.
    pub head: usize,
    /// The most bytes of a body.
    pub body: usize,
    /// The memory for all bodies together.
    pub bodies: Bodies,
    /// How long a body may take to arrive.
    pub patience: Duration,
    /// How often an address may ask for anything.
    pub requests: Limiter,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            head: 64 << 10,
            body: 256 << 10,
            bodies: Bodies::new(64 << 20),
            patience: Duration::from_secs(30),
            requests: Limiter::new(200, 2_000),
        }
    }
}

impl State {
    /// Lets a request pass whose head is not too long and whose address did not send too many.
    /// Whoever asks whether the server lives is always answered, and so is its operator.
    ///
    /// # Errors
    /// Why it may not pass.
    pub(super) fn pass(&self, request: &HttpRequest) -> Result<(), Error> {
        if head(request) > self.bounds.head {
            self.metrics.web().refused(Refused::Head);
            self.turned_away
                .note(address(request, &self.trusted_proxies));
            return Err(Error::LongHead);
        }
        if request.peer_addr().is_none() || is_probe(request.path()) {
            return Ok(());
        }
        let address = address(request, &self.trusted_proxies);
        let taken = self.bounds.requests.take(address, self.clock.monotonic());
        taken.map_err(|wait| {
            self.metrics.web().refused(Refused::Requests);
            self.turned_away.note(address);
            Error::Throttled(wait)
        })
    }

    /// All of a body.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Unread`] when it does not arrive whole and in time, or
    /// [`Error::Crowded`] when those of others take the memory.
    pub(super) async fn collect(
        &self,
        request: &HttpRequest,
        payload: web::Payload,
    ) -> Result<web::Bytes, Error> {
        self.collect_up_to(request, payload, self.bounds.body).await
    }

    /// The same for a body that may have so many bytes.
    ///
    /// # Errors
    /// As [`State::collect`].
    pub(super) async fn collect_up_to(
        &self,
        request: &HttpRequest,
        payload: web::Payload,
        most: usize,
    ) -> Result<web::Bytes, Error> {
        let address = address(request, &self.trusted_proxies);
        let arriving = self.arriving(address, payload, most);
        let Ok(body) = tokio::time::timeout(self.bounds.patience, arriving).await else {
            self.metrics.web().refused(Refused::Slow);
            return Err(Error::Unread);
        };
        let why = match &body {
            Err(Error::TooLarge(_)) => Some(Refused::Body),
            Err(Error::Crowded) => Some(Refused::Bodies),
            _ => None,
        };
        if let Some(why) = why {
            self.metrics.web().refused(why);
        }
        body
    }

    /// A body as it arrives, however long that takes.
    async fn arriving(
        &self,
        address: IpAddr,
        mut payload: web::Payload,
        most: usize,
    ) -> Result<web::Bytes, Error> {
        let mut body = self.bounds.bodies.begin(address);
        while let Some(piece) = payload.next().await {
            let piece = piece.map_err(|_| Error::Unread)?;
            if body.len().saturating_add(piece.len()) > most {
                return Err(Error::TooLarge(most));
            }
            if !body.add(&piece) {
                return Err(Error::Crowded);
            }
        }
        Ok(body.whole())
    }
}

/// The bytes of a head, about.
fn head(request: &HttpRequest) -> usize {
    let line = request.path().len() + request.query_string().len();
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| name.as_str().len() + value.len() + LINE);
    line + headers.sum::<usize>()
}
