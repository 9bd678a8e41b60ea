//! Ends and troubles that need an operator's mistake, an attack or great patience.

use serde_json::{Value, json};

use super::Way;
use super::recorded::{Recorded, denied, entered, event, known, passed, pinned, stage};
use crate::flow::Event;

fn ends(check: Value) -> Event {
    event(json!({"event": "denied", "check": check, "message": "no"}))
}

fn complains(field: &str, text: &str) -> Event {
    event(json!({
        "event": "response_rejected",
        "errors": {field: [{"string": text, "code": "invalid"}]},
    }))
}

#[test]
fn a_stage_of_which_nothing_more_is_known() {
    Recorded::of(&["dummy"])
        .is_asked_by("dummy")
        .answers("x", vec![denied("dummy", "Come back tomorrow, alice.")])
        .is(Way::StageRefused);
}

#[test]
fn a_requirement_whose_flow_is_gone() {
    Recorded::of(&[])
        .sees(vec![ends(json!({"check": "requirement"}))])
        .is(Way::Requirement);
}

#[test]
fn a_mistake_of_the_operator() {
    let problem = event(json!({
        "event": "configuration_error", "what": "the stage my-email",
        "problem": "the template says teapot",
    }));
    Recorded::of(&["email"])
        .sees(vec![
            entered("email"),
            problem.clone(),
            denied("email", "Unknown error"),
        ])
        .is(Way::Misconfigured);
    let mut told = Recorded::of(&["captcha", "dummy"]);
    let asked = told.asked();
    told.sees(vec![entered("captcha"), problem, asked])
        .is(Way::ConfigurationError);
}

#[test]
fn the_limits_that_nobody_reaches_by_accident() {
    let mut told = Recorded::of(&["dummy"]).is_asked_by("dummy");
    for _ in 0..500 {
        told = told.answers("x", vec![complains("x", "No.")]);
    }
    let attempts = || ends(json!({"check": "attempts"}));
    told.answers_late(vec![attempts()]).is(Way::TooManyAnswers);

    let decided = || {
        event(json!({
            "event": "engine_decided", "mode": "all", "passing": true,
            "target": {"of": "binding", "binding": stage("dummy").binding.id, "stage": "my-dummy"},
        }))
    };
    let mut told = Recorded::of(&["dummy"]).is_asked_by("dummy");
    for _ in 0..200 {
        told = told.sees((0..10).map(|_| decided()).collect());
    }
    told.sees(vec![attempts()]).is(Way::TooManyDecisions);

    let mut again: Vec<Event> = (0..201).map(|_| entered("dummy")).collect();
    again.push(attempts());
    Recorded::of(&["dummy"]).sees(again).is(Way::TooManyTurns);
}

#[test]
fn an_invitation_that_somebody_else_used() {
    let why = event(json!({
        "event": "refused", "why": "the invitation is in use by another execution",
    }));
    Recorded::of(&["dummy"])
        .is_asked_by("dummy")
        .answers("x", vec![why, ends(json!({"check": "link"}))])
        .is(Way::InvitationGone);
}

#[test]
fn what_others_gave_up_for_the_visitor() {
    for (way, by) in [(Way::UsedElsewhere, "binding"), (Way::Replaced, "operator")] {
        Recorded::of(&["password"])
            .is_asked_by("password")
            .hears(vec![event(json!({"event": "cancelled", "by": by}))])
            .is(way);
    }
}

#[test]
fn one_that_made_way_for_others() {
    Recorded::of(&["identification"])
        .is_asked_by("identification")
        .hears(vec![Event::Expired])
        .is(Way::Expelled);
}

#[test]
fn one_that_asks_nothing() {
    Recorded::of(&["dummy"]).is(Way::Idle);
}

#[test]
fn policies_that_fail_or_change_the_flow() {
    let failed = event(json!({
        "event": "policy_failed", "binding": pinned(5), "policy": pinned(6), "name": "office hours",
        "kind": "expression", "passing": true, "error": "'alice'", "micros": 9,
        "traceback": "Traceback:\n  line 1\nKeyError: 'alice'",
    }));
    let decided = event(json!({
        "event": "engine_decided", "mode": "any", "passing": true, "failed": [pinned(6).id],
        "target": {"of": "binding", "binding": stage("dummy").binding.id, "stage": "my-dummy"},
    }));
    let mut told = Recorded::of(&["dummy"]);
    let asked = told.asked();
    told.sees(vec![failed, decided, entered("dummy"), asked])
        .is(Way::PolicyFailed);

    let insert = |did: &str, at: Option<u8>| {
        let stage = json!(stage("deny"));
        let mut change = json!({"did": did, "stage": stage});
        if let Some(at) = at {
            change["at"] = json!(at);
        }
        event(json!({"event": "plan_changed", "change": change, "by": "office hours"}))
    };
    Recorded::of(&["dummy", "user_login"])
        .is_asked_by("dummy")
        .sees(vec![insert("append", None), insert("insert", Some(1))])
        .is(Way::PlanChanged);
    Recorded::of(&["dummy", "user_login"])
        .is_asked_by("dummy")
        .sees(vec![insert("redirect", None)])
        .is(Way::PlaceTaken);
}

#[test]
fn an_expression_that_is_no_policy() {
    let failed = event(json!({
        "event": "expression_failed", "of": "the initial value of colour", "error": "no teapot",
    }));
    let mut told = Recorded::of(&["prompt"]);
    let asked = told.asked();
    told.sees(vec![entered("prompt"), failed, asked])
        .is(Way::ExpressionFailed);
}

#[test]
fn what_was_typed_and_refused_by_policies() {
    let said_no = event(json!({
        "event": "policy_evaluated", "binding": null, "policy": pinned(6), "name": "no teapots",
        "kind": "expression", "passing": false, "messages": ["A teapot, alice?"], "micros": 9,
    }));
    let decided = event(json!({
        "event": "engine_decided", "mode": "all", "passing": false,
        "target": {"of": "prompt", "stage": stage("prompt").stage.id, "name": "my-prompt"},
    }));
    let mut told = Recorded::of(&["prompt"]).is_asked_by("prompt");
    let asked = told.asked();
    let refused = complains("non_field_errors", "A teapot, alice?");
    told.answers("thing", vec![said_no, decided, refused, asked])
        .is(Way::PromptPolicies);
}

#[test]
fn something_that_was_refused_without_an_end() {
    let why =
        event(json!({"event": "refused", "why": "a code was typed where none was asked for"}));
    let mut told = Recorded::of(&["authenticator_validate"]).is_asked_by("authenticator_validate");
    let asked = told.asked();
    let refused = complains("code", "No compatible device class allowed");
    told.answers("code", vec![why, refused, asked])
        .is(Way::Refused);
}

#[test]
fn an_answer_from_an_old_tab() {
    let mut told = Recorded::of(&["identification", "dummy", "password"])
        .is_asked_by("identification")
        .answers("x", known());
    let asked = told.asked();
    let skipped = event(json!({
        "event": "stage_skipped", "binding": stage("dummy").binding.id, "stage": "my-dummy",
        "when": "run",
    }));
    told.sees(vec![passed("identification"), entered("dummy")])
        .answers_late(vec![skipped, entered("password"), asked])
        .is(Way::Stale);
}

#[test]
fn groups_and_users_that_are_shut_out() {
    let decided = event(json!({
        "event": "engine_decided", "mode": "any", "passing": false,
        "target": {"of": "flow", "flow": pinned(1).id, "slug": "login"},
        "members": [
            {"binding": pinned(5), "group": pinned(8).id, "passing": false},
            {"binding": pinned(6), "user": pinned(9).id, "passing": false},
        ],
    }));
    let told = Recorded::of(&[]).sees(vec![decided, ends(json!({"check": "policies"}))]);
    let why = told.why();
    assert_eq!(why.way, Way::FlowPolicies);
    let text = "because the visitor is not one of the groups and users for whom it is.";
    assert!(why.help_desk.contains(text), "{}", why.help_desk);
    assert!(
        why.text.contains(&format!("group {}", pinned(8).id)),
        "{}",
        why.text
    );
}

#[test]
fn nothing_is_told_of_what_never_began() {
    assert_eq!(crate::replay::why::why(&[], None), None);
}
