//! How a device is enrolled, by its owner or by an administrator.

use serde_json::{Value, json};

use super::{SETUP, Scene, with_duo};
use crate::support::{Answer, Visitor};

/// The path of a resource of the stage that enrols.
fn path(stage: &str, what: &str) -> String {
    format!("/api/v3/stages/authenticator/duo/{stage}/{what}/")
}

async fn posts(visitor: &Visitor, path: &str, body: &Value) -> Answer {
    let csrf = visitor.cookies().get("authentik_csrf").unwrap_or_default();
    let headers = [
        ("content-type", "application/json"),
        ("x-authentik-csrf", csrf.as_str()),
    ];
    let method = reqwest::Method::POST;
    visitor
        .sends(method, path, &headers, body.to_string())
        .await
}

/// The identifier of the stage that enrols.
async fn stage(scene: &Scene) -> String {
    let somebody = scene.server.person();
    let mut visitor = scene.server.visitor();
    visitor.logs_in(&somebody).await;
    let shown = visitor.opens(SETUP).await.json();
    shown["stage_uuid"].as_str().expect("an id").to_owned()
}

#[test]
fn a_device_is_enrolled_once_duo_says_so_and_the_code_is_in_no_trail() {
    with_duo(async |scene| {
        let bob = scene.server.person();
        let enrolments = scene.duo.enrolments();
        let mut visitor = scene.server.visitor();
        visitor.logs_in(&bob).await;
        let shown = visitor.opens(SETUP).await;
        shown.sees("ak-stage-authenticator-duo");
        let challenge = shown.json();
        let text = |name: &str| challenge[name].as_str().expect("a text").to_owned();
        let (code, picture) = (text("activation_code"), text("activation_barcode"));
        assert!(code.starts_with("duo://"), "{code}");
        let canaries = scene.server.canaries();
        canaries.secret("an activation code", &code);
        canaries.secret("the picture of an activation code", &picture);

        let status = path(&text("stage_uuid"), "enrollment_status");
        let said = posts(&visitor, &status, &json!({})).await;
        said.has_status(200).with("duo_response", "waiting");
        // Whoever is too early looks again.
        let again = visitor.answers(json!({})).await;
        again.sees("ak-stage-authenticator-duo");
        again.with("activation_code", code.as_str());
        again.with("response_errors", json!({}));
        scene.server.kill().await;
        visitor.looks().await.with("activation_code", code.as_str());

        scene.duo.enrolled("success");
        let said = posts(&visitor, &status, &json!({})).await;
        said.has_status(200).with("duo_response", "success");
        visitor.answers(json!({})).await.is_redirected_to("/");
        assert_eq!(scene.duo.enrolments(), enrolments + 1, "asked once");
        assert_eq!(scene.count("device_enrolled"), 2, "Alice's and Bob's");
        // Nothing is enrolled here any more.
        let said = posts(&visitor, &status, &json!({})).await;
        said.has_status(400);
    });
}

#[test]
fn an_enrolment_that_became_invalid_ends_and_one_that_duo_cannot_judge_does_not() {
    with_duo(async |scene| {
        let bob = scene.server.person();
        let mut visitor = scene.server.visitor();
        visitor.logs_in(&bob).await;
        visitor.opens(SETUP).await;
        scene.duo.is_down(true);
        let shown = visitor.answers(json!({})).await;
        shown.with_error("non_field_errors", "unreachable");
        scene.duo.is_down(false);
        scene.duo.enrolled("invalid");
        let end = visitor.answers(json!({})).await;
        end.is_denied("Invalid enrollment status: invalid.");
        assert_eq!(scene.count("device_enrolled"), 1, "Alice's");
    });
}

#[test]
fn where_duo_is_down_nobody_is_enrolled() {
    with_duo(async |scene| {
        let bob = scene.server.person();
        let mut visitor = scene.server.visitor();
        visitor.logs_in(&bob).await;
        scene.duo.is_down(true);
        let end = visitor.opens(SETUP).await;
        end.is_denied("Duo cannot be reached at the moment. Please try again later.");
        // Whoever is not logged in is nobody whom Duo could enrol.
        let mut nobody = scene.server.visitor();
        nobody.opens(SETUP).await.is_denied("Unknown error");
    });
}

#[test]
fn the_status_of_an_enrolment_is_for_whoever_enrols() {
    with_duo(async |scene| {
        let stage = stage(scene).await;
        let stranger = scene.server.visitor();
        let status = path(&stage, "enrollment_status");
        posts(&stranger, &status, &json!({})).await.has_status(400);
        for unknown in ["not-an-id", "0b0f9c3c-3d1c-4a94-9f6c-9a3d6f1b2a10"] {
            let said = posts(&stranger, &path(unknown, "enrollment_status"), &json!({})).await;
            let text = "No AuthenticatorDuoStage matches the given query.";
            said.has_status(404).with("detail", text);
        }
        stranger.gets(&status).await.has_status(405);
    });
}

#[test]
fn an_administrator_imports_devices_one_by_one_or_all_that_have_a_user() {
    with_duo(async |scene| {
        let stage = stage(scene).await;
        let manual = path(&stage, "import_device_manual");
        let automatic = path(&stage, "import_devices_automatic");
        let (bob, carol) = (scene.server.person(), scene.server.person());

        let mut visitor = scene.server.visitor();
        posts(&visitor, &manual, &json!({})).await.has_status(403);
        visitor.logs_in(&bob).await;
        for path in [&manual, &automatic] {
            posts(&visitor, path, &json!({})).await.has_status(403);
        }
        let mut admin = scene.server.visitor();
        admin.logs_in(&scene.server.administrator).await;
        let required = json!(["This field is required."]);
        let said = posts(&admin, &manual, &json!({})).await;
        said.has_status(400)
            .with("duo_user_id", required.clone())
            .with("username", required);
        let body = json!({ "duo_user_id": "DUBOB", "username": "nobody" });
        let said = posts(&admin, &manual, &body).await;
        said.has_status(400)
            .with("non_field_errors", json!(["User does not exist."]));
        let body = json!({ "duo_user_id": "DUBOB", "username": bob.username });
        posts(&admin, &manual, &body).await.has_status(204);
        let said = posts(&admin, &manual, &body).await;
        said.has_status(400)
            .with("non_field_errors", json!(["Device exists already."]));

        scene.duo.knows(&[
            ("DUX", "somebody-else"),
            ("DUBOB", &bob.username),
            ("DUCAROL", &carol.username),
        ]);
        let said = posts(&admin, &automatic, &json!({})).await;
        said.has_status(200).with("error", "").with("count", 1);
        scene.duo.is_down(true);
        let said = posts(&admin, &automatic, &json!({})).await;
        said.has_status(400)
            .with(
                "error",
                "An internal error occurred while importing devices.",
            )
            .with("count", 0);
    });
}
