//! Folds events into the state. Total and without rules: what happened, happened.

use super::context::Context;
use super::event::Event;
use super::execution::{Challenge, End, Ended, Execution, Running};
use super::plan::Plan;
use super::verdict::When;

/// The state after all of `events`.
pub fn fold<'a>(events: impl IntoIterator<Item = &'a Event>) -> Execution {
    events.into_iter().fold(Execution::default(), evolve)
}

/// The state after one more event.
#[must_use]
pub fn evolve(state: Execution, event: &Event) -> Execution {
    match (state, event) {
        (
            Execution::Unstarted,
            Event::Started {
                execution,
                flow,
                slug,
                session,
                ..
            },
        ) => Execution::Running(Box::new(Running {
            execution: *execution,
            flow: *flow,
            slug: slug.clone(),
            session: *session,
            planned: false,
            plan: Plan::default(),
            context: Context::default(),
            entered: false,
            challenge: None,
            issued: 0,
            answers: 0,
            password_failures: 0,
            restarts: 0,
            failure: None,
            identified: None,
            path: Vec::new(),
            appended: Vec::new(),
            decisions: 0,
            failed_policies: None,
            remembered: None,
        })),
        (Execution::Running(running), event) => match end(event) {
            Some(how) => Execution::Ended(Box::new(Ended {
                last: *running,
                how,
            })),
            None => Execution::Running(on_the_way(running, event)),
        },
        (state, _) => state,
    }
}

fn end(event: &Event) -> Option<End> {
    match event {
        Event::Completed { destination } => Some(End::Completed {
            destination: destination.clone(),
        }),
        Event::Denied { check, message } => Some(End::Denied {
            check: check.clone(),
            message: message.clone(),
        }),
        Event::Cancelled { .. } => Some(End::Cancelled),
        Event::Expired => Some(End::Expired),
        _ => None,
    }
}

fn on_the_way(mut running: Box<Running>, event: &Event) -> Box<Running> {
    match event {
        Event::Planned { plan } => {
            running.plan = plan.clone();
            running.appended.clear();
            running.planned = true;
            leave(&mut running);
        }
        Event::Restarted { keep_context } => {
            running.restarts += 1;
            // Until the stages are laid out anew there are none: the flow may not let this
            // visitor in a second time. What did not come from the flow comes after them again.
            let plan = std::mem::take(&mut running.plan);
            let appended = plan.0.into_iter().filter(|stage| stage.appended);
            running.appended.extend(appended);
            running.planned = false;
            leave(&mut running);
            if !keep_context {
                running.context = running.context.entry();
                running.identified = None;
            }
        }
        Event::StageEntered { .. } => running.entered = true,
        Event::ChallengeIssued {
            number, component, ..
        } => {
            running.issued = *number;
            running.challenge = Some(Challenge {
                number: *number,
                component: component.clone(),
            });
            running.failure = None;
        }
        Event::ResponseReceived { .. } => running.answers += 1,
        Event::StageCompleted { stage, .. } => {
            running.plan.0.pop_front();
            running.path.push(stage.clone());
            leave(&mut running);
        }
        Event::StageFailed { error, .. } => running.failure = Some(error.clone()),
        Event::ContextChanged { key, value, .. } => running.context.set(key, value.clone()),
        Event::UserIdentified { user, active } => {
            running.identified = user.map(|user| (user, *active));
        }
        Event::PasswordRejected { .. } => running.password_failures += 1,
        Event::SessionStarted { user, device, .. } => {
            running.remembered = device.map(|device| (*user, device));
        }
        Event::SessionEnded { .. } => running.remembered = None,
        Event::EngineDecided(decided) => {
            running.decisions += 1;
            running.failed_policies = Some(decided.failed.clone());
        }
        Event::StageSkipped {
            when: When::Run, ..
        } => {
            running.plan.0.pop_front();
            leave(&mut running);
        }
        Event::PlanChanged { change, .. } => {
            running.plan.change(change);
            if change.moves_current() {
                leave(&mut running);
            }
        }
        _ => {}
    }
    running
}

fn leave(running: &mut Running) {
    running.failed_policies = None;
    running.entered = false;
    running.challenge = None;
    running.failure = None;
}
