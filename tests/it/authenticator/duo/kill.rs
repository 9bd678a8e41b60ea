//! The server is killed while a push waits. Whatever happens, there is one push.

use std::time::Duration;

use super::{Scene, is_logged_in, looks_until_it_goes_on, with_duo};
use crate::support::duo::Mood;

#[test]
fn a_push_that_is_approved_while_the_server_is_down_lets_in() {
    with_duo(async |scene| {
        let (mut visitor, push) = scene.at_push().await;
        scene.asks_and_goes(&visitor, &push).await;
        scene.server.dies();
        scene.duo.approves();
        scene.server.begin().await;
        let shown = looks_until_it_goes_on(&mut visitor).await;
        is_logged_in(&mut visitor, &shown).await;
        scene.pushed_once();
    });
}

#[test]
fn a_push_that_is_approved_after_a_kill_lets_in() {
    with_duo(async |scene| {
        let (mut visitor, push) = scene.at_push().await;
        scene.asks_and_goes(&visitor, &push).await;
        scene.server.kill().await;
        visitor.looks().await.without_errors();
        let (answer, ()) = tokio::join!(visitor.try_to_answer(&push, &[]), async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            scene.duo.approves();
        });
        let answer = answer.expect("it is held until there is an answer");
        visitor.notes(&answer);
        is_logged_in(&mut visitor, &answer).await;
        scene.pushed_once();
    });
}

#[test]
fn a_push_that_is_denied_while_the_server_is_down_does_not_let_in() {
    with_duo(async |scene| {
        let (mut visitor, push) = scene.at_push().await;
        scene.asks_and_goes(&visitor, &push).await;
        scene.server.dies();
        scene.duo.denies();
        scene.server.begin().await;
        let shown = visitor.answers(push).await;
        shown.with_error("duo", "denied");
        scene.pushed_once();
        assert_eq!(scene.reasons(), ["denied"]);
    });
}

#[test]
fn a_push_whose_time_ran_out_while_the_server_was_down_does_not_let_in() {
    with_duo(async |scene| {
        let (mut visitor, push) = scene.at_push().await;
        scene.asks_and_goes(&visitor, &push).await;
        scene.server.dies();
        scene.duo.approves();
        scene.server.sets("GATELOG_CLOCK_SHIFT", "330");
        scene.server.begin().await;
        let shown = visitor.answers(push).await;
        shown.with_error("duo", "timed_out");
        scene.pushed_once();
        assert_eq!(scene.reasons(), ["timed_out"]);
        assert_eq!(scene.count("timer_fired"), 1);
    });
}

#[test]
fn an_approval_that_is_taken_up_much_later_does_not_let_in() {
    with_duo(async |scene| {
        let (mut visitor, push) = scene.at_push().await;
        scene.asks_and_goes(&visitor, &push).await;
        // Nobody is kept waiting any more when it is approved.
        scene.server.kill().await;
        let before = scene.count("effect_finished");
        scene.duo.approves();
        for _ in 0..100 {
            if scene.count("effect_finished") > before {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        scene.server.sets("GATELOG_CLOCK_SHIFT", "660");
        scene.server.kill().await;
        let shown = visitor.answers(push).await;
        shown.with_error("duo", "timed_out");
        scene.pushed_once();
    });
}

#[test]
fn whether_a_push_was_sent_is_not_known_after_a_kill_in_between_and_it_is_not_repeated() {
    with_duo(async |scene| {
        let (mut visitor, push) = scene.at_push().await;
        scene.duo.is(Mood::SendsAndHangs);
        tokio::select! {
            answer = visitor.try_to_answer(&push, &[]) => panic!("Duo says nothing: {answer:?}"),
            () = scene.duo.has_pushed(1) => {}
        }
        scene.server.kill().await;
        scene.duo.is(Mood::Sends);
        let shown = visitor.answers(push.clone()).await;
        shown.with_error("duo", "unknown");
        visitor
            .answers(push.clone())
            .await
            .with_error("duo", "unknown");
        scene.pushed_once();
        assert_eq!(scene.reasons(), ["unknown"]);
        assert_eq!(scene.count("effect_outcome_unknown"), 1);
        // Another choice is another attempt.
        let chosen = Scene::chosen(&push);
        let (answer, ()) = tokio::join!(visitor.try_to_answer(&chosen, &[]), async {
            scene.duo.has_pushed(2).await;
            scene.duo.approves();
        });
        let answer = answer.expect("it is answered");
        visitor.notes(&answer);
        is_logged_in(&mut visitor, &answer).await;
        assert_eq!(scene.duo.pushes().len(), 2);
    });
}

#[test]
fn a_client_that_is_gone_for_good_leaves_an_execution_that_can_be_cancelled() {
    with_duo(async |scene| {
        let (visitor, push) = scene.at_push().await;
        scene.asks_and_goes(&visitor, &push).await;
        scene.server.kill().await;
        scene.duo.approves();
        for _ in 0..100 {
            if scene.count("mfa_verified") > 0 || scene.count("effect_finished") >= 4 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(scene.count("mfa_verified"), 0, "nobody took it up");
        assert_eq!(scene.count("effect_finished"), 4, "two of the enrolment");
        scene.pushed_once();
        let cancelled = visitor.gets("/flows/-/cancel/").await;
        assert!(cancelled.status.is_redirection(), "{cancelled:?}");
        assert_eq!(scene.count("cancelled"), 1);
    });
}
