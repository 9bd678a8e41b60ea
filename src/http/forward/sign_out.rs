//! Logging out of an application, which ends the login and with it the cookies of all applications.

use std::time::Duration;

use actix_web::cookie::{Cookie, SameSite, time};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::start::refused;
use super::{SIGNED_OUT, away, here, login_domain};
use crate::clock::later;
use crate::flow::query::{self, Query};
use crate::forward::destination;
use crate::forward::seal::Left;
use crate::forward::shown::COOKIE;
use crate::http::flows::named;
use crate::http::location::redirect;
use crate::http::page::page_error;
use crate::http::request::Arrival;
use crate::http::session::add;
use crate::http::{Error, State, csrf};

/// How long logging out may take.
const PATIENCE: Duration = Duration::from_mins(10);

/// Where a host's own flow for logging out is.
const LOGOUT: &str = "/flows/-/default/invalidation/";

/// `/outpost.goauthentik.io/sign_out`, on the application's domain: takes its cookie away and sends the
/// visitor to the flow that logs out.
pub(super) async fn serve(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    refused(begin(&request, &state).await)
}

async fn begin(request: &HttpRequest, state: &State) -> Result<HttpResponse, Error> {
    // A picture in a page of somebody else's must not log anybody out.
    csrf::check_embedding(request)?;
    let (origin, protected) = here(state, request).await?;
    let query = Query::parse(request.query_string());
    let mut path = match named(state, protected.forward.invalidation_flow).await? {
        Some(own) => query::flow_url(own.slug.as_str(), ""),
        None => LOGOUT.to_owned(),
    };
    if let Some(wanted) = query.get("rd") {
        let left = Left {
            to: destination(&protected.application, &origin, Some(wanted)),
            until: later(state.clock.now(), PATIENCE),
        };
        let back = format!("{SIGNED_OUT}?request={}", state.forward.seal.sign(&left));
        path = format!("{path}?next={}", query::encode(&back));
    }
    let mut answer = redirect(StatusCode::FOUND, &login_domain(state, &path)?);
    let gone = Cookie::build(COOKIE, "")
        .path("/")
        .secure(origin.is_secure())
        .http_only(true)
        .same_site(SameSite::Lax)
        .max_age(time::Duration::ZERO)
        .finish();
    add(&[gone], &mut answer)?;
    Ok(answer)
}

/// `/application/signed_out/`, on the login's domain: sends whoever logged out back to the application
/// from which they came.
pub(super) async fn signed_out(
    request: HttpRequest,
    state: web::Data<State>,
    arrival: Arrival,
) -> HttpResponse {
    let answer = async {
        let query = Query::parse(request.query_string());
        let text = query.get("request").unwrap_or_default();
        let left = state.forward.seal.read_at::<Left>(text, state.clock.now());
        match left {
            Some(left) => away(&state, &request, &left.to).await,
            None => Ok(redirect(StatusCode::FOUND, "/")),
        }
    };
    let answer = answer.await;
    page_error(&state, &request, arrival, answer).await
}
