//! The identification stage.

use serde_json::{Value, json};

use crate::support::{Answer, Flow, TestServer, with_server};

const REFUSED: &str = "Failed to authenticate.";

fn asks(slug: &str, attrs: Value) -> Flow {
    Flow::new(slug).stage("identification", &format!("{slug}-who"), attrs)
}

/// The same with the password on the same page.
fn one_page(slug: &str, mut attrs: Value) -> Flow {
    let password = format!("{slug}-password");
    attrs["password_stage"] = format!("!KeyOf {password}").into();
    let backends = json!({ "backends": ["authentik.core.auth.InbuiltBackend"] });
    Flow::new(slug)
        .unbound("password", &password, backends)
        .stage("identification", &format!("{slug}-who"), attrs)
}

/// Opens the flow and answers it once.
async fn answered(server: &TestServer, slug: &str, body: Value) -> Answer {
    let mut visitor = server.visitor();
    visitor.opens(slug).await.sees("ak-stage-identification");
    visitor.answers(body).await
}

#[track_caller]
fn is_refused(answer: &Answer, text: &str) {
    answer.sees("ak-stage-identification");
    let expected = json!({ "non_field_errors": [{ "string": text, "code": "invalid" }] });
    assert_eq!(answer.json()["response_errors"], expected, "{answer:?}");
}

#[test]
fn an_identifier_that_is_known_is_enough() {
    with_server(async |server| {
        let alice = server.person();
        server.has_flow(&asks("mail", json!({ "user_fields": ["email"] })));
        let end = answered(server, "mail", json!({ "uid_field": alice.mail })).await;
        end.is_redirected_to("/");
    });
}

#[test]
fn where_nobody_pretends_an_unknown_identifier_is_refused() {
    with_server(async |server| {
        let alice = server.person();
        let attrs = json!({ "user_fields": ["email"], "pretend_user_exists": false });
        server.has_flow(&asks("strict", attrs));
        for typed in ["nobody@example.com", &alice.username] {
            let body = json!({ "uid_field": typed });
            is_refused(&answered(server, "strict", body).await, REFUSED);
        }
        let known = json!({ "uid_field": alice.mail });
        answered(server, "strict", known)
            .await
            .is_redirected_to("/");
    });
}

#[test]
fn where_it_pretends_anybody_may_go_on() {
    with_server(async |server| {
        let alice = server.person();
        server.has_flow(&asks("kind", json!({ "user_fields": ["email"] })));
        for typed in ["nobody@example.com", &alice.username] {
            let body = json!({ "uid_field": typed });
            answered(server, "kind", body).await.is_redirected_to("/");
        }
    });
}

#[test]
fn an_empty_identifier_is_refused() {
    with_server(async |server| {
        server.has_flow(&asks("who", json!({ "user_fields": ["username"] })));
        for body in [
            json!({}),
            json!({ "uid_field": "" }),
            json!({ "uid_field": "   " }),
            json!({ "uid_field": null }),
        ] {
            let refused = answered(server, "who", body).await;
            is_refused(&refused, "No identification data provided.");
        }
        let wrong = json!({ "uid_field": { "a": 1 } });
        let refused = answered(server, "who", wrong).await;
        refused.with_error("uid_field", "invalid");
    });
}

#[test]
fn a_stage_that_asks_for_nothing_cannot_be_made() {
    with_server(async |server| {
        let attrs = json!({ "user_fields": [], "sources": [] });
        let yaml = asks("none", attrs).yaml();
        let refused = server.gatelog_reading(&["blueprint", "apply", "-"], &yaml);
        refused
            .fails_with(1)
            .says("When no user fields are selected, at least one source must be selected");
        server.visitor().opens("none").await.has_status(404);
    });
}

#[test]
fn case_counts_where_the_operator_says_so() {
    with_server(async |server| {
        let alice = server.person();
        let attrs = json!({
            "user_fields": ["username"],
            "case_insensitive_matching": false,
            "pretend_user_exists": false,
        });
        server.has_flow(&asks("exact", attrs));
        let shouted = json!({ "uid_field": alice.username.to_uppercase() });
        is_refused(&answered(server, "exact", shouted).await, REFUSED);
        let said = json!({ "uid_field": alice.username });
        answered(server, "exact", said).await.is_redirected_to("/");
    });
}

#[test]
fn name_and_password_can_be_asked_for_on_one_page() {
    with_server(async |server| {
        let alice = server.person();
        server.has_flow(&one_page("both", json!({ "user_fields": ["email"] })));
        server
            .visitor()
            .opens("both")
            .await
            .with("password_fields", true)
            .with("allow_show_password", false);
        let both = |name: &str, password: &str| json!({ "uid_field": name, "password": password });
        for (name, password) in [
            (alice.mail.as_str(), "not-the-password"),
            (alice.mail.as_str(), ""),
            ("nobody@example.com", "anything-at-all"),
            (alice.username.as_str(), alice.password.as_str()),
        ] {
            let refused = answered(server, "both", both(name, password)).await;
            is_refused(&refused, REFUSED);
            refused.with("password_fields", true);
        }
        let right = both(&alice.mail, &alice.password);
        answered(server, "both", right).await.is_redirected_to("/");
    });
}

#[test]
fn a_name_that_is_no_identifier_here_does_not_log_in_by_its_password() {
    with_server(async |server| {
        // authentik lets this through; see docs/from-authentik.md.
        let alice = server.person();
        let flow = asks("mail", json!({ "user_fields": ["email"] }));
        let backends = json!({ "backends": ["authentik.core.auth.InbuiltBackend"] });
        server.has_flow(&flow.stage("password", "mail-password", backends));
        let mut visitor = server.visitor();
        visitor.opens("mail").await;
        let body = json!({ "uid_field": alice.username });
        visitor.answers(body).await.sees("ak-stage-password");
        let refused = visitor.answers(json!({ "password": alice.password })).await;
        refused.with_error("password", "invalid");
    });
}

#[test]
fn who_was_found_can_be_kept_secret() {
    with_server(async |server| {
        let alice = server.person();
        for (slug, shown) in [("open", true), ("closed", false)] {
            let attrs = json!({ "user_fields": ["email"], "show_matched_user": shown });
            let backends = json!({ "backends": ["authentik.core.auth.InbuiltBackend"] });
            let flow = asks(slug, attrs);
            server.has_flow(&flow.stage("password", &format!("{slug}-password"), backends));
        }
        let body = json!({ "uid_field": alice.mail });
        let open = answered(server, "open", body.clone()).await;
        open.with("pending_user", alice.username.as_str());
        let closed = answered(server, "closed", body).await;
        closed
            .with("pending_user", alice.mail.as_str())
            .hides(&alice.username);
    });
}

#[test]
fn the_page_links_to_the_flows_that_help() {
    with_server(async |server| {
        let enrol = Flow::new("enrol").with("designation", "enrollment");
        server.has_flow(&enrol.dummy("enrol-first"));
        let attrs = json!({
            "user_fields": ["email"],
            "enrollment_flow": "!Find [authentik_flows.flow, [slug, enrol]]",
            "recovery_flow": "!KeyOf flow",
        });
        let recover = Flow::new("recover").with("designation", "recovery");
        server.has_flow(&recover.stage("identification", "recover-who", attrs));
        let mut visitor = server.visitor();
        let shown = visitor.opens_with("recover", "next=%2Fa").await;
        shown
            .with("primary_action", "Continue")
            .with("enroll_url", "/if/flow/enrol/?next=%2Fa")
            .with("recovery_url", "/if/flow/recover/?next=%2Fa");
        let body = json!({ "uid_field": "nobody@example.com" });
        visitor.answers(body).await.is_redirected_to("/a");
    });
}
