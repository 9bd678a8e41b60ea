//! What came in with one command, in the form that the journal keeps.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use super::client::Client;
use super::context::Context;
use super::effect::Outcome;

/// Stands in the journal where a secret was typed.
pub const SECRET: &str = "‹secret›";

/// One command to an execution, complete but for what must not be written down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// The one moment of the command.
    pub at: Timestamp,
    /// Who sent it.
    pub client: Client,
    /// The browser's query string.
    pub query: String,
    /// What is asked.
    pub request: Request,
    /// The answer with every secret replaced; absent where there was none. Somebody may answer
    /// with nothing but `null`, which is not the same.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub body: Option<serde_json::Value>,
}

/// What is there is there, also when it is `null`.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<serde_json::Value>, D::Error> {
    serde_json::Value::deserialize(from).map(Some)
}

/// What is asked of an execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Request {
    /// Start, and take the body (if there is one) as the answer to the first stage.
    Begin {
        /// The new execution.
        execution: Uuid,
        /// The browser's session.
        session: Uuid,
        /// The flow to run.
        flow: Uuid,
        /// What is known before the first stage.
        #[serde(default, skip_serializing_if = "Context::is_empty")]
        context: Context,
        /// What is wrong with the link that led here, where one did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dead_link: Option<DeadLink>,
        /// A link, made by an operator, has to be confirmed before the first stage, and ends at
        /// this moment.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        link_until: Option<Timestamp>,
    },
    /// Show where the execution stands.
    Visit,
    /// Answer a challenge.
    Answer {
        /// The challenge's id, where the client knows it.
        challenge: Option<String>,
    },
    /// Give up.
    Cancel {
        /// On whose behalf.
        by: Canceller,
    },
    /// Show where a link leads, before anybody confirms it.
    Open {
        /// The link.
        link: Uuid,
    },
    /// Confirm a link; the answer is one to the question that was shown.
    Confirm {
        /// The link.
        link: Uuid,
        /// The session of the browser that confirms it.
        session: Uuid,
    },
    /// Tell a browser that the execution went on in another one.
    Elsewhere,
    /// Forget the way of a browser that has no part in the execution any more.
    Forget {
        /// Its session.
        session: Uuid,
    },
    /// Take what came of an effect.
    Conclude {
        /// The effect.
        effect: Uuid,
        /// What came of it.
        outcome: Outcome,
    },
    /// The moment of a timer has come.
    Fire {
        /// Which one.
        timer: Uuid,
    },
    /// Give up because nobody came back in time.
    Expire,
}

/// Why a link leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadLink {
    /// Nobody made it, or it has ended.
    Unknown,
    /// Somebody confirmed it already.
    Used,
}

/// On whose behalf an execution was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Canceller {
    /// The visitor followed a cancel link.
    Visitor,
    /// The session was logged out.
    Logout,
    /// The session was used from where it must not be used.
    Binding,
    /// The operator made something else in its place.
    Operator,
}
