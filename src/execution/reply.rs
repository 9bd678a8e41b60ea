//! What an execution answers, ready for the wire.

use serde_json::{Value, json};
use uuid::Uuid;

use super::actor::Answered;
use crate::flow::Context;
use crate::flow::client::Verified;
use crate::flow::context::{Value as Known, key};
use crate::flow::event::Remembered;
use crate::stage;

/// The answer to one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// Everything that a client is sent.
    pub body: Value,
    /// The id of the open challenge, if one is open.
    pub challenge: Option<String>,
    /// The execution that answered.
    pub execution: Uuid,
    /// Who the visitor is meant to be, as far as the execution knows.
    pub pending: Option<Pending>,
    /// The browser's session; it is a new one when the request came without, and nil when nothing
    /// was begun that needs one.
    pub session: Uuid,
    /// Who has the session's secret.
    pub secret: Secret,
    /// The user who was logged in, and by what their browser is known from now on.
    pub remembered: Option<(Uuid, Remembered)>,
    /// The second factor that was shown, as the browser may show it again.
    pub verified: Option<Verified>,
}

impl Reply {
    pub(super) fn new(
        answered: Answered,
        execution: Uuid,
        session: Uuid,
        correlation: Uuid,
    ) -> Self {
        let (body, challenge) = match answered.reply {
            stage::Reply::Challenge { id, body } => (body, Some(id)),
            stage::Reply::Denied { body } | stage::Reply::Aside { body } => (body, None),
            stage::Reply::Redirect { to } => {
                (json!({ "component": "xak-flow-redirect", "to": to }), None)
            }
            stage::Reply::Failed { error } => (flow_error(correlation, error.as_deref()), None),
            // Whoever cancelled is sent on by the cancelling page, so nobody sees this.
            stage::Reply::Over => (flow_error(correlation, None), None),
        };
        Self {
            body,
            challenge,
            execution,
            pending: answered.pending,
            session,
            secret: answered.secret,
            remembered: answered.remembered,
            verified: answered.verified,
        }
    }
}

/// Who has the secret of the session that a request belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secret {
    /// Whoever has the session: nothing changed.
    Known,
    /// Nobody: this very request made it, so its sender gets it.
    New,
    /// Perhaps nobody: an earlier answer made it, and the server was stopped, or the commit failed
    /// without saying whether it was written, before that was answered.
    Untold,
}

/// Who a visitor is meant to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pending {
    /// This user.
    User(Uuid),
    /// Whoever has this name or address; nobody may get to know whether anybody has.
    Named(String),
}

impl Pending {
    pub(super) fn of(context: &Context) -> Option<Self> {
        if let Some(typed) = context.text(key::PENDING_USER_IDENTIFIER) {
            return Some(Self::Named(typed.to_owned()));
        }
        match context.get(key::PENDING_USER)? {
            Known::User(id) => Some(Self::User(*id)),
            Known::Stranger { identifier } => Some(Self::Named(identifier.clone())),
            _ => None,
        }
    }
}

/// The challenge that says that something went wrong, with the id under which the log has it.
#[must_use]
pub fn flow_error(correlation: Uuid, error: Option<&str>) -> Value {
    let mut body = json!({
        "component": "ak-stage-flow-error",
        "request_id": correlation.simple().to_string(),
    });
    if let Some(error) = error {
        body["error"] = error.into();
        body["traceback"] = error.into();
    }
    body
}
