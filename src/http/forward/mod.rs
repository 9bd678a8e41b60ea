//! Forward authentication over HTTP: what proxies ask, and the way by which a login comes from this
//! server's own domain to that of an application.
//!
//! Below `/outpost.goauthentik.io/` are the paths that proxies pass on from an application's domain; the
//! name is authentik's, so that configurations of proxies carry over. Below `/application/` are those of
//! the login's domain. What is decided is decided in [`crate::forward`].

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, guard, web};

mod answer;
mod ask;
mod asked;
mod at_once;
mod authorize;
mod callback;
mod sign_out;
mod start;

pub(super) use ask::may_use;
pub(super) use at_once::at_once;

use super::client::client;
use super::{Error, State};
use crate::catalog::Origin;
use crate::forward::Protected;
use std::sync::Arc;

/// What all paths on the application's domain begin with.
pub(super) const OUTPOST: &str = "/outpost.goauthentik.io/";

/// Where proxies ask.
pub(super) const AUTH: &str = "/outpost.goauthentik.io/auth/";

/// Where a visitor begins to log in, on the application's domain.
const START: &str = "/outpost.goauthentik.io/start";

/// Where they come back to with a code.
const CALLBACK: &str = "/outpost.goauthentik.io/callback";

/// Where they log out.
const SIGN_OUT: &str = "/outpost.goauthentik.io/sign_out";

/// Where the login answers for an application, on its own domain.
const AUTHORIZE: &str = "/application/authorize/";

/// Where whoever logged out is sent on, on the login's own domain.
const SIGNED_OUT: &str = "/application/signed_out/";

/// The answer for a proxy that lets somebody pass.
#[derive(Debug)]
pub struct Ready(Vec<(HeaderName, HeaderValue)>);

/// What is kept between questions.
pub type Forward = crate::forward::Forward<Ready>;

/// Adds the routes.
pub(super) fn configure(app: &mut web::ServiceConfig) {
    let reads = || guard::Any(guard::Get()).or(guard::Head());
    // A proxy may ask with the method of the request that it asks about.
    app.route(
        "/outpost.goauthentik.io/auth/{tail:.*}",
        web::route().to(ask::serve),
    )
    .route(START, web::route().guard(reads()).to(start::serve))
    .route(CALLBACK, web::get().to(callback::serve))
    .route(SIGN_OUT, web::route().guard(reads()).to(sign_out::serve))
    .route(
        "/outpost.goauthentik.io/ping",
        web::route().guard(reads()).to(ping),
    )
    .route(AUTHORIZE, web::route().guard(reads()).to(authorize::serve))
    .route(
        SIGNED_OUT,
        web::route().guard(reads()).to(sign_out::signed_out),
    );
}

/// `/outpost.goauthentik.io/ping`: this is where a proxy has to ask.
async fn ping() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// The application on whose domain a visitor is, and which domain that is.
///
/// # Errors
/// 404 where no application lives.
async fn here(state: &State, request: &HttpRequest) -> Result<(Origin, Arc<Protected>), Error> {
    let client = client(request, &state.trusted_proxies);
    let origin = Origin::of_host(client.secure, &client.host).ok_or(Error::NOT_FOUND)?;
    let now = state.clock.monotonic();
    let found = state
        .forward
        .known
        .at(&*state.journal, now, &origin)
        .await?;
    Ok((origin, found.ok_or(Error::NOT_FOUND)?))
}

/// An address on the login's domain.
///
/// # Errors
/// Where nobody says under which address browsers reach this server, no other domain can send them
/// there.
fn login_domain(state: &State, path: &str) -> Result<String, Error> {
    let public = state.executions.public_url();
    let public = public.ok_or_else(|| Error::Unavailable {
        cause:
            "forward authentication needs web.public_url, the address of this server for browsers"
                .to_owned(),
    })?;
    Ok(format!("{}{path}", public.trim_end_matches('/')))
}

/// Whether a browser asks for a page that it would show, so that it can be sent to the login. A script
/// that asks for data cannot do anything with a login page, and is told that nobody is logged in.
fn is_navigation(method: Option<&str>, headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|it| it.to_str().ok());
    let is_page = text(header::ACCEPT).is_some_and(|it| it.contains("text/html"));
    let mode = headers.get("sec-fetch-mode");
    let is_shown = mode.is_none_or(|mode| mode.as_bytes() == b"navigate");
    let is_script = headers.contains_key("x-requested-with");
    let safe = [
        Method::GET.as_str(),
        Method::HEAD.as_str(),
        Method::POST.as_str(),
    ];
    let is_asked = method.is_none_or(|method| safe.contains(&method));
    is_page && is_shown && !is_script && is_asked
}

/// Sends a browser to an address of another server.
///
/// One that was posting a form of ours refuses to be redirected there (`form-action`); it gets a page
/// that leads there.
async fn away(state: &State, request: &HttpRequest, to: &str) -> Result<HttpResponse, Error> {
    if !comes_from_here(state, request) {
        return Ok(super::location::redirect(StatusCode::FOUND, to));
    }
    let dress = super::page::dress(state, request).await?;
    let page = state.pages.leave(&dress, Some(to))?;
    Ok(super::page::html(StatusCode::OK, page))
}

/// Whether a page of ours made the browser come.
fn comes_from_here(state: &State, request: &HttpRequest) -> bool {
    let text = |name: &str| request.headers().get(name).and_then(|it| it.to_str().ok());
    match (text("sec-fetch-site"), text(header::REFERER.as_str())) {
        (Some(site), _) => site == "same-origin",
        // Browsers tell neither over plain HTTP, but from which page.
        (None, Some(page)) => {
            let client = client(request, &state.trusted_proxies);
            super::csrf::is_own(page, &client)
        }
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn only_whoever_shows_pages_is_sent_to_one() {
        for (method, headers, expected) in [
            (Some("GET"), &[("accept", "text/html,*/*;q=0.8")][..], true),
            (None, &[("accept", "text/html")], true),
            (Some("GET"), &[], false),
            (Some("GET"), &[("accept", "application/json")], false),
            (Some("GET"), &[("accept", "*/*")], false),
            (Some("PUT"), &[("accept", "text/html")], false),
            (
                Some("GET"),
                &[("accept", "text/html"), ("sec-fetch-mode", "navigate")],
                true,
            ),
            (
                Some("GET"),
                &[("accept", "text/html"), ("sec-fetch-mode", "cors")],
                false,
            ),
            (
                Some("GET"),
                &[
                    ("accept", "text/html"),
                    ("x-requested-with", "XMLHttpRequest"),
                ],
                false,
            ),
        ] {
            let mut request = TestRequest::get();
            for header in headers {
                request = request.insert_header(*header);
            }
            let request = request.to_http_request();
            let found = is_navigation(method, request.headers());
            assert_eq!(found, expected, "{method:?} {headers:?}");
        }
    }
}
