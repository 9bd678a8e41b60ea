//! What came in with one command, in the form that the journal keeps.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use super::client::Client;
use super::context::Context;

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
    /// Give up because nobody came back in time.
    Expire,
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
}
