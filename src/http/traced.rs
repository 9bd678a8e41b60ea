//! What the span of a request says: its method, its route, and the status of its answer.
//!
//! Never its path, its query, a header or an address: those hold names and secrets.

use actix_web::HttpRequest;
use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use uuid::Uuid;

use super::State;
use super::client::is_believed;
use crate::traces::{Caller, Span};

/// The header by which a trace is continued.
const PARENT: &str = "traceparent";

/// Begins the span of a request. Whose trace it continues is believed of those whose other words about a request
/// are believed: of anybody else, somebody could fill the traces of others, or have theirs left out.
pub(super) fn begin(state: &State, request: &ServiceRequest, id: Uuid) -> Span {
    if !state.traces.is_on() {
        return Span::default();
    }
    let header = request.headers().get(PARENT);
    let header = header.filter(|_| is_believed(request.request(), &state.trusted_proxies));
    let caller = header.and_then(|it| Caller::parse(it.to_str().ok()?));
    let mut span = state.traces.request(id, caller);
    if span.is_on() {
        let method = method(request.method());
        span.rename(method);
        span.set("http.request.method", method);
        span.set("gatelog.request.id", id.simple().to_string());
    }
    span
}

/// Says how the request was answered.
pub(super) fn answered(span: &mut Span, request: &HttpRequest, status: u16) {
    if !span.is_on() {
        return;
    }
    if let Some(route) = request.match_pattern() {
        span.rename(format!("{} {route}", method(request.method())));
        span.set("http.route", route);
    }
    span.set("http.response.status_code", status);
    if status >= 500 {
        span.set("error.type", status.to_string());
        span.fail();
    }
}

/// The method, unless a visitor made it up.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}
