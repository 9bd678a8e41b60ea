//! Whether the expression of a policy is understood, which only a worker can say.

use serde_json::{Map, Value};

use super::super::resolve::Need;
use super::Object;
use super::write::{Draft, Errors, Refused};
use crate::policy::Kind;

/// The field that holds it.
const EXPRESSION: &str = "expression";

/// What was found out about an expression.
pub(in crate::blueprint) struct Understood {
    /// Its text.
    pub(in crate::blueprint) source: String,
    /// What is wrong with it, if anything is.
    pub(in crate::blueprint) problem: Option<String>,
}

/// Asks whether a new expression is understood, and adds what is wrong with it. One that is
/// stored already was asked about when it was stored.
pub(super) fn check(
    draft: &Draft<'_>,
    kind: Kind,
    settings: &Map<String, Value>,
    errors: &mut Errors,
) -> Result<(), Refused> {
    let Some(Value::String(source)) = settings.get(EXPRESSION) else {
        return Ok(());
    };
    if kind != Kind::ExpressionPolicy || stored(draft.existing) == Some(source) {
        return Ok(());
    }
    match draft.understood {
        Some(known) if known.source == *source => {
            if let Some(problem) = &known.problem {
                errors.add(EXPRESSION, problem.clone());
            }
            Ok(())
        }
        _ => Err(Refused::Need(Need::Syntax(source.clone()))),
    }
}

fn stored(existing: Option<&Object>) -> Option<&String> {
    match existing {
        Some(Object::Policy(policy)) => match policy.settings.get(EXPRESSION) {
            Some(Value::String(source)) => Some(source),
            _ => None,
        },
        _ => None,
    }
}
