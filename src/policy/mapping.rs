//! Expressions that give a value instead of an answer: those of prompts.
//!
//! They run as the expressions of policies do and are recorded alike, but are handed other
//! variables, and nothing that they want changed takes effect: they run whenever a page is shown.
//! Source: authentik `lib/expression/evaluator.py`, `core/expression/evaluator.py`.

use std::cell::RefCell;
use std::time::Duration;

use futures_util::FutureExt as _;
use uuid::Uuid;

use super::evaluation::{self, Ended};
use super::host::Answers;
use super::{Error, Question, Request};
use crate::expression::{self, Evaluation, Failure, Object, Value};
use crate::world;

/// How long one may take.
const TIME: Duration = Duration::from_secs(30);

/// An expression that gives a value.
#[derive(Clone, Copy, Debug)]
pub struct Mapping<'a> {
    /// What it belongs to.
    pub id: Uuid,
    /// The name of that: the file name in tracebacks.
    pub name: &'a str,
    /// Its text.
    pub source: &'a str,
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// What went wrong, in a sentence.
    pub message: String,
    /// Where, as far as that is known.
    pub traceback: Option<String>,
}

impl Question<'_> {
    /// The value of an expression. It sees `user`, `http_request` and `request`, and what is
    /// given by name, which is what `request.context` holds as well.
    ///
    /// # Errors
    /// When the world did not answer. The inner error is the expression's own.
    pub async fn value(
        &self,
        mapping: &Mapping<'_>,
        given: Vec<(String, Value)>,
    ) -> Result<Result<Value, Failed>, world::Error> {
        let request = Request {
            policy: mapping.name,
            deadline: TIME,
            ..self.request(super::request::Object::None)
        };
        let mark = request.scope.mark();
        let found = RefCell::new(None);
        let work = async {
            match value(&request, mapping.source, given).await {
                Err(Error::Interrupted(interrupted)) => Err(interrupted),
                value => {
                    found.replace(Some(value));
                    Ok(())
                }
            }
        };
        let limit = TIME + expression::WAIT;
        let evaluated = request
            .world
            .evaluate(mapping.id, limit, work.boxed_local());
        let evaluated = evaluated.await?;
        drop(request.scope.take_wishes(&mark));
        let value = match (evaluated.interrupted, found.into_inner()) {
            (Some(interrupted), _) => {
                request.scope.forget(&mark);
                Err(Error::Interrupted(interrupted))
            }
            (None, Some(value)) => value,
            (None, None) => Err(Error::failed("the expression gave no value")),
        };
        match value {
            Ok(value) => Ok(Ok(value)),
            Err(Error::World(error)) => Err(error),
            Err(error) => Ok(Err(Failed {
                message: error.to_string(),
                traceback: match error {
                    Error::Failed { traceback, .. } => traceback,
                    _ => None,
                },
            })),
        }
    }
}

async fn value(
    request: &Request<'_>,
    source: &str,
    given: Vec<(String, Value)>,
) -> Result<Value, Error> {
    let answers = Answers::new(request, source);
    let evaluation = handed(source, request, &answers, given).await;
    let evaluation = evaluation.map_err(evaluation::unanswered)?;
    match evaluation::run(request, &answers, evaluation).await? {
        Ended::Done { value, .. } => Ok(value),
        Ended::Skipped { message, .. } => Err(Error::failed(message)),
    }
}

/// Everything that the expression is handed.
async fn handed<'a>(
    source: &'a str,
    request: &Request<'a>,
    answers: &Answers<'a>,
    given: Vec<(String, Value)>,
) -> Result<Evaluation<'a>, Failure> {
    let mut context = Vec::with_capacity(given.len());
    for (name, value) in given {
        context.push((name, answers.shown(value).await?));
    }
    let user = answers.subject().await?;
    let http = request.visit.map(|_| Object::new("HttpRequest", ""));
    let mut variables = context.clone();
    variables.push(("user".to_owned(), user.clone().into()));
    variables.push(("http_request".to_owned(), http.clone().into()));
    Ok(Evaluation {
        name: request.policy,
        source,
        now: request.world.now(),
        request: Some(
            Object::new("PolicyRequest", "")
                .with("user", user)
                .with("http_request", http)
                .with("obj", Value::None)
                .with("debug", false),
        ),
        context,
        plan: None,
        client_ip: request.visit.map(|visit| visit.client.address),
        variables,
        timeout: request.deadline,
        patience: request.world.patience(),
        depth: request.depth,
    })
}
