//! `/outpost.goauthentik.io/callback`: a visitor comes back from the login with a code, and gets the
//! cookie of the application for it.
//!
//! The code is good for the browser that began, and once: that it was used is written down before
//! anything is given out for it.

use actix_web::cookie::{Cookie, SameSite, time};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use serde_json::json;
use subtle::ConstantTimeEq as _;

use super::start::{gone, kept, refused, short};
use super::{answer, here};
use crate::catalog::{Application, Origin};
use crate::clock::later;
use crate::directory::change::{Changed, Means};
use crate::directory::{Author, Remark, Session, User, remark};
use crate::flow::query::Query;
use crate::forward::Protected;
use crate::forward::kept::is_in;
use crate::forward::seal::{Code, Pass, Start, digest};
use crate::forward::shown::COOKIE;
use crate::http::client::address;
use crate::http::location::redirect;
use crate::http::session::add;
use crate::http::{Error, State};
use crate::journal::object::{self, Versioned};
use crate::journal::{self, Commit, Durability};

/// Gives the visitor the cookie and sends them to where they wanted to go.
pub(super) async fn serve(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    refused(finish(&request, &state).await)
}

async fn finish(request: &HttpRequest, state: &State) -> Result<HttpResponse, Error> {
    let (origin, protected) = here(state, request).await?;
    let query = Query::parse(request.query_string());
    let known_by = query.get("state").unwrap_or_default();
    let Some((code, start)) = read(state, request, &query, known_by) else {
        return Ok(failed());
    };
    let is_here = |application, there: &str| {
        application == protected.application.pk && there == origin.as_str()
    };
    let is_its = code.state.as_bytes().ct_eq(digest(&start.nonce).as_bytes());
    if !is_here(code.application, &code.origin)
        || !is_here(start.application, &start.origin)
        || !bool::from(is_its)
    {
        return Ok(failed());
    }
    let now = state.clock.now();
    let session: Option<Versioned<Session>> =
        object::get(&*state.journal, code.login.session).await?;
    let Some(session) = session.filter(|it| is_in(&it.value, &code.login, now)) else {
        return Ok(failed());
    };
    let user: Option<Versioned<User>> = object::get(&*state.journal, code.login.user).await?;
    if !user.is_some_and(|it| it.value.is_active) {
        return Ok(failed());
    }
    if !use_up(state, request, &code, &protected).await? {
        return Ok(failed());
    }
    let mut answer = redirect(StatusCode::FOUND, &start.to);
    let given = pass(state, &protected, &origin, &code, &session.value, now);
    let taken = gone(short(&code.state), origin.is_secure());
    add(&[given, taken], &mut answer)?;
    Ok(answer)
}

/// What the code says, and what the browser keeps that began; `None` where one of them is not good.
fn read(
    state: &State,
    request: &HttpRequest,
    query: &Query,
    known_by: &str,
) -> Option<(Code, Start)> {
    let code = query.get("code")?;
    let code = state
        .forward
        .seal
        .read_at::<Code>(code, state.clock.now())?;
    let start = kept(state, request, known_by)?;
    Some((code, start))
}

/// Somebody came with what is not theirs, is too old, or was used before.
fn failed() -> HttpResponse {
    answer::small(
        StatusCode::BAD_REQUEST,
        "The login could not be finished",
        "It took too long, was finished before, or was begun in another browser.",
        Some(("/", "Try again")),
    )
}

/// Writes down that the code was used, which tells that somebody may use the application; false when
/// it was used before.
async fn use_up(
    state: &State,
    request: &HttpRequest,
    code: &Code,
    protected: &Protected,
) -> Result<bool, Error> {
    let application = &protected.application;
    let told = told(application, code, address(request, &state.trusted_proxies));
    let commit = Commit {
        // The stream is the code's own, and begins with this: there can be no second one.
        writes: vec![remark(&told, code.id)],
        durability: Durability::Durable,
        fence: None,
        at: state.clock.now(),
        correlation: code.id,
    };
    match state.journal.commit(commit).await {
        Ok(_) => Ok(true),
        Err(journal::Error::Conflict { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn told(application: &Application, code: &Code, address: std::net::IpAddr) -> Remark {
    let context = json!({
        "authorized_application": {
            "app": "authentik_core",
            "model_name": "application",
            "pk": application.pk.simple().to_string(),
            "name": application.name,
        },
        "origin": code.origin,
    });
    Remark {
        author: Author {
            user: Some(code.login.user),
            address: Some(address),
            request: Some(format!("GET {}", super::AUTHORIZE)),
            ..Author::by(Means::Page)
        },
        action: "authorize_application".to_owned(),
        object: None::<Changed>,
        context: context.as_object().cloned().unwrap_or_default(),
    }
}

/// The cookie of the application. It ends with the browser, unless the login outlasts that.
fn pass(
    state: &State,
    protected: &Protected,
    origin: &Origin,
    code: &Code,
    session: &Session,
    now: Timestamp,
) -> Cookie<'static> {
    let longest = std::time::Duration::from_secs(protected.forward.session_seconds.into());
    let until = later(now, longest);
    let claims = Pass {
        application: protected.application.pk,
        origin: origin.as_str().to_owned(),
        login: code.login,
        until,
    };
    let cookie = Cookie::build(COOKIE, state.forward.seal.sign(&claims))
        .path("/")
        .secure(origin.is_secure())
        .http_only(true)
        .same_site(SameSite::Lax);
    let cookie = match session.persistent {
        Some(end) => {
            let left = end.min(until).duration_since(now).as_secs();
            cookie.max_age(time::Duration::seconds(left.max(1)))
        }
        None => cookie,
    };
    cookie.finish()
}
