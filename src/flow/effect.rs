//! What an execution asks of the outside, and what came of it, in the form that the trail keeps.
//!
//! Asked for in one commit, carried out after it, concluded by another command: so that nothing
//! is done twice, and what a crash hid is known to be unknown.

use serde::{Deserialize, Serialize};

/// Something that leaves the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Effect {
    /// A mail. To whom is nobody's business who reads the trail.
    Mail {
        /// The template that it was made from.
        template: String,
    },
    /// A captcha's provider is asked about an answer.
    Captcha {
        /// The address that is asked.
        url: String,
    },
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "came_to", rename_all = "snake_case")]
pub enum Outcome {
    /// It was done, and there is nothing more to say.
    Done,
    /// It was done, and this was answered.
    Answered {
        /// The answer.
        answer: serde_json::Value,
    },
    /// It was not done, and is not tried again.
    Failed {
        /// Why, for the operator.
        problem: String,
    },
    /// Whether it was done is not known, because of a crash or a broken connection. It is never
    /// repeated.
    Unknown,
}
