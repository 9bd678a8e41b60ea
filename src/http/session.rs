//! Who sent a request: the session behind its cookie, and the user who is logged in there.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::cookie::Cookie;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::json;
use uuid::Uuid;

use super::binding::check;
use super::client::client;
use super::device::DEVICE;
use super::mfa::MFA;
use super::{Error, State, cookie, location, outpost};
use crate::directory::{Author, Remark, Session, User, remark, session_by_sid};
use crate::execution::{Cancel, Reply, Secret};
use crate::flow::client::{Client, Device, Verified};
use crate::flow::input::Canceller;
use crate::journal::object::{self, Versioned, delete, put};
use crate::journal::{self, Commit, Durability, Write};

/// How often a session that others write at the same time is tried to be ended.
const TRIES: usize = 5;

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
    /// The secret that their cookie holds.
    pub sid: Option<SecretString>,
}

impl Visitor {
    /// Finds out who sent `request`, made under the id `correlation`.
    ///
    /// # Errors
    /// [`Error::BindingBroken`] when the session was bound to a network or a place that the client
    /// has left; the session has ended then.
    pub async fn of(
        state: &State,
        request: &HttpRequest,
        correlation: Uuid,
    ) -> Result<Self, Error> {
        let mut visitor = Self::unknown(state, request);
        outpost::speak_for(state, request, &mut visitor.client).await?;
        visitor.client.device = device(state, request);
        visitor.client.mfa = factor(state, request).map(Box::new);
        let Some(sid) = sid(state, request) else {
            return Ok(visitor);
        };
        let now = state.clock.now();
        let Some(session) = session_by_sid(&*state.journal, &sid, now).await? else {
            return Ok(visitor);
        };
        visitor.is_late = !session.value.is_current(&sid);
        if !session.value.admits(&sid, &visitor.client, now) {
            // Somebody may have planted the cookie before the login: the former secret opens
            // the session only to the browser that logged in.
            visitor.is_late = false;
            return Ok(visitor);
        }
        let session = check_binding(state, request, session, &visitor.client, correlation).await?;
        let Some(session) = session else {
            return Ok(visitor);
        };
        if let Some(user) = session.value.user {
            let found: Option<Versioned<User>> = object::get(&*state.journal, user).await?;
            visitor.user = found.filter(|user| user.value.is_active);
        }
        if visitor.user.is_some() && !visitor.is_late {
            let from = &visitor.client;
            let from = (from.address, from.user_agent.as_str());
            note_use(state, &session, from, correlation).await?;
        }
        visitor.session = Some(session);
        visitor.sid = Some(sid);
        Ok(visitor)
    }

    /// Whoever sent `request`, as if they had no cookie.
    #[must_use]
    pub fn unknown(state: &State, request: &HttpRequest) -> Self {
        Self {
            client: client(request, &state.trusted_proxies),
            session: None,
            user: None,
            is_late: false,
            sid: None,
        }
    }

    /// The session's id.
    #[must_use]
    pub fn session_id(&self) -> Option<Uuid> {
        self.session.as_ref().map(|session| session.value.id)
    }
}

/// Gives the browser the cookies of the session that it has now, and the one by which it is known
/// from now on. Whoever sent a former secret of the session gets no other one, unless it is their
/// own request that replaced it, a twin of that, or the server was stopped before it answered that: the
/// cookie may have been planted.
pub async fn set_cookies(
    state: &State,
    visitor: &Visitor,
    reply: &Reply,
    answer: &mut HttpResponse,
) -> Result<Option<Session>, Error> {
    let client = &visitor.client;
    let found: Option<Versioned<Session>> = object::get(&*state.journal, reply.session).await?;
    let Some(Versioned { value: session, .. }) = found else {
        return Ok(None);
    };
    if reply.secret == Secret::New && session.user.is_some() {
        state.logins.tell(session.id);
    }
    let now = state.clock.now();
    let sid = visitor.sid.as_ref();
    let admitted = sid.is_some_and(|sid| session.admits(sid, client, now));
    let is_current = sid.is_some_and(|sid| session.is_current(sid));
    match reply.secret {
        Secret::New => {}
        _ if !admitted => return Ok(None),
        Secret::Known if !is_current => return Ok(Some(session)),
        Secret::Known | Secret::Untold => {}
    }
    let user: Option<Versioned<User>> = match session.user {
        Some(user) => object::get(&*state.journal, user).await?,
        None => None,
    };
    let uid = user.map(|user| user.value.uid(state.install_id));
    let secure = client.secure;
    let mut cookies = Vec::from(own_cookies(state, &session, uid.as_deref(), now, secure));
    if let (Some((user, device)), Some(uid)) = (reply.remembered, &uid)
        && session.user == Some(user)
        && device.until > now
    {
        let value = state.devices.sign(device.stage, uid, device.until);
        cookies.push(
            state
                .cookies
                .device(&value, left(now, device.until), secure),
        );
    }
    if let Some(factor) = reply.verified.as_ref().filter(|it| it.until > now) {
        let value = state.factors.sign(factor);
        cookies.push(
            state
                .cookies
                .factor(&value, left(now, factor.until), secure),
        );
    }
    add(&cookies, answer)?;
    Ok(Some(session))
}

/// Gives the browser of a user who is logged in the cookies of their session, whose secrets were
/// replaced on their own request.
///
/// # Errors
/// When a cookie cannot be sent.
pub fn renewed(
    state: &State,
    session: &Session,
    user: &User,
    secure: bool,
    answer: &mut HttpResponse,
) -> Result<(), Error> {
    let uid = user.uid(state.install_id);
    let now = state.clock.now();
    add(
        &own_cookies(state, session, Some(&uid), now, secure),
        answer,
    )
}

/// The cookies of a session.
fn own_cookies(
    state: &State,
    session: &Session,
    uid: Option<&str>,
    now: Timestamp,
    secure: bool,
) -> [Cookie<'static>; 2] {
    let value = state.signer.sign(&session.sid, uid);
    let age = session.persistent.map(|end| left(now, end));
    [
        state.cookies.session(&value, age, secure),
        state.cookies.csrf(&session.csrf, secure),
    ]
}

/// How many seconds are left. A cookie that is sent a moment after the login still lasts as long as
/// was promised.
fn left(now: Timestamp, end: Timestamp) -> i64 {
    let left = end.duration_since(now);
    left.as_secs().max(0) + i64::from(left.subsec_nanos() > 0)
}

/// Sends cookies along with an answer.
///
/// # Errors
/// When one of them cannot be sent.
pub(super) fn add(cookies: &[Cookie<'static>], answer: &mut HttpResponse) -> Result<(), Error> {
    for cookie in cookies {
        answer.add_cookie(cookie).map_err(|error| Error::Internal {
            cause: format!("the cookie {} cannot be sent: {error}", cookie.name()),
        })?;
    }
    Ok(())
}

/// The secret in the session cookie.
fn sid(state: &State, request: &HttpRequest) -> Option<SecretString> {
    first(request, cookie::SESSION, |value| state.signer.read(value))
}

/// What the device cookie says.
fn device(state: &State, request: &HttpRequest) -> Option<Device> {
    let now = state.clock.now();
    first(request, DEVICE, |value| state.devices.read(value, now))
}

/// What the cookie of second factors says.
fn factor(state: &State, request: &HttpRequest) -> Option<Verified> {
    let now = state.clock.now();
    first(request, MFA, |value| state.factors.read(value, now))
}

/// What the cookie of a name says. Several may arrive, set for different domains; the first that
/// this server signed counts.
fn first<T>(request: &HttpRequest, name: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
    let cookies = request.cookies().ok()?;
    let mut named = cookies.iter().filter(|cookie| cookie.name() == name);
    named.find_map(|cookie| read(cookie.value()))
}

/// The session as it is, provided that it may be used from where it is used now; `None` when it
/// has gone meanwhile. Else it ends, with what was begun in it.
async fn check_binding(
    state: &State,
    request: &HttpRequest,
    mut session: Versioned<Session>,
    client: &Client,
    correlation: Uuid,
) -> Result<Option<Versioned<Session>>, Error> {
    for _ in 0..TRIES {
        let it = &session.value;
        let bindings = (it.network_binding, it.geoip_binding);
        let Err(broken) = check(&state.geoip, bindings, it.last_ip, client.address) else {
            return Ok(Some(session));
        };
        let id = it.id;
        let address = client.address;
        let asked = format!("{} {}", request.method(), request.path());
        let told = ended(it.user, &broken.to_string(), it.last_ip, address, &asked);
        let end = vec![
            delete::<Session>(id, session.version),
            remark(&told, correlation),
        ];
        if write(state, end, Durability::Durable, correlation).await? {
            // Not the addresses: the log is no place for where somebody was.
            tracing::warn!(
                id = %correlation.simple(),
                session = %id,
                reason = %broken,
                "logout: session binding broken"
            );
            let (all, by) = (Cancel::All, Canceller::Binding);
            let ended = state.executions.cancel(id, all, by, client, correlation);
            if let Err(error) = ended.await {
                // Nobody can reach them any more, and they end when their time is over.
                tracing::error!(session = %id, %error, "the executions of a session that ended go on");
            }
            return Err(Error::BindingBroken {
                next: location::of(request),
            });
        }
        // Somebody wrote it at the same time: where it was last used may be elsewhere now.
        let found: Option<Versioned<Session>> = object::get(&*state.journal, id).await?;
        let Some(found) = found else {
            return Ok(None);
        };
        session = found;
    }
    Err(Error::Unavailable {
        cause: "a session whose binding broke could not be ended".to_owned(),
    })
}

/// What is noted of a session whose binding broke. Of whom it was, and where, it tells as long as
/// there is the account.
fn ended(user: Option<Uuid>, reason: &str, before: IpAddr, now: IpAddr, request: &str) -> Remark {
    let context = json!({
        "logout_reason": "Session binding broken",
        "binding": { "reason": reason },
        "ip": { "previous": before.to_canonical(), "new": now.to_canonical() },
    });
    Remark {
        author: Author {
            user,
            address: Some(now),
            request: Some(request.to_owned()),
            ..Author::server()
        },
        action: "logout".to_owned(),
        object: None,
        context: context.as_object().cloned().unwrap_or_default(),
    }
}

/// Writes down that the session was used from there, by an address and a browser, so that it does not end
/// while it is.
async fn note_use(
    state: &State,
    session: &Versioned<Session>,
    (address, browser): (IpAddr, &str),
    correlation: Uuid,
) -> Result<(), Error> {
    let now = state.clock.now();
    let idle = now.duration_since(session.value.last_used).unsigned_abs();
    let moved = session.value.last_ip != address;
    if !moved && idle < state.unused_age / NOTED {
        return Ok(());
    }
    let mut used = session.value.clone();
    used.touch(now, state.unused_age, address, browser);
    let used = vec![put(&used, session.version)];
    // Whoever was faster has written something newer, so a conflict is no failure.
    write(state, used, Durability::Relaxed, correlation).await?;
    Ok(())
}

/// Writes down that an application's cookie was used, so that the session does not end while one of
/// them is. From where is not noted: that is where the application is used, not the login.
pub(super) async fn note_use_elsewhere(
    state: &State,
    session: &Versioned<Session>,
    correlation: Uuid,
) -> Result<(), Error> {
    let before = &session.value;
    let from = (before.last_ip, before.last_user_agent.as_str());
    note_use(state, session, from, correlation).await
}

/// Writes one change of a session; false when somebody else was faster.
async fn write(
    state: &State,
    writes: Vec<Write>,
    durability: Durability,
    correlation: Uuid,
) -> Result<bool, Error> {
    let commit = Commit {
        writes,
        durability,
        fence: None,
        at: state.clock.now(),
        correlation,
    };
    match state.journal.commit(commit).await {
        Ok(_) => Ok(true),
        Err(journal::Error::Conflict { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
