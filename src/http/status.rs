//! `/flows/executor/<slug>/status/`: where one's own execution stands, once or as it changes.

use std::net::IpAddr;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::stream;

use super::executor::question;
use super::request::Arrival;
use super::session::Visitor;
use super::streams::{self, KEEP_ALIVE, Place, STOPPING, Streams};
use super::{Error, State};
use crate::execution::{Status, Watching};
use crate::flow::client::network;
use crate::flow::query;

/// How many streams one address may have open: people behind one address share it.
const PER_ADDRESS: usize = 64;

/// How many there may be altogether.
const ALTOGETHER: usize = 4096;

impl Default for Streams<IpAddr> {
    fn default() -> Self {
        Self::limited(PER_ADDRESS, ALTOGETHER)
    }
}

/// `GET /api/v3/flows/executor/<slug>/status/?query=`
pub(super) async fn show(
    request: HttpRequest,
    slug: web::Path<String>,
    state: web::Data<State>,
    arrival: Arrival,
) -> Result<HttpResponse, Error> {
    let visitor = Visitor::of(&state, &request, arrival.id).await?;
    let question = question(&request, slug.into_inner(), &visitor, arrival);
    if question.query.len() > query::MAX_LENGTH {
        return Err(Error::LongAddress);
    }
    let mut watching = state.executions.watch(question).await?;
    if request.method() == Method::HEAD || !streams::are_wanted(&request) {
        return Ok(HttpResponse::Ok().json(watching.look().await?));
    }
    let place = state.streams.open(network(visitor.client.address))?;
    let told = Told {
        state,
        watching,
        last: None,
        silent: Duration::ZERO,
        _place: place,
    };
    Ok(streams::answer(stream::unfold(told, async |mut told| {
        Some((told.next().await?, told))
    })))
}

/// What a stream has told.
struct Told {
    state: web::Data<State>,
    watching: Watching,
    last: Option<Status>,
    /// How long it has said nothing.
    silent: Duration,
    _place: Place<IpAddr>,
}

impl Told {
    /// What it says next; `None` at its end.
    async fn next(&mut self) -> Option<Bytes> {
        if self.last.as_ref().is_some_and(Status::is_last) {
            return None;
        }
        loop {
            if self.last.is_some() {
                if self.state.is_stopping() {
                    return None;
                }
                let sign = tokio::time::timeout(STOPPING, self.watching.changed()).await;
                if sign.is_err() {
                    self.silent += STOPPING;
                    if self.silent < KEEP_ALIVE {
                        continue;
                    }
                }
            }
            let status = match self.watching.look().await {
                Ok(status) => status,
                Err(error) => {
                    // Whoever listens comes back by themselves.
                    tracing::warn!(%error, "a status could not be read");
                    return None;
                }
            };
            if self.last.as_ref() == Some(&status) {
                if self.silent < KEEP_ALIVE {
                    continue;
                }
                self.silent = Duration::ZERO;
                return Some(Bytes::from_static(b":\n\n"));
            }
            self.silent = Duration::ZERO;
            let told = serde_json::to_string(&status).expect("it has only plain members");
            self.last = Some(status);
            return Some(format!("data: {told}\n\n").into());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn an_address_has_so_many_streams_and_gets_a_place_back_when_one_ends() {
        let streams = Arc::new(Streams::default());
        let here: IpAddr = "192.0.2.1".parse().expect("a literal");
        let there: IpAddr = "192.0.2.2".parse().expect("a literal");
        let mut places: Vec<_> = (0..PER_ADDRESS).map(|_| streams.open(here)).collect();
        assert!(places.iter().all(Result::is_ok));
        assert!(streams.open(here).is_err());
        assert!(streams.open(there).is_ok());
        places.pop();
        assert!(streams.open(here).is_ok());
        drop(places);
        assert!(streams.all().is_empty());
    }
}
