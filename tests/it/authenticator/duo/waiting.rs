//! What else can be done while a push waits.

use std::time::Duration;

use serde_json::json;

use super::{LOGIN, Scene, is_logged_in, timed, with_duo};

/// Soon enough for somebody who looks.
const SOON: Duration = Duration::from_secs(1);

#[test]
fn a_push_that_is_approved_lets_in_at_once_and_says_who_asks_for_what() {
    with_duo(async |scene| {
        let (mut visitor, push) = scene.at_push().await;
        // Whoever guessed the password may ask for any host they like.
        let lies = [("host", "login.example.com")];
        let (answer, ()) = tokio::join!(visitor.try_to_answer(&push, &lies), async {
            scene.duo.has_pushed(1).await;
            scene.duo.is_asked().await;
            scene.duo.approves();
        });
        let answer = answer.expect("it is answered");
        visitor.notes(&answer);
        is_logged_in(&mut visitor, &answer).await;
        scene.pushed_once();
        let asked = &scene.duo.pushes()[0].asked;
        assert_eq!(asked["display_username"], scene.alice.username.as_str());
        assert_eq!(asked["type"], "Gatelog Login request");
        assert_eq!(asked["pushinfo"], "Domain=login.example.org");
        let history = scene.server.histories().remove(0);
        let names: Vec<&str> = history
            .iter()
            .filter_map(|event| event["event"].as_str())
            .collect();
        for name in ["push_sent", "mfa_verified", "resumed"] {
            assert!(names.contains(&name), "{name}: {names:?}");
        }
        let sent = history.iter().find(|it| it["event"] == "push_sent");
        let transaction = scene.duo.pushes()[0].transaction.clone();
        assert_eq!(sent.expect("it is there")["transaction"], transaction);
    });
}

#[test]
fn two_tabs_wait_for_one_push() {
    with_duo(async |scene| {
        let (visitor, push) = scene.at_push().await;
        let mut other = visitor.in_another_tab();
        other.opens(LOGIN).await;
        let (one, two, ()) = tokio::join!(
            visitor.try_to_answer(&push, &[]),
            other.try_to_answer(&push, &[]),
            async {
                scene.duo.has_pushed(1).await;
                tokio::time::sleep(Duration::from_millis(500)).await;
                scene.duo.approves();
            }
        );
        for answer in [one, two] {
            answer.expect("it is answered").sees("ak-stage-user-login");
        }
        scene.pushed_once();
    });
}

#[test]
fn whoever_looks_or_gives_up_while_a_push_waits_is_answered_at_once() {
    with_duo(async |scene| {
        let (visitor, push) = scene.at_push().await;
        let mut other = visitor.in_another_tab();
        let (held, ()) = tokio::join!(visitor.try_to_answer(&push, &[]), async {
            scene.duo.has_pushed(1).await;
            scene.duo.is_asked().await;
            let (shown, took) = timed(other.opens(LOGIN)).await;
            shown
                .sees("ak-stage-authenticator-validate")
                .without_errors();
            assert!(took < SOON, "{took:?}");
            let (cancelled, took) = timed(other.gets("/flows/-/cancel/")).await;
            assert!(cancelled.status.is_redirection(), "{cancelled:?}");
            assert!(took < SOON, "{took:?}");
            // Whoever waits need not wait for what matters no more.
            scene.duo.approves();
        });
        held.expect("it is answered");
        assert_eq!(scene.count("cancelled"), 1);
        assert_eq!(scene.count("mfa_verified"), 0);
        scene.pushed_once();
    });
}

#[test]
fn an_answer_that_is_held_for_long_comes_back_without_a_complaint_and_may_be_given_again() {
    with_duo(async |scene| {
        let (mut visitor, push) = scene.at_push().await;
        let before = visitor.challenge.clone();
        let (held, took) = timed(visitor.answers(push.clone())).await;
        held.sees("ak-stage-authenticator-validate")
            .without_errors();
        assert_eq!(visitor.challenge, before, "the same question");
        let bounds = Duration::from_secs(24)..Duration::from_secs(30);
        assert!(bounds.contains(&took), "{took:?}");
        let (answer, ()) = tokio::join!(visitor.try_to_answer(&push, &[]), async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            scene.duo.approves();
        });
        let answer = answer.expect("it is answered");
        visitor.notes(&answer);
        is_logged_in(&mut visitor, &answer).await;
        scene.pushed_once();
    });
}

#[test]
fn a_code_takes_the_place_of_a_push_that_waits_and_the_push_may_be_joined_again() {
    with_duo(async |scene| {
        let (mut visitor, push) = scene.at_push().await;
        scene.asks_and_goes(&visitor, &push).await;
        let (shown, took) = timed(visitor.answers(json!({ "code": "123456" }))).await;
        shown.with_error("code", "invalid");
        assert!(took < SOON, "{took:?}");
        assert_eq!(scene.count("wait_abandoned"), 1);
        let (answer, ()) = tokio::join!(visitor.try_to_answer(&push, &[]), async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            scene.duo.approves();
        });
        let answer = answer.expect("it is answered");
        visitor.notes(&answer);
        is_logged_in(&mut visitor, &answer).await;
        scene.pushed_once();
    });
}

#[test]
fn an_approval_that_came_while_nobody_waited_is_asked_for_again_and_counts() {
    with_duo(async |scene| {
        let (mut visitor, push) = scene.at_push().await;
        scene.asks_and_goes(&visitor, &push).await;
        visitor.answers(json!({ "code": "123456" })).await;
        scene.duo.approves();
        for _ in 0..100 {
            if scene.count("effect_finished") >= 4 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let shown = visitor.answers(push).await;
        is_logged_in(&mut visitor, &shown).await;
        scene.pushed_once();
    });
}

#[test]
fn choosing_the_same_device_joins_the_wait() {
    with_duo(async |scene| {
        let (mut visitor, push) = scene.at_push().await;
        scene.asks_and_goes(&visitor, &push).await;
        let chosen = Scene::chosen(&push);
        let (answer, ()) = tokio::join!(visitor.try_to_answer(&chosen, &[]), async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            scene.duo.approves();
        });
        let answer = answer.expect("it is answered");
        visitor.notes(&answer);
        is_logged_in(&mut visitor, &answer).await;
        scene.pushed_once();
    });
}
