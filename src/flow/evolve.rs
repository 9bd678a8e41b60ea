//! Folds events into the state. Total and without rules: what happened, happened.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::client::Verified;
use super::context::{Context, Value, key};
use super::effect::Outcome;
use super::entry::Entry;
use super::event::Event;
use super::execution::{Challenge, End, Ended, Execution, Link, Running, Wait};
use super::plan::Plan;
use super::timer::{Deadline, Timer};
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
                query,
                ..
            },
        ) => Execution::Running(Box::new(Running {
            execution: *execution,
            flow: *flow,
            slug: slug.clone(),
            session: *session,
            entries: vec![Entry::new(*session, slug, query)],
            planned: false,
            plan: Plan::default(),
            context: Context::default(),
            entered: false,
            challenge: None,
            issued: 0,
            answers: 0,
            password_failures: 0,
            proven: None,
            restarts: 0,
            failure: None,
            identified: None,
            path: Vec::new(),
            appended: Vec::new(),
            decisions: 0,
            failed_policies: None,
            remembered: None,
            verified: None,
            effects: BTreeMap::new(),
            wait: None,
            timers: BTreeMap::new(),
            links: BTreeMap::new(),
            invitation: None,
        })),
        (Execution::Running(running), event) => match end(event) {
            Some(how) => Execution::Ended(Box::new(ended(*running, how))),
            None => Execution::Running(on_the_way(running, event)),
        },
        (Execution::Ended(mut ended), event) => {
            // A mail may be on its way when the visitor is gone already.
            effect(&mut ended.last, event);
            Execution::Ended(ended)
        }
        (state, _) => state,
    }
}

/// Nobody waits for anything any more; what was asked of others still comes to its end.
fn ended(mut last: Running, how: End) -> Ended {
    last.wait = None;
    last.timers.retain(|_, timer| outlives(timer));
    Ended { last, how }
}

fn outlives(timer: &Timer) -> bool {
    matches!(timer.of, Deadline::Effect { .. })
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
        Event::EffectRequested { .. }
        | Event::Suspended { .. }
        | Event::Resumed { .. }
        | Event::WaitAbandoned { .. }
        | Event::TimerSet { .. }
        | Event::TimerFired { .. }
        | Event::EffectFinished { .. }
        | Event::EffectOutcomeUnknown { .. } => effect(&mut running, event),
        Event::LinkIssued { .. }
        | Event::LinkOpened { .. }
        | Event::LinkConsumed { .. }
        | Event::EntryLeft { .. } => link(&mut running, event),
        Event::Redirected { .. } => redirected(&mut running, event),
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
                running.proven = None;
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
            running.wait = None;
        }
        Event::ResponseReceived { .. } => running.answers += 1,
        Event::StageCompleted { stage, .. } => {
            running.plan.0.pop_front();
            running.path.push(stage.clone());
            leave(&mut running);
        }
        Event::StageFailed { error, .. } => running.failure = Some(error.clone()),
        Event::ContextChanged { key, value, .. } => running.context.set(key, value.clone()),
        Event::UserIdentified { .. }
        | Event::SessionEnded { .. }
        | Event::PasswordRejected { .. }
        | Event::PasswordVerified { .. }
        | Event::UserWritten { .. }
        | Event::UserChanged { .. } => proof(&mut running, event),
        Event::SessionStarted { user, device, .. } => {
            running.remembered = device.map(|device| (*user, device));
        }
        Event::MfaRemembered {
            stage,
            device,
            until,
        } => {
            running.verified = Some(Verified {
                stage: *stage,
                device: *device,
                until: *until,
            });
        }
        Event::InvitationUsed {
            reserved: true,
            invitation,
            ..
        } => {
            running.invitation = Some(*invitation);
        }
        Event::InvitationUsed { consumed: true, .. } => running.invitation = None,
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

/// Who somebody says they are, whose password was shown, and which one it was.
fn proof(running: &mut Running, event: &Event) {
    match event {
        Event::UserIdentified { user, active } => {
            running.identified = user.map(|user| (user, *active));
        }
        Event::PasswordRejected { .. } => running.password_failures += 1,
        Event::SessionEnded { .. } => running.remembered = None,
        Event::PasswordVerified { user, set, .. } => {
            running.proven = set.map(|set| (*user, set));
        }
        // Another password that is set here takes nothing from whoever set it.
        Event::UserWritten { fields, .. } | Event::UserChanged { fields, .. }
            if fields.iter().any(|field| field.contains("password")) =>
        {
            running.proven = None;
        }
        _ => {}
    }
}

/// What was asked of the outside, and what came of it.
fn effect(running: &mut Running, event: &Event) {
    match event {
        Event::EffectRequested { effect, what } => {
            running.effects.insert(*effect, what.clone());
        }
        Event::Suspended { effect } => {
            running.wait = Some(Wait {
                effect: *effect,
                what: running.effects.get(effect).cloned(),
                outcome: None,
            });
        }
        Event::Resumed { .. } | Event::WaitAbandoned { .. } => running.wait = None,
        Event::EffectFinished { effect, outcome } => concluded(running, *effect, outcome.clone()),
        Event::EffectOutcomeUnknown { effect } => concluded(running, *effect, Outcome::Unknown),
        Event::TimerSet { timer, due, of } => {
            // A code that was sent again has a new time.
            running.timers.retain(|_, other| other.of != *of);
            let timer_set = Timer { due: *due, of: *of };
            running.timers.insert(*timer, timer_set);
        }
        Event::TimerFired { timer } => {
            running.timers.remove(timer);
        }
        _ => {}
    }
}

/// Whoever waits for it takes it up when they are there; the time for it matters no more.
fn concluded(running: &mut Running, effect: Uuid, outcome: Outcome) {
    running.effects.remove(&effect);
    let of = Deadline::Effect { effect };
    running.timers.retain(|_, timer| timer.of != of);
    if let Some(wait) = running.wait.as_mut().filter(|it| it.effect == effect) {
        wait.outcome = Some(outcome);
    }
}

/// What leads to the execution, and to whom it belongs.
fn link(running: &mut Running, event: &Event) {
    match event {
        Event::LinkIssued {
            link,
            stage,
            user,
            expires,
        } => {
            let issued = Link {
                stage: *stage,
                user: *user,
                expires: *expires,
                opened: 0,
                used: false,
            };
            running.links.insert(*link, issued);
        }
        Event::LinkOpened { link } => {
            if let Some(link) = running.links.get_mut(link) {
                link.opened = link.opened.saturating_add(1);
            }
        }
        Event::LinkConsumed {
            link,
            session,
            query,
        } => {
            // Another link of the same kind must not take it away from here again.
            running.links.retain(|id, other| other.used || id == link);
            if let Some(link) = running.links.get_mut(link) {
                link.used = true;
            }
            let of = Deadline::Link { link: *link };
            running.timers.retain(|_, timer| timer.of != of);
            running.session = *session;
            // It was another browser that showed one.
            running.verified = None;
            let entry = Entry::new(*session, &running.slug, query);
            running.entries.retain(|other| *other != entry);
            running.entries.push(entry);
            let came_by = Value::Object {
                class: "FlowToken".to_owned(),
                id: link.to_string(),
            };
            running.context.set(key::IS_RESTORED, Some(came_by));
            leave(running);
        }
        Event::EntryLeft { session } => running.entries.retain(|it| it.session != *session),
        _ => {}
    }
}

/// Another flow takes over, in the place of the one that led to it.
fn redirected(running: &mut Running, event: &Event) {
    let Event::Redirected {
        flow,
        slug,
        query,
        keep_context,
    } = event
    else {
        return;
    };
    let former = std::mem::replace(&mut running.slug, slug.clone());
    running.flow = *flow;
    running.restarts += 1;
    if !keep_context {
        running.context = Context::default();
        running.identified = None;
        running.proven = None;
    }
    let came_from = Value::Object {
        class: "Flow".to_owned(),
        id: former,
    };
    running.context.set(key::IS_REDIRECTED, Some(came_from));
    // The former address in this browser begins the former flow anew.
    let own = running.session;
    running.entries.retain(|it| it.session != own);
    running.entries.push(Entry::new(own, slug, query));
    running.plan = Plan::default();
    running.appended.clear();
    running.planned = false;
    leave(running);
}

fn leave(running: &mut Running) {
    running.wait = None;
    running.timers.retain(|_, timer| outlives(timer));
    running.failed_policies = None;
    running.entered = false;
    running.challenge = None;
    running.failure = None;
}
