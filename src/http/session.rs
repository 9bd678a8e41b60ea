//! Who sent a request: the session behind its cookie, and the user who is logged in there.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use secrecy::SecretString;
use uuid::Uuid;

use super::client::client;
use super::cookie;
use super::network::check;
use super::{Error, State, outpost};
use crate::directory::{Session, User, session_by_sid};
use crate::flow::client::Client;
use crate::journal::object::{self, Versioned, delete, put};
use crate::journal::{self, Commit, Durability, Write};

/// A use is written down when the last one lies this part of the session's age back.
const NOTED: u32 = 20;

/// Whoever sent a request.
#[derive(Debug)]
pub struct Visitor {
    /// Their end of the line.
    pub client: Client,
    /// The session that their cookie names, unless it has ended.
    pub session: Option<Versioned<Session>>,
    /// Who is logged in there. Somebody who is not active is not logged in.
    pub user: Option<Versioned<User>>,
    /// Whether the cookie holds the session's former secret: the request was on its way when
    /// the visitor logged in.
    pub is_late: bool,
}

impl Visitor {
    /// Finds out who sent `request`, made under the id `correlation`.
    ///
    /// # Errors
    /// [`Error::NetworkChanged`] when the session was bound to a network that the client has
    /// left; the session has ended then.
    pub async fn of(
        state: &State,
        request: &HttpRequest,
        correlation: Uuid,
    ) -> Result<Self, Error> {
        let mut visitor = Self {
            client: client(request, &state.trusted_proxies),
            session: None,
            user: None,
            is_late: false,
        };
        outpost::speak_for(state, request, &mut visitor.client).await?;
        let Some(sid) = sid(state, request) else {
            return Ok(visitor);
        };
        let now = state.clock.now();
        let Some(session) = session_by_sid(&*state.journal, &sid, now).await? else {
            return Ok(visitor);
        };
        visitor.is_late = !session.value.is_current(&sid);
        if visitor.is_late && !is_same_client(&session.value, &visitor.client) {
            // Somebody may have planted the cookie before the login: the former secret opens
            // the session only to the browser that logged in.
            visitor.is_late = false;
            return Ok(visitor);
        }
        check_network(state, request, &session, &visitor.client, correlation).await?;
        if let Some(user) = session.value.user {
            let found: Option<Versioned<User>> = object::get(&*state.journal, user).await?;
            visitor.user = found.filter(|user| user.value.is_active);
        }
        if visitor.user.is_some() && !visitor.is_late {
            note_use(state, &session, &visitor.client, correlation).await?;
        }
        visitor.session = Some(session);
        Ok(visitor)
    }

    /// The session's id.
    #[must_use]
    pub fn session_id(&self) -> Option<Uuid> {
        self.session.as_ref().map(|session| session.value.id)
    }
}

/// Gives the browser the cookies of the session that it has now, whatever it sent.
pub async fn set_cookies(
    state: &State,
    client: &Client,
    session: Uuid,
    answer: &mut HttpResponse,
) -> Result<Option<Session>, Error> {
    let found: Option<Versioned<Session>> = object::get(&*state.journal, session).await?;
    let Some(Versioned { value: session, .. }) = found else {
        return Ok(None);
    };
    let user: Option<Versioned<User>> = match session.user {
        Some(user) => object::get(&*state.journal, user).await?,
        None => None,
    };
    let uid = user.map(|user| user.value.uid(state.install_id));
    let value = state.signer.sign(&session.sid, uid.as_deref());
    // A cookie that is sent a moment after the login still lasts as long as was promised.
    let age = session.persistent.map(|end| {
        let left = end.duration_since(state.clock.now());
        left.as_secs().max(0) + i64::from(left.subsec_nanos() > 0)
    });
    let secure = client.secure;
    for cookie in [
        state.cookies.session(&value, age, secure),
        state.cookies.csrf(&session.csrf, secure),
    ] {
        answer
            .add_cookie(&cookie)
            .map_err(|error| Error::Internal {
                cause: format!("the cookie {} cannot be sent: {error}", cookie.name()),
            })?;
    }
    Ok(Some(session))
}

/// The secret in the session cookie. Several cookies of that name may arrive, set for different
/// domains; the first that this server signed counts.
fn sid(state: &State, request: &HttpRequest) -> Option<SecretString> {
    let cookies = request.cookies().ok()?;
    cookies
        .iter()
        .filter(|cookie| cookie.name() == cookie::SESSION)
        .find_map(|cookie| state.signer.read(cookie.value()))
}

fn is_same_client(session: &Session, client: &Client) -> bool {
    session.last_ip == client.address && session.last_user_agent == client.user_agent
}

/// Ends the session when it is used from a network that it is not bound to.
async fn check_network(
    state: &State,
    request: &HttpRequest,
    session: &Versioned<Session>,
    client: &Client,
    correlation: Uuid,
) -> Result<(), Error> {
    let it = &session.value;
    let binding = it.network_binding;
    let Err(broken) = check(&state.geoip, binding, it.last_ip, client.address) else {
        return Ok(());
    };
    tracing::warn!(
        id = %correlation.simple(),
        session = %it.id,
        reason = %broken,
        "logout: session binding broken"
    );
    let end = delete::<Session>(it.id, session.version);
    write(state, end, Durability::Durable, correlation).await?;
    let whole = request.uri().path_and_query();
    Err(Error::NetworkChanged {
        next: whole.map_or_else(|| "/".to_owned(), ToString::to_string),
    })
}

/// Writes down that the session was used, so that it does not end while it is.
async fn note_use(
    state: &State,
    session: &Versioned<Session>,
    client: &Client,
    correlation: Uuid,
) -> Result<(), Error> {
    let now = state.clock.now();
    let idle = now.duration_since(session.value.last_used).unsigned_abs();
    let moved = session.value.last_ip != client.address;
    if !moved && idle < state.unused_age / NOTED {
        return Ok(());
    }
    let mut used = session.value.clone();
    used.touch(now, state.unused_age, client.address, &client.user_agent);
    write(
        state,
        put(&used, session.version),
        Durability::Relaxed,
        correlation,
    )
    .await
}

/// Writes one change of a session. Whoever was faster has written something newer, so a
/// conflict is no failure.
async fn write(
    state: &State,
    change: Write,
    durability: Durability,
    correlation: Uuid,
) -> Result<(), Error> {
    let commit = Commit {
        writes: vec![change],
        durability,
        fence: None,
        at: state.clock.now(),
        correlation,
    };
    match state.journal.commit(commit).await {
        Ok(_) | Err(journal::Error::Conflict { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
