//! Effects that are waited for, and the timers that end them.

use uuid::Uuid;

use super::*;

#[test]
fn the_time_of_an_effect_ends_it_and_whoever_waits_takes_that_up_once() {
    let (effect, timer) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let mut given_so_far = vec![
        start(),
        plan(1),
        Command::Enter,
        Command::Learn(vec![
            requested(effect),
            set(timer, Deadline::Effect { effect }),
        ]),
        Command::Suspend { effect },
    ];
    let state = given(given_so_far.clone());
    assert_eq!(decide(&state, Command::Resume), Err(Rejection::NoOutcome));
    let fires = decide(&state, Command::Fire { timer });
    let outcome = Outcome::TimedOut;
    let finished = Event::EffectFinished { effect, outcome };
    assert_eq!(fires, Ok(vec![Event::TimerFired { timer }, finished]));
    given_so_far.push(Command::Fire { timer });
    let state = given(given_so_far.clone());
    assert_eq!(decide(&state, Command::Fire { timer }), Ok(Vec::new()));
    let resumed = decide(&state, Command::Resume);
    assert_eq!(resumed, Ok(vec![Event::Resumed { effect }]));
    given_so_far.push(Command::Resume);
    let state = given(given_so_far);
    assert_eq!(decide(&state, Command::Resume), Err(Rejection::NoOutcome));
}

#[test]
fn an_outcome_stops_the_timer_and_no_code_outlives_its_stage() {
    let (effect, device) = (Uuid::from_u128(1), Uuid::from_u128(9));
    let timers = |state: &Execution| state.latest().map_or(0, |it| it.timers.len());
    let mut so_far = vec![
        start(),
        plan(1),
        Command::Enter,
        Command::Learn(vec![
            requested(effect),
            set(Uuid::from_u128(2), Deadline::Effect { effect }),
            set(Uuid::from_u128(3), Deadline::Code { device }),
            set(Uuid::from_u128(4), Deadline::Code { device }),
        ]),
    ];
    assert_eq!(
        timers(&given(so_far.clone())),
        2,
        "another code has another time"
    );
    so_far.push(Command::Pass);
    assert_eq!(timers(&given(so_far.clone())), 1);
    let outcome = Outcome::Done;
    so_far.push(Command::Conclude { effect, outcome });
    assert_eq!(timers(&given(so_far)), 0);
}
