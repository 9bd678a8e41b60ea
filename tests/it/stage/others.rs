//! The stages that ask for nothing.

use serde_json::json;

use crate::support::{Flow, with_server};

#[test]
fn a_deny_stage_says_what_it_was_told_to_say() {
    with_server(async |server| {
        let plain = Flow::new("plain").stage("deny", "plain-deny", json!({}));
        server.has_flow(&plain);
        let attrs = json!({ "deny_message": "Come back tomorrow." });
        server.has_flow(&Flow::new("told").stage("deny", "told-deny", attrs));
        let mut visitor = server.visitor();
        let refused = visitor.opens("plain").await;
        refused.is_denied("Unknown error").with("pending_user", "");
        assert!(refused.json()["pending_user_avatar"].is_string());
        assert!(refused.json()["flow_info"].is_object());
        visitor.opens("told").await.is_denied("Come back tomorrow.");
    });
}

#[test]
fn a_refusal_leaves_the_login_alone() {
    with_server(async |server| {
        server.has_flow(&Flow::new("no").stage("deny", "no-deny", json!({})));
        let mut visitor = server.visitor();
        visitor.logs_in(&server.person()).await;
        visitor.opens("no").await.sees("ak-stage-access-denied");
        let me = visitor.gets("/api/v3/core/users/me/").await;
        me.has_status(200);
    });
}

#[test]
fn a_redirect_stage_leads_to_its_target() {
    with_server(async |server| {
        for (slug, to) in [
            ("near", "/somewhere/"),
            ("far", "https://app.example/start"),
        ] {
            let attrs = json!({ "mode": "static", "target_static": to, "keep_context": true });
            server.has_flow(&Flow::new(slug).stage("redirect", &format!("{slug}-go"), attrs));
            let mut visitor = server.visitor();
            visitor
                .opens(slug)
                .await
                .sees("xak-flow-redirect")
                .with("to", to);
        }
    });
}
