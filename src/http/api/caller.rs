//! Who calls the API: the bearer of a token, or whoever is logged in.

use std::time::Instant;

use actix_web::HttpRequest;
use actix_web::http::header;
use secrecy::SecretString;
use uuid::Uuid;

use crate::directory::permission::{Granted, granted};
use crate::directory::token::Intent;
use crate::directory::{Session, Token, User, token_by_key};
use crate::flow::client::Client;
use crate::http::client::client;
use crate::http::request::Arrival;
use crate::http::session::Visitor;
use crate::http::streams::KEEP_ALIVE;
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

/// Somebody who was let in, to be looked at again while they are still being told something.
#[derive(Debug)]
pub(crate) struct Standing {
    user: Uuid,
    token: Option<Uuid>,
    session: Option<Uuid>,
    /// When that was looked at last.
    looked: Instant,
}

impl Caller {
    /// What to look at again later.
    pub(crate) fn standing(&self, now: Instant) -> Standing {
        Standing {
            user: self.user.value.uuid,
            token: self.token,
            session: self.session,
            looked: now,
        }
    }
}

impl Standing {
    /// Who it is.
    pub(crate) fn user(&self) -> Uuid {
        self.user
    }

    /// Whether they are still let in, and may still do what they then were let in for: looked at
    /// again now and then. Where that cannot be read they are not.
    pub(crate) async fn still(
        &mut self,
        state: &State,
        now: Instant,
        may: impl FnOnce(&Granted) -> bool,
    ) -> bool {
        if now.duration_since(self.looked) < KEEP_ALIVE {
            return true;
        }
        self.looked = now;
        match self.granted(state).await {
            Ok(granted) => granted.is_some_and(|it| may(&it)),
            Err(error) => {
                tracing::warn!(%error, "it cannot be read who listens");
                false
            }
        }
    }

    /// What they may do now; `None` when their session, their token or their account has ended.
    async fn granted(&self, state: &State) -> Result<Option<Granted>, Error> {
        let journal = &*state.journal;
        let now = state.clock.now();
        if let Some(session) = self.session {
            let found: Option<Versioned<Session>> = object::get(journal, session).await?;
            let is_theirs = |it: &Session| it.user == Some(self.user) && !it.is_expired(now);
            if !found.is_some_and(|it| is_theirs(&it.value)) {
                return Ok(None);
            }
        }
        if let Some(token) = self.token {
            let found: Option<Versioned<Token>> = object::get(journal, token).await?;
            if !found.is_some_and(|it| it.value.user == self.user && !it.value.is_expired(now)) {
                return Ok(None);
            }
        }
        let user: Option<Versioned<User>> = object::get(journal, self.user).await?;
        match user.filter(|it| it.value.is_active) {
            Some(user) => Ok(Some(granted(journal, &user.value).await?)),
            None => Ok(None),
        }
    }
}

/// Who calls, and what they may do.
///
/// # Errors
/// [`Error::BadToken`] when a token was sent that is no good, [`Error::NotAuthenticated`] when
/// there is neither a token nor a login. A former secret of a session is no login: somebody may have
/// planted it. There is no 401: clients expect 403 for both.
pub(super) async fn reading(
    state: &State,
    request: &HttpRequest,
    arrival: Arrival,
) -> Result<Caller, Error> {
    if let Some(key) = bearer(request) {
        return of_token(state, request, &key).await;
    }
    let visitor = Visitor::of(state, request, arrival.id).await?;
    let user = visitor.user.filter(|_| !visitor.is_late);
    let user = user.ok_or(Error::NotAuthenticated)?;
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
    let (Some(user), Some(session), false) = (visitor.user, visitor.session, visitor.is_late)
    else {
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
