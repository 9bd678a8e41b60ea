//! What whoever is on call sees of pushes that wait, and what ends them besides their user.

use std::time::Duration;

use serde_json::json;

use super::{Scene, looks_until_it_goes_on, with_duo};
use crate::support::block_on;

/// Longer than it takes until somebody looks whether the user of a push is still there.
const LOOKS: Duration = Duration::from_secs(13);

/// Waits until the server has said this so often; not once more.
async fn says(scene: &Scene, text: &str, count: usize) {
    let said = || scene.server.output().matches(text).count();
    for _ in 0..300 {
        if said() >= count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(said(), count, "{text}: {}", scene.server.output());
}

/// How often Duo has been asked about the only push.
fn polls(scene: &Scene) -> usize {
    scene.duo.pushes()[0].polls
}

/// Changes the user in a way after which nobody may log in as them.
fn changes_user(scene: &Scene, how: &str) {
    let name = &scene.alice.username;
    scene.server.apply(&format!(
        "version: 1\nentries:\n- model: authentik_core.user\n  identifiers:\n    username: {name}\n  {how}\n"
    ));
}

#[test]
fn an_outage_of_duo_is_told_once_and_so_is_its_end() {
    const OUT: &str = "Duo cannot be asked about pushes";
    const OVER: &str = "Duo answers again";
    with_duo(async |scene| {
        let (mut visitor, push) = scene.at_push().await;
        scene.asks_and_goes(&visitor, &push).await;
        scene.duo.is_down(true);
        says(scene, OUT, 1).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        says(scene, OUT, 1).await;
        says(scene, OVER, 0).await;
        scene.duo.is_down(false);
        scene.duo.approves();
        says(scene, OVER, 1).await;
        looks_until_it_goes_on(&mut visitor)
            .await
            .sees("ak-stage-user-login");
    });
}

#[test]
fn a_server_that_starts_says_what_it_takes_up() {
    with_duo(async |scene| {
        let (visitor, push) = scene.at_push().await;
        scene.asks_and_goes(&visitor, &push).await;
        let before = scene.server.output().matches("waits_taken_up=1").count();
        assert_eq!(before, 0);
        scene.server.kill().await;
        says(scene, "waits_taken_up=1", 1).await;
    });
}

#[test]
fn a_push_whose_account_was_deleted_is_for_the_operator_to_mend() {
    with_duo(async |scene| {
        let (mut visitor, push) = scene.at_push().await;
        scene.asks_and_goes(&visitor, &push).await;
        scene.server.apply(
            &json!({
                "version": 1,
                "entries": [{
                    "model": "authentik_stages_authenticator_duo.authenticatorduostage",
                    "identifiers": { "name": "duo-enrols" },
                    "state": "absent",
                }],
            })
            .to_string(),
        );
        scene.server.kill().await;
        let shown = visitor.answers(push).await;
        shown.with_error("duo", "misconfigured");
        assert_eq!(scene.reasons(), ["misconfigured"]);
        assert_eq!(scene.count("effect_outcome_unknown"), 0);
    });
}

#[test]
fn nobody_is_asked_about_the_push_of_a_user_who_is_not_active_any_more() {
    with_duo(async |scene| {
        let (visitor, push) = scene.at_push().await;
        scene.asks_and_goes(&visitor, &push).await;
        let before = scene.count("effect_finished");
        changes_user(scene, "attrs:\n    is_active: false");
        tokio::time::sleep(LOOKS).await;
        assert_eq!(scene.count("effect_finished"), before + 1);
        let asked = polls(scene);
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(polls(scene), asked);
    });
}

#[test]
fn nobody_is_asked_about_the_push_of_a_user_who_was_deleted() {
    // What a user did who was only logged in, such as enrolling the device, cannot be run again once
    // they are deleted; so this server is not checked for that.
    block_on(async {
        let scene = Scene::start().await;
        let (visitor, push) = scene.at_push().await;
        scene.asks_and_goes(&visitor, &push).await;
        changes_user(&scene, "state: absent");
        // The browser looks, so that the execution is given up and its timers with it.
        visitor.gets(&visitor.executor()).await;
        tokio::time::sleep(LOOKS).await;
        let asked = polls(&scene);
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(polls(&scene), asked);
    });
}
