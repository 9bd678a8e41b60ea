//! The language of event searches: `action = "login" and user.username ~ "ann"`.
//!
//! It is that of DjangoQL, in the form that authentik's searches use, without its variables.
//! A query is read when a policy is saved, and again when it is asked.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

mod eval;
mod parse;
mod token;

#[cfg(test)]
mod tests;

/// A condition that an event fulfils or not.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Query {
    /// Several, with one word fewer between them.
    Chain {
        /// The conditions, from left to right.
        parts: Vec<Query>,
        /// What stands after each but the last.
        joins: Vec<Join>,
    },
    /// A comparison.
    Compare(Comparison),
}

/// What stands between two conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Join {
    And,
    Or,
}

/// A field of the event and what it is compared with.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Comparison {
    /// The names that lead to the field, from the outside in.
    path: Vec<String>,
    /// How they are compared.
    operator: Operator,
    /// Whether the opposite counts.
    negated: bool,
    /// What the field is compared with; only [`Operator::In`] has other than one.
    with: Vec<Constant>,
}

/// How a field and a constant are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Contains,
    StartsWith,
    EndsWith,
    In,
}

/// What a query says literally.
#[derive(Clone, Debug, PartialEq)]
enum Constant {
    None,
    Bool(bool),
    Number(f64),
    Text(String),
}

/// Why a text is no query, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SyntaxError {
    line: usize,
    column: usize,
    problem: String,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            line,
            column,
            problem,
        } = self;
        write!(f, "Line {line}, col {column}: {problem}")
    }
}

impl FromStr for Query {
    type Err = SyntaxError;

    fn from_str(text: &str) -> Result<Self, SyntaxError> {
        parse::query(text)
    }
}

impl Query {
    /// Whether an event is as the query says.
    pub(super) fn matches(&self, event: &Value) -> bool {
        match self {
            Self::Chain { parts, joins } => {
                let joins = joins.iter().rev();
                let mut parts = parts.iter().rev();
                let last = parts.next().is_some_and(|part| part.matches(event));
                parts
                    .zip(joins)
                    .fold(last, |rest, (part, join)| match join {
                        Join::And => part.matches(event) && rest,
                        Join::Or => part.matches(event) || rest,
                    })
            }
            Self::Compare(comparison) => comparison.holds(event),
        }
    }
}
