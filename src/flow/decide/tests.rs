//! Given a state, when a command comes, then these events; and what holds for all of them.

use std::net::Ipv4Addr;

use serde_json::json;
use uuid::Uuid;

mod laws;
mod waits;

use super::decide;
use crate::flow::client::Client;
use crate::flow::context::Value;
use crate::flow::effect::{Effect, Outcome};
use crate::flow::event::{Check, Errors, Event, FieldError, PasswordProblem};
use crate::flow::input::Canceller;
use crate::flow::model::{InvalidResponseAction, PolicyEngineMode};
use crate::flow::plan::{Pinned, Plan, PlannedStage};
use crate::flow::timer::Deadline;
use crate::flow::verdict::{EngineDecided, PlanChange, Target, When};
use crate::flow::{Command, Execution, Rejection, evolve, fold};

fn pinned(id: u128) -> Pinned {
    let id = Uuid::from_u128(id);
    Pinned { id, version: 1 }
}

fn stage(number: u128) -> PlannedStage {
    PlannedStage {
        binding: pinned(number),
        stage: pinned(100 + number),
        kind: "dummy".to_owned(),
        name: format!("stage {number}"),
        re_evaluate: true,
        on_invalid: InvalidResponseAction::Retry,
        settings: None,
        appended: false,
    }
}

fn plan(stages: u128) -> Command {
    Command::Plan((1..=stages).map(stage).collect::<Plan>())
}

fn start() -> Command {
    Command::Start {
        execution: Uuid::from_u128(1),
        flow: pinned(2),
        slug: "login".to_owned(),
        session: Uuid::from_u128(3),
        client: Client {
            address: Ipv4Addr::LOCALHOST.into(),
            user_agent: String::new(),
            host: "id.example".to_owned(),
            secure: true,
            language: None,
            outpost: None,
            device: None,
            mfa: None,
        },
        query: String::new(),
    }
}

fn ask() -> Command {
    Command::Ask {
        component: "ak-stage-dummy".to_owned(),
        fields: json!({ "name": "stage 1" }),
    }
}

fn receive() -> Command {
    Command::Receive { fields: Vec::new() }
}

fn deny() -> Command {
    Command::Deny {
        check: Check::Next,
        message: "no".to_owned(),
    }
}

fn finish() -> Command {
    let destination = "/".to_owned();
    Command::Finish { destination }
}

fn restart() -> Command {
    Command::Restart {
        keep_context: false,
    }
}

fn identified(user: u128) -> Event {
    let user = Some(Uuid::from_u128(user));
    Event::UserIdentified { user, active: true }
}

/// The state after commands that all make sense.
fn given(commands: Vec<Command>) -> Execution {
    commands
        .into_iter()
        .fold(Execution::default(), |state, command| {
            let events = decide(&state, command).expect("the command makes sense");
            events.iter().fold(state, evolve)
        })
}

#[test]
fn a_command_out_of_place_is_refused_and_says_why() {
    let asked = || vec![start(), plan(1), Command::Enter, ask()];
    let ended = || vec![start(), deny()];
    let cases = [
        (vec![], Command::Enter, Rejection::Unstarted),
        (vec![], finish(), Rejection::Unstarted),
        (vec![start()], start(), Rejection::Started),
        (ended(), start(), Rejection::Started),
        (ended(), Command::Expire, Rejection::Over),
        (ended(), receive(), Rejection::Over),
        (vec![start()], Command::Enter, Rejection::NoStage),
        (vec![start(), plan(0)], ask(), Rejection::NoStage),
        (vec![start(), plan(0)], Command::Pass, Rejection::NoStage),
        (vec![start(), plan(1)], receive(), Rejection::NoChallenge),
        (vec![start(), plan(1)], finish(), Rejection::NotFinished),
        (
            asked(),
            Command::Learn(vec![identified(7), Event::Expired]),
            Rejection::NotAFact,
        ),
    ];
    for (before, command, rejection) in cases {
        let asked = format!("{command:?} after {before:?}");
        assert_eq!(decide(&given(before), command), Err(rejection), "{asked}");
    }
}

#[test]
fn an_answer_is_counted_and_names_the_challenge_that_it_answers() {
    let state = given(vec![start(), plan(1), Command::Enter, ask(), ask()]);
    let events = decide(&state, receive()).expect("a challenge is open");
    assert!(matches!(
        events[..],
        [Event::ResponseReceived { number: 2, .. }]
    ));
}

#[test]
fn a_stage_that_keeps_failing_alike_is_noted_once() {
    let fail = || Command::Fail("no key".to_owned());
    let state = given(vec![start(), plan(1), Command::Enter, fail()]);
    assert_eq!(decide(&state, fail()), Ok(Vec::new()));
    let other = decide(&state, Command::Fail("no lock".to_owned()));
    assert_eq!(other.map(|events| events.len()), Ok(1));
}

#[test]
fn after_a_restart_there_are_no_stages_until_they_are_laid_out_anew() {
    let state = given(vec![start(), plan(2), Command::Enter, ask(), restart()]);
    assert_eq!(decide(&state, Command::Enter), Err(Rejection::NoStage));
    // The flow may not let the visitor in a second time, so it may end here.
    assert!(decide(&state, finish()).is_ok());
    assert!(decide(&state, deny()).is_ok());
}

#[test]
fn a_restart_forgets_who_was_identified_only_when_it_keeps_nothing() {
    for keep_context in [true, false] {
        let state = given(vec![
            start(),
            plan(1),
            Command::Learn(vec![identified(7)]),
            Command::Restart { keep_context },
        ]);
        let running = state.running().expect("it runs");
        assert_eq!(running.identified.is_some(), keep_context);
    }
}

#[test]
fn a_proof_is_gone_as_soon_as_somebody_else_goes_through_the_flow() {
    let set = |key: &str, value: Value| Event::ContextChanged {
        key: key.to_owned(),
        value: Some(value),
        by: "a stage".to_owned(),
    };
    let user = |number: u128| set("pending_user", Value::User(Uuid::from_u128(number)));
    let backend = || set("user_backend", Value::text("a back end"));
    let state = given(vec![start(), Command::Learn(vec![user(1), backend()])]);
    let learns = |facts: Vec<Event>| decide(&state, Command::Learn(facts)).expect("facts");
    // The same user again keeps it, and so does whoever brings one along.
    assert_eq!(learns(vec![user(1)]), vec![user(1)]);
    assert_eq!(learns(vec![backend(), user(2)]), vec![backend(), user(2)]);
    let gone = Event::ContextChanged {
        key: "user_backend".to_owned(),
        value: None,
        by: "a stage".to_owned(),
    };
    assert_eq!(learns(vec![user(2)]), vec![user(2), gone]);
}

fn requested(effect: Uuid) -> Event {
    let what = Effect::Mail {
        template: "email/invitation.html".to_owned(),
    };
    Event::EffectRequested { effect, what }
}

fn set(timer: Uuid, of: Deadline) -> Event {
    let due = jiff::Timestamp::UNIX_EPOCH;
    Event::TimerSet { timer, due, of }
}
