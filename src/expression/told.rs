//! What an evaluation that was handed a secret leaves behind, so that a replay can go by it.
//!
//! The secret itself is gone by then, and on a mask the expression would come to something else.
//! The journal holds this: names and members never change, and no text of a secret is among them.

use serde::{Deserialize, Serialize};

use super::evaluation::{Change, LogLine};
use super::host::Call;
use super::value::{Object, Value};
use super::wire::Question;

/// How an evaluation went: what it asked, and what it came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// What it asked, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<Asked>,
    /// How it ended.
    pub end: End,
}

/// One question of an expression.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// For a name.
    Name {
        /// The name.
        name: String,
    },
    /// For something of a module, or for the module.
    Import {
        /// The module.
        module: String,
        /// What of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// For an attribute.
    Attribute {
        /// Of what.
        object: Object,
        /// Which.
        name: String,
    },
    /// A call.
    Call(Call),
}

/// How an evaluation ended that came to its own end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// With a result.
    Done {
        /// What it returned.
        value: Value,
        /// What it said.
        messages: Vec<String>,
        /// What it logged.
        log: Vec<LogLine>,
        /// What it changed in the contexts.
        changes: Vec<Change>,
    },
    /// It wanted to be left out.
    Skipped {
        /// Why.
        message: String,
        /// What it logged.
        log: Vec<LogLine>,
    },
    /// With an error of its own.
    Failed {
        /// What it was.
        message: String,
        /// Where.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        traceback: Option<String>,
        /// What it logged.
        log: Vec<LogLine>,
    },
}

/// What an evaluation that is under way has asked so far.
#[derive(Debug, Default)]
pub struct Asking {
    /// The questions, in order.
    pub asked: Vec<Asked>,
    /// Whether it was handed the text of a secret.
    pub has_secrets: bool,
}

impl From<&Question> for Asked {
    fn from(question: &Question) -> Self {
        match question.clone() {
            Question::Name(name) => Self::Name { name },
            Question::Import(module, name) => Self::Import { module, name },
            Question::Attribute(object, name) => Self::Attribute { object, name },
            Question::Call(call) => Self::Call(call),
        }
    }
}

impl From<Asked> for Question {
    fn from(asked: Asked) -> Self {
        match asked {
            Asked::Name { name } => Self::Name(name),
            Asked::Import { module, name } => Self::Import(module, name),
            Asked::Attribute { object, name } => Self::Attribute(object, name),
            Asked::Call(call) => Self::Call(call),
        }
    }
}
