//! A policy that is a Python expression. Source: authentik `policies/expression`.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::host::Answers;
use super::{Error, Judged, Policy, Request, context};
use crate::expression::{self, Evaluation, Level, LogLine, Object, Outcome, Plan, Value};
use crate::flow::context::{Value as Known, key};
use crate::flow::field::{Invalid, Problem};
use crate::flow::verdict::Logged;
use crate::world::{self, Interrupted};

/// The settings of an expression policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpressionPolicy {
    /// The body of a Python function; see `docs/expressions.md`.
    pub expression: String,
}

#[async_trait(?Send)]
impl Policy for ExpressionPolicy {
    async fn judge(&self, request: &Request<'_>) -> Result<Judged, Error> {
        let answers = Answers::new(request);
        let workers = request.world.expressions();
        let workers = workers.ok_or_else(|| Interrupted::Unavailable {
            cause: "this program has no workers for expressions".to_owned(),
        })?;
        let outcome = workers.evaluate(evaluation(&self.expression, request), &answers);
        match outcome.await {
            Ok(outcome) => Ok(judged(outcome, answers)),
            Err(expression::Error::Skipped { message }) => Ok(Judged {
                messages: Some(message)
                    .filter(|it| !it.is_empty())
                    .into_iter()
                    .collect(),
                ..Judged::new(false)
            }),
            Err(error) => Err(failure(error, request)),
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

fn judged(outcome: Outcome, answers: Answers<'_>) -> Judged {
    let mut log: Vec<Logged> = outcome.log.into_iter().map(logged).collect();
    if outcome.value == Value::None {
        log.push(Logged {
            level: "warning".to_owned(),
            text: "the expression returned None, which does not pass".to_owned(),
        });
    }
    Judged {
        passing: outcome.passing,
        messages: outcome.messages,
        log,
        value: Some(outcome.value),
        changes: outcome.context_changes,
        effects: answers.into_effects(),
    }
}

fn logged(line: LogLine) -> Logged {
    let level = match line.level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Error => "error",
    };
    Logged {
        level: level.to_owned(),
        text: line.text,
    }
}

/// What cannot be run again with the same end is told apart from what can.
fn failure(error: expression::Error, request: &Request<'_>) -> Error {
    use expression::Error as Expression;
    let interrupted = match error {
        Expression::Host(error) => {
            return match error.downcast::<world::Error>() {
                Ok(error) => Error::World(*error),
                Err(error) => Error::failed(error.to_string()),
            };
        }
        Expression::Timeout { after } => Interrupted::Deadline {
            millis: u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
        },
        Expression::Memory => Interrupted::Memory,
        Expression::WorkerDied(cause) => Interrupted::Died { cause },
        Expression::Unavailable(cause) => Interrupted::Unavailable { cause },
        other => {
            return Error::Failed {
                traceback: other.traceback(request.policy),
                message: other.to_string(),
            };
        }
    };
    Error::Interrupted(interrupted)
}

/// Everything that the expression is handed.
fn evaluation<'a>(source: &'a str, request: &Request<'a>) -> Evaluation<'a> {
    let known = request.scope.context();
    let plan = request.scope.plan();
    let extras = request.scope.extras().to_vec();
    let (context, plan) = match plan {
        Some(_) => {
            let plan = Plan {
                object: Object::new("FlowPlan", ""),
                context: context::entries(&known),
            };
            (extras, Some(plan))
        }
        None => {
            let mut entries = context::entries(&known);
            entries.retain(|(key, _)| !extras.iter().any(|(over, _)| over == key));
            entries.extend(extras);
            (entries, None)
        }
    };
    let is_sso = known.get(key::IS_SSO) == Some(&Known::Json(true.into()));
    let mut variables = vec![("ak_is_sso_flow".to_owned(), Value::Bool(is_sso))];
    let http = request.visit.map(|_| Object::new("HttpRequest", ""));
    if let Some(http) = &http {
        variables.push(("http_request".to_owned(), http.clone().into()));
    }
    Evaluation {
        name: request.policy,
        source,
        now: request.world.now(),
        request: Some(
            Object::new("PolicyRequest", "")
                .with("user", super::host::subject(request.subject))
                .with("http_request", http)
                .with("obj", super::host::bound(request.object))
                .with("debug", request.debug),
        ),
        context,
        plan,
        client_ip: request.visit.map(|visit| visit.client.address),
        variables,
        timeout: request.deadline,
        depth: request.depth,
    }
}
