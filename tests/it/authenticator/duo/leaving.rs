//! A browser that goes away while its answer is held, and what it finds when it comes again.

use std::time::Duration;

use serde_json::Value;

use super::{Scene, is_logged_in, with_duo};
use crate::support::Visitor;

/// Longer than the former secret of a session counts after a login.
const LONG: Duration = Duration::from_secs(12);

/// Somebody asks for a push and goes; then it is approved, and the server knows.
async fn is_approved_while_nobody_is_there(scene: &Scene, visitor: &Visitor, push: &Value) {
    let before = scene.count("effect_finished");
    scene.asks_and_goes(visitor, push).await;
    scene.duo.approves();
    for _ in 0..100 {
        // The push, and what became of it.
        if scene.count("effect_finished") >= before + 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(LONG).await;
}

#[test]
fn an_approval_that_comes_when_the_browser_has_gone_lets_it_in_when_it_looks_again() {
    with_duo(async |scene| {
        let (mut visitor, push) = scene.at_push().await;
        is_approved_while_nobody_is_there(scene, &visitor, &push).await;
        assert_eq!(scene.count("mfa_verified"), 0, "nobody was there");
        let shown = visitor.looks().await;
        is_logged_in(&mut visitor, &shown).await;
        visitor.gets("/api/v3/core/users/me/").await.has_status(200);
        scene.pushed_once();
    });
}

#[test]
fn an_approval_that_comes_when_the_browser_has_gone_lets_it_in_when_it_answers_again() {
    with_duo(async |scene| {
        let (mut visitor, push) = scene.at_push().await;
        is_approved_while_nobody_is_there(scene, &visitor, &push).await;
        let shown = visitor.answers(push).await;
        is_logged_in(&mut visitor, &shown).await;
        scene.pushed_once();
    });
}

#[test]
fn whoever_stays_is_let_in_although_another_tab_has_gone() {
    with_duo(async |scene| {
        let (mut visitor, push) = scene.at_push().await;
        scene.asks_and_goes(&visitor.in_another_tab(), &push).await;
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
