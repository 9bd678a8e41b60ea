//! Whether the expressions of a policy, a prompt or a mapping are understood, which only a worker can say.

use serde_json::{Map, Value};

use super::super::resolve::Need;
use super::Object;
use super::write::{Draft, Errors, Refused};
use crate::catalog::{Prompt, WebhookMapping};
use crate::policy::Kind;

/// The field of a policy that holds one.
const EXPRESSION: &str = "expression";

/// What was found out about an expression.
pub(in crate::blueprint) struct Understood {
    /// Its text.
    pub(in crate::blueprint) source: String,
    /// What is wrong with it, if anything is.
    pub(in crate::blueprint) problem: Option<String>,
}

/// Asks whether a new expression of a policy is understood, and adds what is wrong with it. One
/// that is stored already was asked about when it was stored.
pub(super) fn check_policy(
    draft: &Draft<'_>,
    kind: Kind,
    settings: &Map<String, Value>,
    errors: &mut Errors,
) -> Result<(), Refused> {
    let Some(Value::String(source)) = settings.get(EXPRESSION) else {
        return Ok(());
    };
    let stored = match draft.existing {
        Some(Object::Policy(policy)) => policy.settings.get(EXPRESSION),
        _ => None,
    };
    if kind != Kind::ExpressionPolicy || stored.and_then(Value::as_str) == Some(source) {
        return Ok(());
    }
    check(draft, EXPRESSION, source, errors)
}

/// The same for those of a prompt.
pub(super) fn check_prompt(
    draft: &Draft<'_>,
    prompt: &Prompt,
    errors: &mut Errors,
) -> Result<(), Refused> {
    let stored = match draft.existing {
        Some(Object::Prompt(prompt)) => Some(prompt),
        _ => None,
    };
    for (field, source) in prompt.expressions() {
        let mut known = stored.into_iter().flat_map(Prompt::expressions);
        if !known.any(|(_, known)| known == source) {
            check(draft, field, source, errors)?;
        }
    }
    Ok(())
}

/// The same for that of a mapping.
pub(super) fn check_mapping(
    draft: &Draft<'_>,
    mapping: &WebhookMapping,
    errors: &mut Errors,
) -> Result<(), Refused> {
    let source = &mapping.expression;
    match draft.existing {
        Some(Object::WebhookMapping(stored)) if stored.expression == *source => Ok(()),
        _ => check(draft, EXPRESSION, source, errors),
    }
}

fn check(draft: &Draft<'_>, field: &str, source: &str, errors: &mut Errors) -> Result<(), Refused> {
    let mut known = draft.understood.iter();
    match known.find(|known| known.source == source) {
        Some(known) => {
            if let Some(problem) = &known.problem {
                errors.add(field, problem.clone());
            }
            Ok(())
        }
        None => Err(Refused::Need(Need::Syntax(source.to_owned()))),
    }
}
