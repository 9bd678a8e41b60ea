//! `/flows/executor/<slug>/status/`: where one's own execution stands, once or as it changes.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::http::{Method, header};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::stream::{self, Stream};

use super::executor::question;
use super::request::Arrival;
use super::session::Visitor;
use super::{Error, State};
use crate::execution::{Status, Watching};
use crate::flow::client::network;
use crate::flow::query;

/// How many streams one address may have open: people behind one address share it.
const PER_ADDRESS: usize = 64;

/// How many there may be altogether.
const ALTOGETHER: usize = 4096;

/// How often a stream says that it is still there. What no commit tells is noticed then as well,
/// such as a session that has ended.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How often a stream looks whether the server is about to stop.
const STOPPING: Duration = Duration::from_secs(1);

/// How long whoever has too many streams is asked to wait.
const LATER: Duration = Duration::from_secs(10);

/// The streams that are open, by address.
#[derive(Debug, Default)]
pub struct Streams(Mutex<HashMap<IpAddr, usize>>);

impl Streams {
    fn all(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more for this address, as long as the place is kept.
    pub(super) fn open(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let address = network(address);
        let mut all = self.all();
        let own = all.get(&address).copied().unwrap_or(0);
        if own >= PER_ADDRESS || all.values().sum::<usize>() >= ALTOGETHER {
            return None;
        }
        all.insert(address, own + 1);
        drop(all);
        Some(Place {
            streams: Arc::clone(self),
            address,
        })
    }
}

/// The place of one stream, given back when it ends.
#[derive(Debug)]
pub(super) struct Place {
    streams: Arc<Streams>,
    address: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.streams.all();
        if let Some(own) = all.get_mut(&self.address) {
            *own -= 1;
            if *own == 0 {
                all.remove(&self.address);
            }
        }
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
    if request.method() == Method::HEAD || !wants_stream(&request) {
        return Ok(HttpResponse::Ok().json(watching.look().await?));
    }
    let place = state.streams.open(visitor.client.address);
    let place = place.ok_or(Error::Throttled(LATER))?;
    let told = Told {
        state,
        watching,
        last: None,
        silent: Duration::ZERO,
        _place: place,
    };
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        // Proxies that collect answers would keep what is to be heard at once.
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(events(told)))
}

pub(super) fn wants_stream(request: &HttpRequest) -> bool {
    let accepted = request.headers().get_all(header::ACCEPT);
    accepted
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(','))
        .filter_map(|it| it.split(';').next())
        .any(|it| it.trim().eq_ignore_ascii_case("text/event-stream"))
}

/// What a stream has told.
struct Told {
    state: web::Data<State>,
    watching: Watching,
    last: Option<Status>,
    /// How long it has said nothing.
    silent: Duration,
    _place: Place,
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

fn events(told: Told) -> impl Stream<Item = Result<Bytes, Error>> {
    stream::unfold(told, async |mut told| {
        let said = told.next().await?;
        Some((Ok(said), told))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_streams_and_gets_a_place_back_when_one_ends() {
        let streams = Arc::new(Streams::default());
        let here: IpAddr = "192.0.2.1".parse().expect("a literal");
        let there: IpAddr = "192.0.2.2".parse().expect("a literal");
        let mut places: Vec<_> = (0..PER_ADDRESS).map(|_| streams.open(here)).collect();
        assert!(places.iter().all(Option::is_some));
        assert!(streams.open(here).is_none());
        assert!(streams.open(there).is_some());
        places.pop();
        assert!(streams.open(here).is_some());
        drop(places);
        assert!(streams.all().is_empty());
    }
}
