//! What is handed to an expression at its start: what its text names, and nothing else.

use std::collections::HashSet;

use super::conversation::reveal;
use crate::expression::error::Error;
use crate::expression::evaluation::{Evaluation, Limits};
use crate::expression::host::{Failure, Host};
use crate::expression::interpreter::identifier;
use crate::expression::value::Value;
use crate::expression::wire::{Revealed, Start, Text};

/// What is handed over, or why it cannot be.
pub(super) fn start(evaluation: Evaluation<'_>, limits: &Limits) -> Result<Start, Error> {
    let mentions = |word: &str| evaluation.source.contains(word);
    // Only what the text names can be read by it, so nothing else is handed over, let alone
    // revealed. A call of another policy hands the context on.
    let context = mentions("context") || mentions("ak_call_policy");
    let mut names = Vec::new();
    let mut variables = Vec::new();
    for (name, value) in evaluation.variables {
        let Some(name) = identifier(&name) else {
            continue;
        };
        if mentions(&name) && !names.contains(&name) {
            names.push(name);
            variables.push(value);
        }
    }
    let text = Text {
        source: evaluation.source.to_owned(),
        request: evaluation.request.is_some() && mentions("request"),
        context,
        plan: context && evaluation.plan.is_some(),
        client_ip: evaluation.client_ip.is_some() && mentions("ak_client_ip"),
        variables: names,
    };
    let start = Start {
        now: evaluation.now,
        request: evaluation.request.filter(|_| text.request),
        context: if context {
            evaluation.context
        } else {
            Vec::new()
        },
        plan: evaluation.plan.filter(|_| text.plan),
        client_ip: evaluation.client_ip,
        variables,
        limits: limits.clone(),
        secrets: Vec::new(),
        text,
    };
    if values(&start).all(Value::fits) {
        Ok(start)
    } else {
        let what = "the context is too large to be handed to an expression";
        Err(Error::Refused(what.to_owned()))
    }
}

fn values(start: &Start) -> impl Iterator<Item = &Value> {
    let plan = start.plan.iter().flat_map(|plan| &plan.context);
    let request = start.request.iter().flat_map(|request| &request.fields);
    let named = start.context.iter().chain(plan).chain(request);
    named.map(|(_, value)| value).chain(&start.variables)
}

/// The texts of the secrets in it.
pub(super) async fn reveal_start(
    start: &Start,
    host: &dyn Host,
    revealed: &mut HashSet<String>,
) -> Result<Vec<Revealed>, Error> {
    let mut secrets = Vec::new();
    for value in values(start) {
        let found = reveal(value, host, revealed).await;
        secrets.extend(found.map_err(|failure| match failure {
            Failure::Raise(raised) => Error::Host(Box::new(raised)),
            Failure::Abort(error) => Error::Host(error),
        })?);
    }
    Ok(secrets)
}
