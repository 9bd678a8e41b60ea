//! Who calls the API: the bearer of a token, or whoever is logged in.

use actix_web::HttpRequest;
use actix_web::http::header;
use secrecy::SecretString;
use uuid::Uuid;

use crate::directory::permission::{Granted, granted};
use crate::directory::token::Intent;
use crate::directory::{User, token_by_key};
use crate::flow::client::Client;
use crate::http::client::client;
use crate::http::request::Arrival;
use crate::http::session::Visitor;
use crate::http::{Error, State, csrf};
use crate::journal::object::{self, Versioned};

/// Somebody who calls the API.
pub(crate) struct Caller {
    /// Who it is.
    pub(crate) user: Versioned<User>,
    /// The token that stands for them, where it is one.
    pub(crate) token: Option<Uuid>,
    /// Their end of the line.
    pub(crate) client: Client,
    /// The session in which they are logged in, where they are.
    pub(crate) session: Option<Uuid>,
    /// What they may do.
    pub(crate) granted: Granted,
}

/// Who calls, and what they may do.
///
/// # Errors
/// [`Error::BadToken`] when a token was sent that is no good, [`Error::NotAuthenticated`] when
/// there is neither a token nor a login. There is no 401: clients expect 403 for both.
pub(super) async fn reading(
    state: &State,
    request: &HttpRequest,
    arrival: Arrival,
) -> Result<Caller, Error> {
    if let Some(key) = bearer(request) {
        return of_token(state, request, &key).await;
    }
    let visitor = Visitor::of(state, request, arrival.id).await?;
    let user = visitor.user.ok_or(Error::NotAuthenticated)?;
    Ok(Caller {
        granted: granted(&*state.journal, &user.value).await?,
        user,
        token: None,
        client: visitor.client,
        session: visitor.session.map(|it| it.value.id),
    })
}

/// Whoever a token stands for.
async fn of_token(
    state: &State,
    request: &HttpRequest,
    key: &SecretString,
) -> Result<Caller, Error> {
    let (token, user) = owner(state, key).await?;
    Ok(Caller {
        granted: granted(&*state.journal, &user.value).await?,
        user,
        token: Some(token),
        client: client(request, &state.trusted_proxies),
        session: None,
    })
}

/// The same for a request that acts: a browser, which sends its cookie whoever asks it to, has to
/// show that its own page asked.
///
/// # Errors
/// Those of [`reading`], and [`Error::Csrf`].
pub(super) async fn acting(
    state: &State,
    request: &HttpRequest,
    arrival: Arrival,
) -> Result<Caller, Error> {
    if let Some(key) = bearer(request) {
        return of_token(state, request, &key).await;
    }
    let visitor = Visitor::of(state, request, arrival.id).await?;
    let (Some(user), Some(session)) = (visitor.user, visitor.session) else {
        return Err(Error::NotAuthenticated);
    };
    csrf::check_origin(request, &visitor.client)?;
    csrf::check_token(csrf::from_header(request), &session.value.csrf)?;
    Ok(Caller {
        granted: granted(&*state.journal, &user.value).await?,
        user,
        token: None,
        client: visitor.client,
        session: Some(session.value.id),
    })
}

/// Whose token it is.
async fn owner(state: &State, key: &SecretString) -> Result<(Uuid, Versioned<User>), Error> {
    let now = state.clock.now();
    let token = token_by_key(&*state.journal, key, Intent::Api, now)
        .await?
        .ok_or(Error::BadToken)?;
    let owner: Option<Versioned<User>> = object::get(&*state.journal, token.value.user).await?;
    let owner = owner.filter(|owner| owner.value.is_active);
    let owner = owner.ok_or(Error::BadToken)?;
    Ok((token.value.token_uuid, owner))
}

/// The token of an `Authorization` header; another scheme counts as none.
fn bearer(request: &HttpRequest) -> Option<SecretString> {
    let value = request
        .headers()
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?;
    let (scheme, key) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| key.trim().to_owned().into())
}
