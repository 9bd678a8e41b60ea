//! Who calls the API: the bearer of a token, or whoever is logged in.

use actix_web::HttpRequest;
use actix_web::http::header;
use secrecy::SecretString;

use crate::directory::token::Intent;
use crate::directory::{User, token_by_key};
use crate::http::request::Arrival;
use crate::http::session::Visitor;
use crate::http::{Error, State};
use crate::journal::object::{self, Versioned};

/// The user on whose behalf the API is called.
///
/// # Errors
/// [`Error::BadToken`] when a token was sent that is no good, [`Error::NotAuthenticated`] when
/// there is neither a token nor a login. There is no 401: clients expect 403 for both.
pub(super) async fn user(
    state: &State,
    request: &HttpRequest,
    arrival: Arrival,
) -> Result<User, Error> {
    if let Some(key) = bearer(request) {
        let now = state.clock.now();
        let token = token_by_key(&*state.journal, &key, Intent::Api, now)
            .await?
            .ok_or(Error::BadToken)?;
        let owner: Option<Versioned<User>> = object::get(&*state.journal, token.value.user).await?;
        return owner
            .map(|owner| owner.value)
            .filter(|owner| owner.is_active)
            .ok_or(Error::BadToken);
    }
    let visitor = Visitor::of(state, request, arrival.id).await?;
    visitor
        .user
        .map(|user| user.value)
        .ok_or(Error::NotAuthenticated)
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
