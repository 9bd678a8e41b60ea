//! A policy that is a Python expression. Source: authentik `policies/expression`.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::evaluation::{self, Ended};
use super::host::Answers;
use super::{Error, Judged, Policy, Request, context};
use crate::expression::{Change, Evaluation, Failure, Object, Plan, Value};
use crate::flow::context::{Value as Known, key};
use crate::flow::field::{Invalid, Problem};
use crate::flow::verdict::Logged;

/// The settings of an expression policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ExpressionPolicy)]
pub struct ExpressionPolicy {
    /// The body of a Python function; see `docs/expressions.md`.
    #[schema(min_length = 1)]
    pub expression: String,
}

#[async_trait(?Send)]
impl Policy for ExpressionPolicy {
    async fn judge(&self, request: &Request<'_>) -> Result<Judged, Error> {
        let answers = Answers::new(request, &self.expression);
        let mark = request.scope.mark();
        let evaluation = evaluation(&self.expression, request, &answers).await;
        let evaluation = evaluation.map_err(evaluation::unanswered)?;
        match evaluation::run(request, &answers, evaluation).await? {
            Ended::Done {
                value,
                messages,
                log,
                changes,
            } => Ok(judged(value, messages, log, changes)),
            Ended::Skipped { message, log } => {
                drop(request.scope.take_wishes(&mark));
                let message = Some(message).filter(|it| !it.is_empty());
                Ok(Judged {
                    messages: message.into_iter().collect(),
                    log,
                    ..Judged::new(false)
                })
            }
        }
    }

    fn problems(&self) -> Vec<Invalid> {
        if self.expression.trim().is_empty() {
            vec![Invalid::new("expression", Problem::Blank)]
        } else {
            Vec::new()
        }
    }
}

/// What it wants done is in the scope; the engine takes it from there.
fn judged(
    value: Value,
    messages: Vec<String>,
    mut log: Vec<Logged>,
    changes: Vec<Change>,
) -> Judged {
    if value == Value::None {
        log.push(Logged {
            level: "warning".to_owned(),
            text: "the expression returned None, which does not pass".to_owned(),
        });
    }
    Judged {
        passing: value.truthy(),
        messages,
        log,
        value: Some(value),
        changes,
        effects: Vec::new(),
    }
}

/// Everything that the expression is handed.
async fn evaluation<'a>(
    source: &'a str,
    request: &Request<'a>,
    answers: &Answers<'a>,
) -> Result<Evaluation<'a>, Failure> {
    let known = request.scope.context();
    let plan = request.scope.plan();
    let extras = request.scope.extras().to_vec();
    let (context, plan) = if plan.is_some() {
        let plan = Plan {
            object: Object::new("FlowPlan", ""),
            context: shown(answers, context::entries(&known)).await?,
        };
        (shown(answers, extras).await?, Some(plan))
    } else {
        let mut entries = context::entries(&known);
        entries.retain(|(key, _)| !extras.iter().any(|(over, _)| over == key));
        entries.extend(extras);
        (shown(answers, entries).await?, None)
    };
    let is_sso = known.get(key::IS_SSO) == Some(&Known::Json(true.into()));
    let mut variables = vec![("ak_is_sso_flow".to_owned(), Value::Bool(is_sso))];
    let http = request.visit.map(|_| Object::new("HttpRequest", ""));
    if let Some(http) = &http {
        variables.push(("http_request".to_owned(), http.clone().into()));
    }
    Ok(Evaluation {
        name: request.policy,
        source,
        now: request.world.now(),
        request: Some(
            Object::new("PolicyRequest", "")
                .with("user", answers.subject().await?)
                .with("http_request", http)
                .with("obj", super::host::bound(request.object))
                .with("debug", request.debug),
        ),
        context,
        plan,
        client_ip: request.visit.map(|visit| visit.client.address),
        variables,
        timeout: request.deadline,
        patience: request.world.patience(),
        depth: request.depth,
    })
}

/// Entries with the users in them as an expression is to see them.
async fn shown(
    answers: &Answers<'_>,
    entries: Vec<(String, Value)>,
) -> Result<Vec<(String, Value)>, Failure> {
    let mut shown = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        shown.push((key, answers.shown(value).await?));
    }
    Ok(shown)
}
