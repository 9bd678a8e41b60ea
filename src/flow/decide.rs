//! State and command in, events out. Reads, never writes.

use uuid::Uuid;

use super::command::{Command, Rejection};
use super::context::{Context, key};
use super::effect::Outcome;
use super::event::Event;
use super::execution::{Execution, Running};
use super::timer::Deadline;
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
        // A mail may be on its way when the visitor is gone already.
        (Execution::Ended(ended), Command::Conclude { effect, outcome }) => {
            Ok(conclude(&ended.last, effect, outcome))
        }
        (Execution::Ended(ended), Command::Fire { timer }) => Ok(fire(&ended.last, timer)),
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
                Ok(with_proof(&running.context, facts))
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
        Command::Suspend { .. }
        | Command::Resume
        | Command::Abandon
        | Command::Fire { .. }
        | Command::Conclude { .. }
        | Command::Open { .. }
        | Command::Confirm { .. }
        | Command::Forget { .. }
        | Command::Redirect { .. } => return from_outside(running, command),
        Command::Cancel(by) => Event::Cancelled { by },
        Command::Expire => Event::Expired,
    };
    Ok(vec![event])
}

/// What concerns others than the visitor who answers: other servers, links, other flows.
fn from_outside(running: &Running, command: Command) -> Result<Vec<Event>, Rejection> {
    let event = match command {
        Command::Suspend { effect } => {
            running.plan.current().ok_or(Rejection::NoStage)?;
            if !running.effects.contains_key(&effect) {
                return Err(Rejection::NoEffect);
            }
            Event::Suspended { effect }
        }
        Command::Resume => {
            let wait = running.wait.as_ref().filter(|it| it.outcome.is_some());
            let effect = wait.ok_or(Rejection::NoOutcome)?.effect;
            Event::Resumed { effect }
        }
        Command::Abandon => {
            let effect = running.wait.as_ref().ok_or(Rejection::NoOutcome)?.effect;
            Event::WaitAbandoned { effect }
        }
        Command::Fire { timer } => return Ok(fire(running, timer)),
        Command::Conclude { effect, outcome } => return Ok(conclude(running, effect, outcome)),
        Command::Open { link } => {
            let known = running.links.get(&link).ok_or(Rejection::NoLink)?;
            // Whoever opens it again and again would fill the journal.
            if known.used || known.opened >= MOST_OPENED {
                return Ok(Vec::new());
            }
            Event::LinkOpened { link }
        }
        Command::Confirm {
            link,
            session,
            query,
        } => {
            let known = running.links.get(&link).ok_or(Rejection::NoLink)?;
            if known.used {
                return Err(Rejection::NoLink);
            }
            Event::LinkConsumed {
                link,
                session,
                query,
            }
        }
        Command::Forget { session } => {
            if session == running.session {
                return Err(Rejection::Own);
            }
            Event::EntryLeft { session }
        }
        Command::Redirect {
            flow,
            slug,
            query,
            keep_context,
        } => {
            running.plan.current().ok_or(Rejection::NoStage)?;
            Event::Redirected {
                flow,
                slug,
                query,
                keep_context,
            }
        }
        _ => return Err(Rejection::NoStage),
    };
    Ok(vec![event])
}

/// How often it is written down that one link was opened.
const MOST_OPENED: u8 = 3;

/// A timer fires once; with the time of an effect, the effect is over.
fn fire(running: &Running, timer: Uuid) -> Vec<Event> {
    let Some(found) = running.timers.get(&timer) else {
        return Vec::new();
    };
    let mut events = vec![Event::TimerFired { timer }];
    if let Deadline::Effect { effect } = found.of {
        events.extend(conclude(running, effect, Outcome::TimedOut));
    }
    events
}

/// An effect is concluded once; whoever says it again has nothing to add.
fn conclude(running: &Running, effect: Uuid, outcome: Outcome) -> Vec<Event> {
    if !running.effects.contains_key(&effect) {
        return Vec::new();
    }
    vec![match outcome {
        Outcome::Unknown => Event::EffectOutcomeUnknown { effect },
        outcome => Event::EffectFinished { effect, outcome },
    }]
}

/// The facts, and what follows from them: a proof is one user's. As soon as somebody else goes
/// through the flow, whoever said so, what the former user proved is gone, unless the same facts
/// bring the proof of the new one along.
fn with_proof(context: &Context, facts: Vec<Event>) -> Vec<Event> {
    let brought: Vec<String> = facts
        .iter()
        .filter_map(changed)
        .map(str::to_owned)
        .collect();
    let mut user = context.get(key::PENDING_USER).cloned();
    let mut all = Vec::with_capacity(facts.len());
    for fact in facts {
        let becomes = match &fact {
            Event::ContextChanged { key, value, by } if key == key::PENDING_USER => {
                Some((value.clone(), by.clone()))
            }
            _ => None,
        };
        all.push(fact);
        let Some((value, by)) = becomes else { continue };
        let is_another = user.is_some() && user != value;
        user = value;
        let gone = PROOF.iter().filter(|proof| {
            is_another && context.get(proof).is_some() && !brought.iter().any(|it| it == *proof)
        });
        all.extend(gone.map(|proof| Event::ContextChanged {
            key: (*proof).to_owned(),
            value: None,
            by: by.clone(),
        }));
    }
    all
}

/// The entries that say how the user showed who they are.
const PROOF: [&str; 3] = [key::USER_BACKEND, key::AUTH_METHOD, key::AUTH_METHOD_ARGS];

/// The entry of the context that an event changes.
fn changed(event: &Event) -> Option<&str> {
    match event {
        Event::ContextChanged { key, .. } => Some(key),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
