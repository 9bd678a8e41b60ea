//! State and command in, events out. Reads, never writes.

use super::command::{Command, Rejection};
use super::event::Event;
use super::execution::{Execution, Running};
use super::verdict::When;

/// The events that `command` leads to in `state`.
///
/// # Errors
/// A [`Rejection`] when the command makes no sense in that state.
pub fn decide(state: &Execution, command: Command) -> Result<Vec<Event>, Rejection> {
    match (state, command) {
        (
            Execution::Unstarted,
            Command::Start {
                execution,
                flow,
                slug,
                session,
                client,
                query,
            },
        ) => Ok(vec![Event::Started {
            execution,
            flow,
            slug,
            session,
            client,
            query,
        }]),
        (Execution::Unstarted, _) => Err(Rejection::Unstarted),
        (_, Command::Start { .. }) => Err(Rejection::Started),
        (Execution::Ended(_), _) => Err(Rejection::Over),
        (Execution::Running(running), command) => on_the_way(running, command),
    }
}

fn on_the_way(running: &Running, command: Command) -> Result<Vec<Event>, Rejection> {
    let current = running.plan.current().ok_or(Rejection::NoStage);
    let event = match command {
        Command::Start { .. } => return Err(Rejection::Started),
        Command::Plan(mut plan) => {
            plan.0.extend(running.appended.iter().cloned());
            Event::Planned { plan }
        }
        Command::Enter => {
            let stage = current?;
            Event::StageEntered {
                binding: stage.binding.id,
                stage: stage.name.clone(),
            }
        }
        Command::Ask { component, fields } => {
            current?;
            Event::ChallengeIssued {
                number: running.issued + 1,
                component,
                fields,
            }
        }
        Command::Receive { fields } => {
            let challenge = running.challenge.as_ref().ok_or(Rejection::NoChallenge)?;
            Event::ResponseReceived {
                number: challenge.number,
                fields,
            }
        }
        Command::Learn(facts) => {
            return if facts.iter().all(Event::is_fact) {
                Ok(facts)
            } else {
                Err(Rejection::NotAFact)
            };
        }
        Command::Reject(errors) => {
            current?;
            Event::ResponseRejected { errors }
        }
        Command::Pass => {
            let stage = current?;
            Event::StageCompleted {
                binding: stage.binding.id,
                stage: stage.name.clone(),
            }
        }
        Command::Skip => {
            let stage = current?;
            Event::StageSkipped {
                binding: stage.binding.id,
                stage: stage.name.clone(),
                when: When::Run,
            }
        }
        Command::Omit { binding, stage } => Event::StageSkipped {
            binding,
            stage,
            when: When::Plan,
        },
        Command::Fail(error) => {
            // A visitor who reloads a failing stage would otherwise fill the journal.
            if running.failure.as_deref() == Some(error.as_str()) {
                return Ok(Vec::new());
            }
            Event::StageFailed {
                stage: current?.name.clone(),
                error,
            }
        }
        Command::Restart { keep_context } => Event::Restarted { keep_context },
        Command::Deny { check, message } => Event::Denied { check, message },
        Command::Finish { destination } => {
            if running.planned && current.is_ok() {
                return Err(Rejection::NotFinished);
            }
            Event::Completed { destination }
        }
        Command::Cancel(by) => Event::Cancelled { by },
        Command::Expire => Event::Expired,
    };
    Ok(vec![event])
}

#[cfg(test)]
mod tests;
