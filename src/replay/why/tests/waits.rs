//! What executions wait for, and what comes of it.

use serde_json::{Value, json};

use super::Way;
use super::recorded::{DEVICE, EFFECT, Recorded, entered, event, pinned};
use crate::flow::Event;

const VALIDATE: &str = "authenticator_validate";

fn requested(what: Value) -> Event {
    event(json!({"event": "effect_requested", "effect": EFFECT, "what": what}))
}

fn waiting(kind: &str, what: Value) -> Recorded {
    let told = Recorded::of(&[kind, "user_login"]).is_asked_by(kind);
    told.answers(
        "token",
        vec![requested(what), Event::Suspended { effect: EFFECT }],
    )
}

fn finished(outcome: Value) -> Event {
    event(json!({"event": "effect_finished", "effect": EFFECT, "outcome": outcome}))
}

fn captcha() -> Value {
    json!({"kind": "captcha", "url": "https://captcha.example/verify"})
}

fn sms() -> Value {
    json!({"kind": "sms", "provider": "sms.example"})
}

#[test]
fn each_wait_has_its_text() {
    let id = pinned(3).id;
    for (way, kind, what) in [
        (Way::AwaitsCaptcha, "captcha", captcha()),
        (Way::AwaitsMessage, "authenticator_sms", sms()),
        (
            Way::AwaitsPush,
            VALIDATE,
            json!({"kind": "push", "device": DEVICE}),
        ),
        (
            Way::AwaitsApproval,
            VALIDATE,
            json!({"kind": "push_status", "stage": id, "transaction": "t"}),
        ),
        (
            Way::AwaitsEnrolment,
            "authenticator_duo",
            json!({"kind": "duo_enrolment", "stage": id}),
        ),
        (
            Way::AwaitsEnrolled,
            "authenticator_duo",
            json!({"kind": "duo_enrolment_status", "stage": id}),
        ),
        (Way::AwaitsPause, VALIDATE, json!({"kind": "pause"})),
        (
            Way::AwaitsMail,
            "email",
            json!({"kind": "mail", "template": "email/password_reset.html"}),
        ),
    ] {
        waiting(kind, what).is(way);
    }
}

#[test]
fn what_came_and_was_not_taken_up() {
    waiting("captcha", captcha())
        .hears(vec![finished(json!({"came_to": "answered", "answer": {}}))])
        .is(Way::NotTakenUp);
}

#[test]
fn what_came_to_nothing() {
    for (way, came) in [
        (
            Way::EffectFailed,
            finished(json!({"came_to": "failed", "problem": "the number +49123 is none"})),
        ),
        (
            Way::EffectTimedOut,
            finished(json!({"came_to": "timed_out"})),
        ),
        (
            Way::EffectUnknown,
            event(json!({"event": "effect_outcome_unknown", "effect": EFFECT})),
        ),
    ] {
        waiting("authenticator_sms", sms())
            .hears(vec![came])
            .is(way);
    }
}

#[test]
fn what_the_visitor_waited_for_no_longer() {
    let mut told = waiting(VALIDATE, json!({"kind": "push", "device": DEVICE}));
    let wrong = event(json!({
        "event": "mfa_rejected", "class": "code", "reason": {"because": "wrong"},
    }));
    let asked = told.asked();
    let abandoned = Event::WaitAbandoned { effect: EFFECT };
    told.answers("code", vec![abandoned, wrong, asked])
        .is(Way::Abandoned);
}

#[test]
fn a_captcha_that_was_not_good_enough() {
    let mut told = waiting("captcha", captcha())
        .hears(vec![finished(json!({"came_to": "answered", "answer": {}}))]);
    let assessed = event(json!({
        "event": "captcha_assessed", "passed": false, "score": 0.1,
        "codes": ["timeout-or-duplicate"],
    }));
    let rejected = event(json!({
        "event": "response_rejected",
        "errors": {"token": [{"string": "Invalid captcha response", "code": "invalid"}]},
    }));
    let asked = told.asked();
    told.takes_up(vec![assessed, rejected, asked])
        .is(Way::CaptchaFailed);
}

#[test]
fn a_code_that_ran_out() {
    let timer = pinned(9).id;
    let set = event(json!({
        "event": "timer_set", "timer": timer, "due": "2026-01-01T00:00:10Z",
        "of": {"for": "code", "device": DEVICE},
    }));
    let mut told = Recorded::of(&["authenticator_email"]);
    let asked = told.asked();
    told.sees(vec![entered("authenticator_email"), set, asked])
        .hears(vec![Event::TimerFired { timer }])
        .is(Way::CodeRanOut);
}
