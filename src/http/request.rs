//! Every request gets an id, which ties together answer, log and journal, and its answer the
//! headers that all answers carry.

use std::future::{Ready, ready};
use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, web};
use uuid::Uuid;

use super::{State, content_policy};

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
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let arrival = Arrival {
        id: state.clock.ordered_id(),
        at: state.clock.monotonic(),
    };
    request.extensions_mut().insert(arrival);
    let method = request.method().clone();
    // The path alone: the query string may hold tokens. No visitor fills the log with one line.
    let path: String = request.path().chars().take(PATH).collect();

    let mut response = next.call(request).await?;
    let name = arrival.name();
    if let Some(error) = response.response().error() {
        if let Some(ours) = error.as_error::<super::Error>() {
            ours.log(&name);
        } else {
            tracing::debug!(id = name, reason = %error, "refused a request");
        }
    }
    put_defaults(response.headers_mut(), &name);
    let taken = state
        .clock
        .monotonic()
        .saturating_duration_since(arrival.at);
    let status = response.status().as_u16();
    let milliseconds = u64::try_from(taken.as_millis()).unwrap_or(u64::MAX);
    // Probes and pictures come all the time and tell nobody anything.
    if path.starts_with("/-/health/") || path.starts_with("/static/") {
        tracing::debug!(id = name, %method, path, status, milliseconds, "answered");
    } else {
        tracing::info!(id = name, %method, path, status, milliseconds, "answered");
    }
    Ok(response)
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
