//! Requests that an outpost makes on somebody's behalf, such as a bind to its LDAP port.
//!
//! Source: authentik `root/middleware.py`, `ClientIPMiddleware`. It only reads; a request that
//! does not prove to come from an outpost is one like any other.

use std::net::IpAddr;

use actix_web::HttpRequest;
use secrecy::SecretString;

use super::State;
use crate::directory::token::Intent;
use crate::directory::token_by_key;
use crate::directory::user::{User, UserType};
use crate::flow::client::Client;
use crate::journal::Result;
use crate::journal::object::{self, Versioned};

/// The key of an outpost's API token.
const TOKEN: &str = "x-authentik-outpost-token";

/// The address of whoever the outpost asks for.
const REMOTE: &str = "x-authentik-remote-ip";

/// Believes what an outpost says of its visitor: the address, and that it is an outpost.
///
/// Both headers have to be there, and the token has to be one for the API that belongs to an
/// active internal service account.
pub(super) async fn speak_for(
    state: &State,
    request: &HttpRequest,
    client: &mut Client,
) -> Result<()> {
    let header = |name| request.headers().get(name)?.to_str().ok();
    let (Some(token), Some(remote)) = (header(TOKEN), header(REMOTE)) else {
        return Ok(());
    };
    let Ok(address) = remote.trim().parse::<IpAddr>() else {
        return Ok(());
    };
    let key = SecretString::from(token);
    let now = state.clock.now();
    let found = token_by_key(&*state.journal, &key, Intent::Api, now).await?;
    let Some(token) = found else {
        return Ok(());
    };
    let owner: Option<Versioned<User>> = object::get(&*state.journal, token.value.user).await?;
    let is_outpost =
        |user: &User| user.is_active && user.user_type == UserType::InternalServiceAccount;
    if let Some(owner) = owner.filter(|owner| is_outpost(&owner.value)) {
        client.address = address.to_canonical();
        client.outpost = Some(owner.value.username);
    }
    Ok(())
}
