//! Every request gets an id, which ties together answer, log and journal, and its answer the
//! headers that all answers carry.

use std::future::{Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use actix_web::{
    Error, FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError as _, web,
};
use tracing::Instrument as _;
use uuid::Uuid;

use super::connections::{Busy, Connection};
use super::forward::{self, at_once};
use super::health::is_probe;
use super::page::page_error;
use super::{State, content_policy, traced};
use crate::telemetry::Held;
use crate::traces::{Parent, Span};

/// The header that names the request.
pub const ID: HeaderName = HeaderName::from_static("x-authentik-id");

/// Headers that an answer gets unless it has them already.
const DEFAULTS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, content_policy::USUAL),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // Not `no-referrer`: browsers would then say `Origin: null` when our own forms are posted,
    // and a cancel link could not tell from which page it was followed.
    (header::REFERRER_POLICY, "same-origin"),
    (header::CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
    (
        header::PERMISSIONS_POLICY,
        "camera=(), microphone=(), geolocation=()",
    ),
    (header::CACHE_CONTROL, "no-store"),
];

/// The longest path that the log shows, in characters.
const PATH: usize = 256;

/// When a request came and what it is called.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// Its name in answer, log and journal.
    pub id: Uuid,
    /// When its head had been read (monotonic).
    pub at: Instant,
    /// Its span.
    pub trace: Parent,
}

impl Arrival {
    /// Its name as answers spell it: 32 hexadecimal digits.
    #[must_use]
    pub fn name(&self) -> String {
        self.id.simple().to_string()
    }
}

impl FromRequest for Arrival {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let noted = request.extensions().get::<Self>().copied();
        ready(noted.ok_or_else(|| {
            actix_web::error::ErrorInternalServerError("the request was not given an id")
        }))
    }
}

/// Goes around every request.
pub async fn around(
    state: web::Data<State>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let (id, at) = (state.clock.ordered_id(), state.clock.monotonic());
    let mut trace = traced::begin(&state, &request, id);
    let arrival = Arrival {
        id,
        at,
        trace: trace.parent(),
    };
    request.extensions_mut().insert(arrival);
    let busy = request
        .conn_data::<Arc<Connection>>()
        .map(Connection::begins);
    let in_flight = Held::new(&state.metrics.web().in_flight);
    let name = arrival.name();
    // At this level, so that whatever is logged says to which request it belongs.
    let span = tracing::error_span!("request", id = %name, execution = tracing::field::Empty);
    let answer = answer(&state, request, next, arrival, &mut trace).instrument(span);
    let mut response = answer.await?;
    drop(trace);
    put_defaults(response.headers_mut(), &name);
    drop(in_flight);
    // What was compressed on its way has no size any more, and ends all the same: only whoever made
    // an answer knows whether it goes on.
    let goes_on = response.response().extensions().get::<GoesOn>().is_some();
    Ok(match busy {
        Some(busy) if goes_on => response.map_body(|_, body| endless(body, busy)),
        _ => response,
    })
}

/// Goes around that where proxies ask: a question whose answer is known gets it without anything else
/// being done. What lets somebody pass reaches no browser, and needs nothing of what all answers carry.
pub async fn short_way(
    state: web::Data<State>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let Some(mut answer) = at_once(&state, request.request()) else {
        return Ok(next.call(request).await?.map_into_left_body());
    };
    let _busy = request
        .conn_data::<Arc<Connection>>()
        .map(Connection::begins);
    let status = answer.status();
    state.metrics.web().known(status.as_u16());
    if !status.is_success() {
        let id = state.clock.ordered_id().simple().to_string();
        put_defaults(answer.headers_mut(), &id);
    }
    Ok(request.into_response(answer).map_into_right_body())
}

/// Says of an answer that it goes on for as long as somebody listens.
#[derive(Clone, Copy, Debug)]
struct GoesOn;

/// An answer that goes on for as long as somebody listens: its connection does not count as one that
/// does nothing.
#[must_use]
pub(super) fn goes_on(mut answer: HttpResponse) -> HttpResponse {
    answer.extensions_mut().insert(GoesOn);
    answer
}

/// Answers a request, or turns it away, and notes what came of it.
async fn answer(
    state: &web::Data<State>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    arrival: Arrival,
    trace: &mut Span,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let method = request.method().clone();
    // The path alone: the query string may hold tokens. No visitor fills the log with one line.
    let path: String = request.path().chars().take(PATH).collect();
    let (response, is_turned_away) = match state.pass(request.request()) {
        Ok(()) => (next.call(request).await?.map_into_boxed_body(), false),
        Err(refusal) => {
            let answer = turn_away(state, request.request(), arrival, refusal).await;
            (request.into_response(answer), true)
        }
    };
    if let Some(error) = response.response().error() {
        if let Some(ours) = error.as_error::<super::Error>() {
            ours.log();
        } else {
            tracing::debug!(reason = %error, "refused a request");
        }
    }
    let taken = state
        .clock
        .monotonic()
        .saturating_duration_since(arrival.at);
    let status = response.status().as_u16();
    let counts = state.metrics.web();
    counts.answered(&path, method.as_str(), status, taken);
    let milliseconds = u64::try_from(taken.as_millis()).unwrap_or(u64::MAX);
    let path = logged(response.request(), path);
    // Probes and pictures come all the time and tell nobody anything. Of what limits turned away, one
    // line a second is told.
    if is_turned_away || is_probe(&path) || path.starts_with("/static/") {
        trace.forget();
        tracing::debug!(%method, path, status, milliseconds, "answered");
    } else {
        traced::answered(trace, response.request(), status);
        tracing::info!(%method, path, status, milliseconds, "answered");
    }
    Ok(response)
}

/// The path as the log shows it: those of the operator hold names of people, and one proxy puts the
/// path of an application behind ours, so there it is what the route is made of.
fn logged(request: &HttpRequest, path: String) -> String {
    if !path.starts_with("/operator/") && !path.starts_with(forward::AUTH) {
        return path;
    }
    request
        .match_pattern()
        .unwrap_or_else(|| "/operator/".to_owned())
}

/// What somebody gets whose request is not looked at: JSON below `/api/`, a page elsewhere.
async fn turn_away(
    state: &State,
    request: &HttpRequest,
    arrival: Arrival,
    refusal: super::Error,
) -> HttpResponse {
    if request.path().starts_with("/api/") {
        refusal.log();
        return refusal.error_response();
    }
    page_error(state, request, arrival, Err(refusal)).await
}

/// An answer that goes on for as long as somebody listens: its connection is not one that does
/// nothing.
struct Endless {
    body: BoxBody,
    _busy: Busy,
}

fn endless(body: BoxBody, busy: Busy) -> BoxBody {
    BoxBody::new(Endless { body, _busy: busy })
}

impl MessageBody for Endless {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_next(cx)
    }
}

fn put_defaults(headers: &mut HeaderMap, id: &str) {
    for (name, value) in DEFAULTS {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(ID, id);
    }
}
