//! Runs one expression for whoever asks through a [`Request`], and tells what ended it.
//!
//! In a replay an evaluation that was handed a secret is not run, as nobody has the secret any
//! more: what it asked then is asked again, and its end counts as it was.

use super::host::Answers;
use super::{Error, Request};
use crate::expression::{
    self, Asking, Change, End, Evaluation, Failure, Level, LogLine, Outcome, Told, Unfinished,
    Value, retell,
};
use crate::flow::verdict::Logged;
use crate::world::{self, Interrupted};

/// An end that is no failure.
pub(super) enum Ended {
    /// It returned something.
    Done {
        value: Value,
        messages: Vec<String>,
        log: Vec<Logged>,
        changes: Vec<Change>,
    },
    /// It wanted to be left out.
    Skipped { message: String, log: Vec<Logged> },
}

/// Runs the expression, or goes by how it went then.
pub(super) async fn run<'a>(
    request: &Request<'a>,
    answers: &Answers<'a>,
    evaluation: Evaluation<'a>,
) -> Result<Ended, Error> {
    let world = request.world;
    if let Some(Told { asked, end }) = world.recall() {
        let asked = retell(evaluation, asked, answers).await;
        asked.map_err(unanswered)?;
        return ended(end);
    }
    let workers = world
        .expressions()
        .ok_or_else(|| Interrupted::Unavailable {
            cause: "this program has no workers for expressions".to_owned(),
        })?;
    let mut asking = Asking::default();
    let outcome = workers.evaluate_aloud(evaluation, answers, &mut asking);
    let end = end(outcome.await, request.policy)?;
    if asking.has_secrets {
        world.tell(Told {
            asked: asking.asked,
            end: end.clone(),
        });
    }
    ended(end)
}

/// What cannot be run again with the same end is told apart from what can.
fn end(outcome: Result<Outcome, Unfinished>, name: &str) -> Result<End, Error> {
    use expression::Error as Expression;
    let Unfinished { error, log } = match outcome {
        Ok(outcome) => {
            return Ok(End::Done {
                value: outcome.value,
                messages: outcome.messages,
                log: outcome.log,
                changes: outcome.context_changes,
            });
        }
        Err(unfinished) => unfinished,
    };
    Err(Error::Interrupted(match error {
        Expression::Skipped { message } => return Ok(End::Skipped { message, log }),
        Expression::Host(error) => return Err(of_host(error)),
        // Nothing was evaluated, so nothing counts: whoever asked comes back in a moment.
        Expression::Busy => return Err(Error::World(world::Error::Busy)),
        Expression::Timeout { after } => Interrupted::Deadline {
            millis: u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
            log: logged(log),
        },
        Expression::Memory => Interrupted::Memory { log: logged(log) },
        Expression::WorkerDied(cause) => Interrupted::Died { cause },
        Expression::Unavailable(cause) => Interrupted::Unavailable { cause },
        other => {
            return Ok(End::Failed {
                traceback: other.traceback(name),
                message: other.to_string(),
                log,
            });
        }
    }))
}

fn ended(end: End) -> Result<Ended, Error> {
    match end {
        End::Done {
            value,
            messages,
            log,
            changes,
        } => Ok(Ended::Done {
            value,
            messages,
            log: logged(log),
            changes,
        }),
        End::Skipped { message, log } => Ok(Ended::Skipped {
            message,
            log: logged(log),
        }),
        End::Failed {
            message,
            traceback,
            log,
        } => Err(Error::Failed {
            message,
            traceback,
            log: logged(log),
        }),
    }
}

/// Why the host did not answer.
pub(super) fn unanswered(failure: Failure) -> Error {
    match failure {
        Failure::Raise(raised) => Error::failed(raised.message),
        Failure::Abort(error) => of_host(error),
    }
}

fn of_host(error: Box<dyn std::error::Error + Send + Sync>) -> Error {
    let error = match error.downcast::<expression::Error>() {
        Ok(error) => match *error {
            expression::Error::Host(error) => error,
            other => return Error::failed(other.to_string()),
        },
        Err(error) => error,
    };
    match error.downcast::<world::Error>() {
        Ok(error) => Error::World(*error),
        Err(error) => Error::failed(error.to_string()),
    }
}

fn logged(log: Vec<LogLine>) -> Vec<Logged> {
    let lines = log.into_iter();
    lines
        .map(|line| {
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
        })
        .collect()
}
