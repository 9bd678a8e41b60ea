//! An event before anybody has looked up what the people and the objects in it are called.

use std::net::IpAddr;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::directory::Author;
use crate::flow::client::Client;
use crate::flow::plan::Pinned;
use crate::journal::{Kind, Version};

/// The parts that tell events, by the dotted names that clients know them by.
pub(super) mod app {
    pub(in crate::audit) const SIGNALS: &str = "authentik.events.signals";
    pub(in crate::audit) const MODELS: &str = "authentik.events.middleware";
    pub(in crate::audit) const MAIL: &str = "authentik.stages.email.tasks";
    pub(in crate::audit) const POLICIES: &str = "authentik.policies.process";
    pub(in crate::audit) const EXPRESSIONS: &str = "authentik.core.expression.evaluator";
    pub(in crate::audit) const EXECUTOR: &str = "authentik.flows.views.executor";
}

/// One event to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// Whom it tells of.
    pub who: Who,
    /// What was done.
    pub action: String,
    /// The part of the server that tells it.
    pub app: String,
    /// What else there is to say.
    pub context: Map<String, Value>,
    /// The object that it was done to.
    pub model: Option<Reference>,
    /// What the context calls that object.
    pub called: &'static str,
    /// What has to be so for the event to be told at all.
    pub condition: Condition,
    /// The mail that it is about.
    pub letter: Option<Letter>,
    /// Whether it tells of whoever goes through the flow, who may be somebody else than whoever is
    /// logged in there.
    pub is_pending: bool,
}

impl Draft {
    pub(super) fn new(who: Who, action: &str, app: &str) -> Self {
        Self {
            who,
            action: action.to_owned(),
            app: app.to_owned(),
            context: Map::new(),
            model: None,
            called: "model",
            condition: Condition::Always,
            letter: None,
            is_pending: false,
        }
    }

    pub(super) fn pending(mut self) -> Self {
        self.is_pending = true;
        self
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.context.insert(name.to_owned(), value.into());
        self
    }

    pub(super) fn of(mut self, kind: Kind, id: Uuid, version: Option<Version>) -> Self {
        self.model = Some(Reference { kind, id, version });
        self
    }

    pub(super) fn only_if(mut self, condition: Condition) -> Self {
        self.condition = condition;
        self
    }
}

/// Whom an event tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Nobody: the server, or whoever owns its machine.
    Nobody,
    /// A browser in which nobody is logged in.
    Anonymous,
    /// Somebody who typed an identifier that nobody has.
    Stranger(String),
    /// A user.
    User(Uuid),
}

/// An object, and the revision by which it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Its kind.
    pub kind: Kind,
    /// Which one.
    pub id: Uuid,
    /// The revision; the current one where none is named.
    pub version: Option<Version>,
}

/// What has to be so for an event to be told at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Nothing.
    Always,
    /// The policy is one whose evaluations are told.
    Logs(Pinned),
    /// This revision of a user has another password than the one before.
    PasswordSet(Uuid, Version),
    /// This revision of a token has another key than the one before.
    KeySet(Uuid, Version),
}

/// A mail that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The stage that sent it, where it is one that sends to the user's own address.
    pub stage: Option<Pinned>,
}

/// Where a request came from, as far as the journal knows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Origin {
    /// The address of the client.
    pub address: Option<IpAddr>,
    /// The host that was asked.
    pub host: Option<String>,
    /// The session that the request came with, where it came with one.
    pub session: Option<Uuid>,
    /// What the event says of the request.
    pub request: Option<Value>,
}

impl Origin {
    /// A request to a flow.
    #[must_use]
    pub fn of_flow(
        client: &Client,
        slug: &str,
        query: &str,
        answers: bool,
        session: Option<Uuid>,
    ) -> Self {
        let known = !client.address.is_unspecified();
        let request = known.then(|| {
            json!({
                "path": format!("/api/v3/flows/executor/{slug}/"),
                "method": if answers { "POST" } else { "GET" },
                "args": args(query),
                "user_agent": client.user_agent,
            })
        });
        Self {
            address: known.then(|| client.address.to_canonical()),
            host: known.then(|| client.host.clone()),
            session,
            request,
        }
    }

    /// The request of whoever changed something.
    #[must_use]
    pub fn of_author(author: &Author) -> Self {
        let request = author.request.as_deref().and_then(|it| it.split_once(' '));
        Self {
            address: author.address,
            host: None,
            session: None,
            request: request.map(|(method, path)| {
                json!({ "path": path, "method": method, "args": {}, "user_agent": "" })
            }),
        }
    }
}

/// The parameters of a query; of several of one name the last counts. The secret of a link is no
/// part of what the journal keeps.
fn args(query: &str) -> Map<String, Value> {
    let query = query.strip_prefix('?').unwrap_or(query);
    url::form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| (name.into_owned(), value.into_owned().into()))
        .collect()
}
