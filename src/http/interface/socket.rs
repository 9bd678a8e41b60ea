//! `/ws/client/`: tells the other tabs of a browser that somebody has logged in there.
//!
//! authentik's interface opens it with every page, and looks again when it hears of a login.

use std::net::IpAddr;

use actix_web::{HttpRequest, HttpResponse, web};
use actix_ws::{CloseCode, CloseReason, Message, MessageStream};
use futures_util::StreamExt as _;
use serde_json::json;
use tokio::sync::watch;
use uuid::Uuid;

use super::super::request::{Arrival, goes_on};
use super::super::session::Visitor;
use super::super::streams::{Place, STOPPING};
use super::super::{Error, State, csrf};
use crate::directory::Session;
use crate::flow::client::network;
use crate::journal::object::{self, Versioned};

/// The largest message that is read, in bytes: nothing that is said here is listened to.
const LARGEST: usize = 4096;

/// How many messages somebody may send.
const MOST: usize = 1000;

/// After so many ticks the browser is asked whether it is still there, and one looks whether the
/// session is.
const ASKS: u32 = 30;

/// `GET /ws/client/`
pub(in crate::http) async fn open(
    request: HttpRequest,
    body: web::Payload,
    state: web::Data<State>,
    arrival: Arrival,
) -> Result<HttpResponse, Error> {
    let visitor = Visitor::of(&state, &request, arrival.id).await?;
    csrf::check_origin(&request, &visitor.client)?;
    // A browser gets its session with the first challenge, and comes back then.
    let session = visitor.session_id().ok_or(Error::NotAuthenticated)?;
    let place = state.streams.open(network(visitor.client.address))?;
    let logins = state.logins.watch(session);
    let (answer, socket, said) = match actix_ws::handle(&request, body) {
        Ok(opened) => opened,
        Err(error) => {
            // Whatever is no handshake is told what it lacks.
            tracing::debug!(%error, "this is no handshake");
            return Ok(error.as_response_error().error_response());
        }
    };
    let open = Open {
        state,
        session,
        logins,
        socket,
        _place: place,
    };
    actix_web::rt::spawn(open.run(said.max_frame_size(LARGEST)));
    Ok(goes_on(answer))
}

/// A socket that is open.
struct Open {
    state: web::Data<State>,
    session: Uuid,
    logins: watch::Receiver<()>,
    socket: actix_ws::Session,
    _place: Place<IpAddr>,
}

impl Open {
    async fn run(mut self, mut said: MessageStream) {
        let why = self.until_it_ends(&mut said).await;
        // It may be closed already.
        let _ = self.socket.close(why).await;
    }

    /// Goes on until the browser, the session or the server ends it; why, where somebody is told.
    async fn until_it_ends(&mut self, said: &mut MessageStream) -> Option<CloseReason> {
        let mut tick = tokio::time::interval(STOPPING);
        let (mut ticks, mut messages, mut is_there) = (0_u32, 0, true);
        loop {
            tokio::select! {
                changed = self.logins.changed() => {
                    changed.ok()?;
                    let told = json!({ "message_type": "session.authenticated" });
                    self.socket.text(told.to_string()).await.ok()?;
                }
                message = said.next() => {
                    messages += 1;
                    match message?.ok()? {
                        _ if messages > MOST => return Some(CloseCode::Policy.into()),
                        Message::Ping(content) => self.socket.pong(&content).await.ok()?,
                        Message::Pong(_) => is_there = true,
                        Message::Close(why) => return why,
                        _ => {}
                    }
                }
                _ = tick.tick() => {
                    if self.state.is_stopping() {
                        return Some(CloseCode::Away.into());
                    }
                    ticks += 1;
                    if ticks.is_multiple_of(ASKS) {
                        if !is_there || !self.has_session().await {
                            return Some(CloseCode::Normal.into());
                        }
                        is_there = false;
                        self.socket.ping(b"").await.ok()?;
                    }
                }
            }
        }
    }

    /// Whether the session has not ended. What cannot be read is looked for again.
    async fn has_session(&self) -> bool {
        let journal = &*self.state.journal;
        let found: Result<Option<Versioned<Session>>, _> = object::get(journal, self.session).await;
        !matches!(found, Ok(None))
    }
}
