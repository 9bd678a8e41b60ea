//! Logging in by the default flow, as a program does.

use serde_json::json;

use crate::support::{Flow, LOGIN, with_server};

const ME: &str = "/api/v3/core/users/me/";

#[test]
fn a_login_goes_from_the_name_to_the_password_to_the_start_page() {
    with_server(async |server| {
        let alice = server.person();
        let mut visitor = server.visitor();
        let before = visitor.gets(ME).await;
        before.has_status(403);
        assert_eq!(
            before.json()["detail"],
            "Authentication credentials were not provided."
        );
        let first = visitor.opens(LOGIN).await;
        first
            .sees("ak-stage-identification")
            .with("user_fields", json!(["email", "username"]))
            .with("password_fields", false)
            .with("flow_designation", "authentication")
            .with("primary_action", "Log in")
            .with("captcha_stage", json!(null))
            .with("passkey_challenge", json!(null))
            .with("sources", json!([]));
        let second = visitor
            .answers(json!({ "uid_field": alice.username }))
            .await;
        second
            .sees("ak-stage-password")
            .with("pending_user", alice.username.as_str())
            .without_errors();
        assert!(second.json()["pending_user_avatar"].is_string());
        let wrong = visitor
            .answers(json!({ "password": "not-the-password" }))
            .await;
        wrong
            .sees("ak-stage-password")
            .with_error("password", "invalid");
        let said = &wrong.json()["response_errors"]["password"][0]["string"];
        assert_eq!(said, "Invalid password");
        let anonymous = visitor.cookies().get("authentik_session");
        assert_eq!(visitor.cookies().claims()["authenticated"], false);
        let right = visitor.answers(json!({ "password": alice.password })).await;
        right.is_redirected_to("/");
        assert_ne!(visitor.cookies().get("authentik_session"), anonymous);
        let claims = visitor.cookies().claims();
        assert_eq!(claims["authenticated"], true);
        assert_eq!(claims["iss"], "authentik");
        assert_eq!(claims["acr"], "goauthentik.io/core/default");
        let me = visitor.gets(ME).await;
        me.has_status(200);
        assert_eq!(me.json()["user"]["username"], alice.username);
        assert_eq!(me.json()["user"]["name"], alice.name);
        assert_eq!(me.json()["user"]["email"], alice.mail);
    });
}

#[test]
fn the_mail_address_is_as_good_as_the_name_in_any_case() {
    with_server(async |server| {
        let alice = server.person();
        for typed in [
            alice.mail.clone(),
            alice.mail.to_uppercase(),
            alice.username.to_uppercase(),
            format!("  {}  ", alice.username),
        ] {
            let mut visitor = server.visitor();
            visitor.opens(LOGIN).await;
            visitor.answers(json!({ "uid_field": typed })).await;
            let end = visitor.answers(json!({ "password": alice.password })).await;
            end.is_redirected_to("/");
        }
    });
}

#[test]
fn a_stranger_is_asked_for_a_password_like_anybody() {
    with_server(async |server| {
        let alice = server.person();
        let mut visitor = server.visitor();
        visitor.opens(LOGIN).await;
        let asked = visitor
            .answers(json!({ "uid_field": "nobody-has-this-name" }))
            .await;
        asked
            .sees("ak-stage-password")
            .with("pending_user", "nobody-has-this-name")
            .without_errors();
        for password in ["anything-at-all", &alice.password] {
            let refused = visitor.answers(json!({ "password": password })).await;
            refused.sees("ak-stage-password");
            refused.with_error("password", "invalid");
            let said = &refused.json()["response_errors"]["password"][0]["string"];
            assert_eq!(said, "Invalid password");
        }
    });
}

#[test]
fn somebody_who_was_made_inactive_cannot_log_in_and_is_not_told_why() {
    with_server(async |server| {
        let alice = server.person();
        server.apply(&format!(
            "version: 1\nentries:\n- model: authentik_core.user\n  identifiers: \
             {{username: {}}}\n  attrs: {{is_active: false}}\n",
            alice.username
        ));
        let mut visitor = server.visitor();
        visitor.opens(LOGIN).await;
        visitor
            .answers(json!({ "uid_field": alice.username }))
            .await
            .sees("ak-stage-password");
        let refused = visitor.answers(json!({ "password": alice.password })).await;
        refused
            .sees("ak-stage-password")
            .with_error("password", "invalid");
        visitor.gets(ME).await.has_status(403);
    });
}

#[test]
fn somebody_who_is_made_inactive_is_logged_out() {
    with_server(async |server| {
        let alice = server.person();
        let mut visitor = server.visitor();
        visitor.logs_in(&alice).await;
        visitor.gets(ME).await.has_status(200);
        server.apply(&format!(
            "version: 1\nentries:\n- model: authentik_core.user\n  identifiers: \
             {{username: {}}}\n  attrs: {{is_active: false}}\n",
            alice.username
        ));
        visitor.gets(ME).await.has_status(403);
    });
}

#[test]
fn stages_after_the_login_still_run() {
    with_server(async |server| {
        let alice = server.person();
        let flow = Flow::new("long").identification_and_password();
        let flow = flow.stage("user_login", "long-login", json!({}));
        server.has_flow(&flow.dummy("long-after"));
        let mut visitor = server.visitor();
        visitor.opens("long").await;
        visitor
            .answers(json!({ "uid_field": alice.username }))
            .await;
        let before = visitor.cookies().get("authentik_session");
        let after = visitor.answers(json!({ "password": alice.password })).await;
        after.sees("ak-stage-dummy").with("name", "long-after");
        assert_ne!(visitor.cookies().get("authentik_session"), before);
        visitor.gets(ME).await.has_status(200);
        visitor.looks().await.with("name", "long-after");
        visitor.answers(json!({})).await.is_redirected_to("/");
        visitor.gets(ME).await.has_status(200);
    });
}

#[test]
fn a_login_survives_a_restart() {
    with_server(async |server| {
        let alice = server.person();
        let mut visitor = server.visitor();
        visitor.logs_in(&alice).await;
        server.restart().await;
        let me = visitor.gets(ME).await;
        assert_eq!(me.json()["user"]["username"], alice.username);
    });
}

#[test]
fn the_history_of_a_login_tells_what_happened() {
    with_server(async |server| {
        let alice = server.person();
        let mut visitor = server.visitor();
        visitor.opens(LOGIN).await;
        visitor
            .answers(json!({ "uid_field": alice.username }))
            .await;
        visitor
            .answers(json!({ "password": "not-the-password" }))
            .await;
        visitor.answers(json!({ "password": alice.password })).await;
        let histories = server.histories();
        assert_eq!(histories.len(), 1);
        let names: Vec<&str> = histories[0]
            .iter()
            .map(|event| event["event"].as_str().expect("a name"))
            .collect();
        let expected = [
            "started",
            "planned",
            "stage_entered",
            "challenge_issued",
            "response_received",
            "user_identified",
            "context_changed",
            "stage_completed",
            "stage_entered",
            "challenge_issued",
            "response_received",
            "password_rejected",
            "response_rejected",
            "challenge_issued",
            "response_received",
            "password_verified",
            "stage_completed",
            "stage_entered",
            "session_started",
            "stage_completed",
            "completed",
        ];
        let mut rest = names.iter();
        for event in expected {
            assert!(rest.any(|name| *name == event), "no {event} in {names:?}");
        }
    });
}
