//! The flow executor: one resource that shows the current challenge and takes its answer.
//!
//! Clients expect 200 and a challenge also where another API would answer with an error.

use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::line::presence;
use super::request::Arrival;
use super::session::{Visitor, set_cookies};
use super::{Error, State, csrf};
use crate::execution::{self, Reply, Request};
use crate::flow::query::{self, Query};

/// The header that carries a challenge's id, in both directions.
pub(super) const CHALLENGE: HeaderName = HeaderName::from_static("x-gatelog-challenge");

/// Why an answer was not even looked at. Clients are told as a challenge.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("the method {0} is not allowed")]
    Method(Method),
    #[error("the content type is not application/json")]
    ContentType,
    #[error("the query has more than {} bytes", query::MAX_LENGTH)]
    LongQuery,
    #[error("{0}")]
    Body(Error),
    #[error("the body is not JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("{0}")]
    Csrf(#[from] csrf::Error),
}

/// The methods on `/api/v3/flows/executor/<slug>/` that no description has.
pub(super) async fn other(
    request: HttpRequest,
    slug: web::Path<String>,
    payload: web::Payload,
    state: web::Data<State>,
    arrival: Arrival,
) -> Result<HttpResponse, Error> {
    handle(&request, slug.into_inner(), payload, &state, arrival).await
}

/// Every method on `/api/v3/flows/executor/<slug>/`.
pub(super) async fn handle(
    request: &HttpRequest,
    slug: String,
    payload: web::Payload,
    state: &State,
    arrival: Arrival,
) -> Result<HttpResponse, Error> {
    let visitor = Visitor::of(state, request, arrival.id).await?;
    let question = question(request, slug, &visitor, arrival);
    if question.query.len() > query::MAX_LENGTH {
        return Ok(refuse(&Refusal::LongQuery, arrival));
    }
    let method = request.method();
    let reply = if method == Method::GET || method == Method::HEAD {
        if let Err(refusal) = csrf::check_embedding(request) {
            return Ok(refuse(&refusal.into(), arrival));
        }
        state.executions.visit(question).await
    } else if method == Method::POST {
        // Also who is logged in can guess the passwords of others.
        let peer = request.peer_addr().map(|peer| peer.ip());
        let wait = state.admit(peer, visitor.client.address);
        wait.map_err(Error::Throttled)?;
        match answer(state, request, payload, &visitor).await {
            Ok(answer) => state.executions.answer(question, answer).await,
            // Nothing is wrong with it, and it may come again.
            Err(Refusal::Body(crowded @ Error::Crowded)) => return Err(crowded),
            Err(refusal) => return Ok(refuse(&refusal, arrival)),
        }
    } else if method == Method::OPTIONS {
        return Ok(describe());
    } else {
        return Ok(refuse(&Refusal::Method(method.clone()), arrival));
    };
    match reply {
        Ok(reply) => respond(state, &visitor, reply).await,
        // A fault inside an execution is something that clients show, not an error of HTTP.
        Err(execution::Error::Broken(cause)) => {
            tracing::error!(cause, "an execution cannot go on");
            Ok(challenge(execution::flow_error(arrival.id, None)))
        }
        Err(error) => Err(error.into()),
    }
}

/// What is asked of the executions, read from a request to the executor.
pub(super) fn question(
    request: &HttpRequest,
    slug: String,
    visitor: &Visitor,
    arrival: Arrival,
) -> Request {
    let own = Query::parse(request.query_string());
    let query = with_next(own.get("query").unwrap_or_default(), own.next());
    let challenge = request.headers().get(&CHALLENGE);
    Request {
        session: visitor.session_id(),
        sid: visitor.sid.clone(),
        slug,
        query,
        client: visitor.client.clone(),
        challenge: challenge
            .and_then(|id| id.to_str().ok())
            .filter(|id| !id.is_empty())
            .map(str::to_owned),
        received: arrival.at,
        correlation: arrival.id,
        trace: arrival.trace,
        presence: presence(request),
    }
}

/// The browser's query string. Where it has no `next`, one in the executor's own address counts:
/// authentik reads it there when it lets somebody go on whom a flow does not let in.
fn with_next(query: &str, next: Option<&str>) -> String {
    match next.filter(|_| Query::parse(query).next().is_none()) {
        Some(next) if query.is_empty() => format!("next={}", query::encode(next)),
        Some(next) => format!("{query}&next={}", query::encode(next)),
        None => query.to_owned(),
    }
}

/// Reads the answer from the body, once it is sure that the visitor sent it.
async fn answer(
    state: &State,
    request: &HttpRequest,
    payload: web::Payload,
    visitor: &Visitor,
) -> Result<Value, Refusal> {
    if let (Some(_), Some(session)) = (&visitor.user, &visitor.session) {
        csrf::check_origin(request, &visitor.client)?;
        // A late request was sent before the login, when no token was asked for.
        if !visitor.is_late {
            csrf::check_token(csrf::from_header(request), &session.value.csrf)?;
        }
    }
    let body = state
        .collect(request, payload)
        .await
        .map_err(Refusal::Body)?;
    if body.is_empty() {
        return Ok(json!({}));
    }
    let is_json = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"));
    if !is_json {
        return Err(Refusal::ContentType);
    }
    Ok(serde_json::from_slice(&body)?)
}

/// Sends a challenge, with the cookies of the session that it belongs to.
async fn respond(state: &State, visitor: &Visitor, reply: Reply) -> Result<HttpResponse, Error> {
    let mut answer = challenge(reply.body.clone());
    if let Some(id) = reply.challenge.as_deref().map(HeaderValue::from_str) {
        let id = id.map_err(|_| Error::Internal {
            cause: "the challenge's id does not fit into a header".to_owned(),
        })?;
        answer.headers_mut().insert(CHALLENGE, id);
    }
    set_cookies(state, visitor, &reply, &mut answer).await?;
    Ok(answer)
}

/// A challenge as an answer; older clients look at its `type` first.
fn challenge(mut body: Value) -> HttpResponse {
    let kind = match body["component"].as_str() {
        Some("xak-flow-redirect") => "redirect",
        Some("xak-flow-shell") => "shell",
        _ => "native",
    };
    if let Some(body) = body.as_object_mut() {
        body.insert("type".to_owned(), kind.into());
    }
    HttpResponse::build(StatusCode::OK)
        .insert_header((header::X_FRAME_OPTIONS, "SAMEORIGIN"))
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'self'",
        ))
        .json(body)
}

/// The challenge that stands for an error.
fn refuse(refusal: &Refusal, arrival: Arrival) -> HttpResponse {
    tracing::info!(reason = %refusal, "refused an answer");
    challenge(execution::flow_error(arrival.id, None))
}

/// What the resource takes and gives.
fn describe() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::ALLOW, "GET, POST, HEAD, OPTIONS"))
        .json(json!({
            "name": "Flow executor",
            "description": "",
            "renders": ["application/json"],
            "parses": ["application/json"],
        }))
}
