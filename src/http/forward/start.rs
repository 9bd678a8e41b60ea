//! `/outpost.goauthentik.io/start`: a visitor of an application begins to log in. What is to be
//! remembered until they are back lies in a cookie of theirs, signed.

use std::time::Duration;

use actix_web::cookie::{Cookie, SameSite, time};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use secrecy::ExposeSecret as _;

use super::{AUTHORIZE, OUTPOST, answer, here, login_domain};
use crate::clock::later;
use crate::flow::query::Query;
use crate::forward::destination;
use crate::forward::seal::{Asked, Start, digest};
use crate::http::location::redirect;
use crate::http::session::add;
use crate::http::{Error, State};

/// How long a login may take.
const PATIENCE: Duration = Duration::from_hours(1);

/// What the cookie's name begins with; behind it stands which of several it is.
const COOKIE: &str = "gatelog_start_";

/// How many letters of the digest tell them apart.
const LETTERS: usize = 12;

/// So many a browser keeps at once, for as many tabs; the oldest goes when there are more.
const AT_ONCE: usize = 8;

/// Sends the visitor to the login's domain.
pub(super) async fn serve(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    refused(begin(&request, &state).await)
}

/// What a visitor sees on the domain of an application when something goes wrong.
pub(super) fn refused(answer: Result<HttpResponse, Error>) -> HttpResponse {
    match answer {
        Ok(answer) => answer,
        Err(error @ Error::NotFound(_)) => {
            error.log();
            let text = "No application is known at this address.";
            answer::small(StatusCode::NOT_FOUND, "Page not found", text, None)
        }
        Err(error @ Error::Csrf(_)) => {
            error.log();
            let text = "This request did not come from a page of this site.";
            answer::small(StatusCode::FORBIDDEN, "Not allowed", text, None)
        }
        Err(error) => {
            error.log();
            let text = "The login cannot be reached at the moment. Please try again later.";
            let status = StatusCode::SERVICE_UNAVAILABLE;
            answer::small(status, "Please try again", text, None)
        }
    }
}

async fn begin(request: &HttpRequest, state: &State) -> Result<HttpResponse, Error> {
    let (origin, protected) = here(state, request).await?;
    let wanted = wanted(request.query_string());
    let to = destination(&protected.application, &origin, wanted.as_deref());
    let nonce = state.clock.random_text(32).expose_secret().to_owned();
    let (known_by, until) = (digest(&nonce), later(state.clock.now(), PATIENCE));
    let application = protected.application.pk;
    let asked = Asked {
        application,
        origin: origin.as_str().to_owned(),
        state: known_by.clone(),
        until,
    };
    let start = Start {
        nonce,
        application,
        origin: origin.as_str().to_owned(),
        to,
        until,
    };
    let seal = &state.forward.seal;
    let there = format!("{AUTHORIZE}?request={}", seal.sign(&asked));
    let mut answer = redirect(StatusCode::FOUND, &login_domain(state, &there)?);
    let secure = origin.is_secure();
    let kept = cookie(short(&known_by), seal.sign(&start), secure);
    let mut cookies = vec![kept];
    let others = names(request);
    let many = others.len().saturating_sub(AT_ONCE - 1);
    cookies.extend(others.into_iter().take(many).map(|it| gone(&it, secure)));
    add(&cookies, &mut answer)?;
    Ok(answer)
}

/// Where the visitor wants to go. nginx cannot encode an address, so the files that people have for
/// authentik send it as it is: then it goes on to the end, whatever stands in it.
fn wanted(query: &str) -> Option<String> {
    let as_it_is = query.strip_prefix("rd=").filter(|it| {
        ["/", "http://", "https://"]
            .iter()
            .any(|begin| it.starts_with(begin))
    });
    match as_it_is {
        Some(address) => Some(address.to_owned()),
        None => Query::parse(query).get("rd").map(str::to_owned),
    }
}

/// What of a digest tells the cookies apart; it stands in addresses.
pub(super) fn short(digest: &str) -> &str {
    digest.get(..LETTERS).unwrap_or(digest)
}

fn cookie(which: &str, value: String, secure: bool) -> Cookie<'static> {
    Cookie::build(format!("{COOKIE}{which}"), value)
        .path(OUTPOST)
        .secure(secure)
        .http_only(true)
        .same_site(SameSite::Lax)
        .max_age(time::Duration::seconds(
            i64::try_from(PATIENCE.as_secs()).unwrap_or(i64::MAX),
        ))
        .finish()
}

/// Takes a cookie away.
pub(super) fn gone(which: &str, secure: bool) -> Cookie<'static> {
    let mut cookie = cookie(which, String::new(), secure);
    cookie.set_max_age(time::Duration::ZERO);
    cookie
}

/// Which of the cookies the browser has, in the order in which it sends them: the oldest first.
fn names(request: &HttpRequest) -> Vec<String> {
    let cookies = request.cookies().map(|all| all.clone()).unwrap_or_default();
    let names = cookies
        .iter()
        .filter_map(|it| it.name().strip_prefix(COOKIE));
    names.map(str::to_owned).collect()
}

/// What the browser keeps of this one. Several may have its name, set for other paths; the first that
/// this server signed counts.
pub(super) fn kept(state: &State, request: &HttpRequest, which: &str) -> Option<Start> {
    let name = format!("{COOKIE}{which}");
    let now = state.clock.now();
    let cookies = request.cookies().ok()?;
    let mut named = cookies.iter().filter(|cookie| cookie.name() == name);
    named.find_map(|cookie| state.forward.seal.read_at(cookie.value(), now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_it_is_or_encoded() {
        for (query, expected) in [
            ("rd=%2Fa%3Fb%3Dc%26d", Some("/a?b=c&d")),
            ("rd=/a?b=c&d=e%20f", Some("/a?b=c&d=e%20f")),
            (
                "rd=https://app.example/a?b=c&d=e",
                Some("https://app.example/a?b=c&d=e"),
            ),
            ("x=y&rd=%2Fa", Some("/a")),
            ("rd=", None),
            ("", None),
        ] {
            assert_eq!(wanted(query).as_deref(), expected, "{query}");
        }
    }
}
