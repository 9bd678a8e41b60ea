//! Why a push does not let in, told apart; and how many there may be.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Scene, is_logged_in, timed, with_duo};
use crate::support::duo::Mood;
use crate::support::{Answer, Visitor};

/// Asks for a push about which somebody decides as soon as it is there.
async fn decided(
    scene: &Scene,
    visitor: &mut Visitor,
    body: &Value,
    decision: (&'static str, &'static str),
) -> Answer {
    let pushes = scene.duo.pushes().len();
    let (answer, ()) = tokio::join!(visitor.try_to_answer(body, &[]), async {
        scene.duo.has_pushed(pushes + 1).await;
        scene.duo.decides(decision.0, decision.1);
    });
    let answer = answer.expect("it is answered");
    visitor.notes(&answer);
    answer
}

#[track_caller]
fn complains(answer: &Answer, code: &str, text: &str) {
    answer.sees("ak-stage-authenticator-validate");
    let expected = json!({ "duo": [{ "string": text, "code": code }] });
    assert_eq!(answer.json()["response_errors"], expected, "{answer:?}");
}

#[test]
fn a_denial_is_final_for_its_attempt_and_whoever_insists_is_sent_away() {
    with_duo(async |scene| {
        let (mut visitor, push) = scene.at_push().await;
        let denied = ("deny", "deny");
        let shown = decided(scene, &mut visitor, &push, denied).await;
        complains(&shown, "denied", "Duo denied access");
        for _ in 0..2 {
            let (shown, took) = timed(visitor.answers(push.clone())).await;
            complains(&shown, "denied", "Duo denied access");
            let bounds = Duration::from_secs(4)..Duration::from_secs(10);
            assert!(bounds.contains(&took), "{took:?}");
        }
        let end = visitor.answers(push).await;
        end.is_denied("Duo denied access");
        scene.pushed_once();
        assert_eq!(scene.reasons(), ["denied"]);
    });
}

#[test]
fn after_a_denial_another_choice_is_another_attempt() {
    with_duo(async |scene| {
        let (mut visitor, push) = scene.at_push().await;
        let shown = decided(scene, &mut visitor, &push, ("deny", "fraud")).await;
        complains(&shown, "denied", "Duo denied access");
        let mut choice = Scene::chosen(&push);
        choice.as_object_mut().expect("an object").remove("duo");
        visitor
            .answers(choice)
            .await
            .with_error("non_field_errors", "invalid");
        let shown = decided(scene, &mut visitor, &push, ("allow", "allow")).await;
        is_logged_in(&mut visitor, &shown).await;
        assert_eq!(scene.duo.pushes().len(), 2);
    });
}

#[test]
fn a_push_that_nobody_answers_in_time_is_told_from_a_denial() {
    with_duo(async |scene| {
        let (mut visitor, push) = scene.at_push().await;
        let shown = decided(scene, &mut visitor, &push, ("deny", "timeout")).await;
        let text = "The Duo push was not answered in time. Choose Duo again to get another one.";
        complains(&shown, "timed_out", text);
        let again = visitor.answers(push).await;
        complains(&again, "timed_out", text);
        scene.pushed_once();
        assert_eq!(scene.reasons(), ["timed_out"]);
    });
}

#[test]
fn what_the_operator_has_to_mend_is_told_from_what_passes() {
    with_duo(async |scene| {
        let (mut visitor, push) = scene.at_push().await;
        scene.duo.is(Mood::Refuses);
        let shown = visitor.answers(push.clone()).await;
        let text = "Duo cannot be used here at the moment. Please contact an administrator.";
        complains(&shown, "misconfigured", text);
        // What the server writes is read by another thread.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let output = scene.server.output();
        assert!(
            output.contains("Received 401 Invalid integration key"),
            "{output}"
        );
        scene.duo.is(Mood::Fails);
        let shown = visitor.answers(Scene::chosen(&push)).await;
        let text = "Duo cannot be reached at the moment. Choose another way, or try again later.";
        complains(&shown, "unreachable", text);
        assert_eq!(scene.reasons(), ["misconfigured", "unreachable"]);
        assert_eq!(scene.count("configuration_error"), 1);
        assert_eq!(scene.duo.pushes().len(), 0);
    });
}

#[test]
fn duo_is_asked_again_where_it_wants_to_be_asked_less_often_or_is_down_for_a_while() {
    with_duo(async |scene| {
        let (mut visitor, push) = scene.at_push().await;
        scene.duo.is(Mood::Throttles(1));
        let (answer, ()) = tokio::join!(visitor.try_to_answer(&push, &[]), async {
            scene.duo.has_pushed(1).await;
            scene.duo.is_asked().await;
            scene.duo.is_down(true);
            tokio::time::sleep(Duration::from_secs(2)).await;
            scene.duo.is_down(false);
            scene.duo.approves();
        });
        let answer = answer.expect("it is answered");
        visitor.notes(&answer);
        is_logged_in(&mut visitor, &answer).await;
        scene.pushed_once();
    });
}

#[test]
fn nobody_gets_more_than_three_pushes_in_ten_minutes_that_they_do_not_approve() {
    with_duo(async |scene| {
        for _ in 0..3 {
            let (mut visitor, push) = scene.at_push().await;
            let shown = decided(scene, &mut visitor, &push, ("deny", "deny")).await;
            shown.with_error("duo", "denied");
        }
        let (mut visitor, push) = scene.at_push().await;
        let shown = visitor.answers(push.clone()).await;
        let text = "Too many Duo pushes went unanswered. Choose another way, or try again later.";
        complains(&shown, "throttled", text);
        assert_eq!(scene.duo.pushes().len(), 3);
        scene.server.sets("GATELOG_CLOCK_SHIFT", "601");
        scene.server.kill().await;
        let shown = decided(scene, &mut visitor, &push, ("allow", "allow")).await;
        is_logged_in(&mut visitor, &shown).await;
    });
}

#[test]
fn a_device_of_somebody_else_is_no_device() {
    with_duo(async |scene| {
        let bob = scene.server.person();
        scene.enrols(&bob).await;
        let (_, theirs) = scene.at_push().await;
        let mut visitor = scene.server.visitor();
        visitor.opens(super::LOGIN).await;
        let who = json!({ "uid_field": bob.username });
        visitor.answers(who).await;
        let what = json!({ "password": bob.password });
        visitor.answers(what).await;
        for push in [theirs, json!({ "duo": 1 })] {
            complains(&visitor.answers(push).await, "invalid", "Invalid device");
        }
        visitor
            .answers(json!({ "duo": "x" }))
            .await
            .with_error("duo", "invalid");
        assert_eq!(scene.duo.pushes().len(), 0);
    });
}
