//! What the visitor gets back, built from where the execution stands.

use serde_json::{Map, Value, json};

use super::{Error, Stage as _, Turn, deny};
use crate::catalog::Flow;
use crate::flow::challenge::{self, Presentation};
use crate::flow::event::Errors;
use crate::flow::query::Query;

/// The answer to one command.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// A challenge waits for an answer.
    Challenge {
        /// Its id, which the interface sends back.
        id: String,
        /// Everything that a client is sent.
        body: Value,
    },
    /// The visitor may not go on.
    Denied {
        /// Everything that a client is sent.
        body: Value,
    },
    /// Something else is shown than a challenge of the execution, which stays where it is.
    Aside {
        /// Everything that a client is sent.
        body: Value,
    },
    /// The visitor is sent somewhere else.
    Redirect {
        /// Where to.
        to: String,
    },
    /// The current stage could not do its work.
    Failed {
        /// What went wrong, where the visitor may know it.
        error: Option<String>,
    },
    /// The execution is over, and there is nothing to show.
    Over,
}

/// Wraps a stage's own part of a challenge in the envelope.
pub(super) fn envelope(
    component: &str,
    fields: Map<String, Value>,
    flow_info: Value,
    errors: Option<&Errors>,
) -> Value {
    let mut body = fields;
    body.insert("component".to_owned(), component.into());
    body.insert("flow_info".to_owned(), flow_info);
    if let Some(errors) = errors {
        body.insert(
            "response_errors".to_owned(),
            challenge::response_errors(errors),
        );
    }
    Value::Object(body)
}

/// How the flow presents itself to this visitor.
pub(super) fn flow_info(flow: &Flow, user: &str, query: Option<&Query>) -> Value {
    let presentation = Presentation {
        title: &flow.title,
        background: &flow.background,
        layout: flow.layout.as_str(),
    };
    challenge::flow_info(&presentation, user, query)
}

/// The page that lets somebody not through, whose name and picture these are.
pub(super) fn denial(user: &str, avatar: &str, message: &str, flow_info: Value) -> Value {
    let fields = object(json!({
        "pending_user": user,
        "pending_user_avatar": avatar,
        "error_message": message,
    }));
    envelope(deny::Deny::COMPONENT, fields, flow_info, None)
}

/// The fields of a challenge.
pub(super) fn object(fields: Value) -> Map<String, Value> {
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// The page that lets nobody through.
pub(super) async fn access_denied(turn: &Turn<'_>, message: &str) -> Result<Value, Error> {
    let (user, avatar) = turn.shown_user().await?;
    // The execution is over, so there is no `next` any more that cancelling would lead to.
    let flow_info = flow_info(turn.flow, &user, None);
    let message = if message.is_empty() {
        "Unknown error"
    } else {
        message
    };
    Ok(denial(&user, &avatar, message, flow_info))
}
