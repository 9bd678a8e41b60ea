//! No secret is readable, however much the server is asked to say. What every test checks at
//! its end is checked here with the log at its most talkative.

use serde_json::json;

use crate::support::{LOGIN, LOGOUT, Options, with_server_of};

#[test]
fn the_most_talkative_log_holds_no_secret() {
    let options = Options::default().with("GATELOG_LOG__LEVEL", "trace");
    with_server_of(options, async |server| {
        let alice = server.person();
        let mut visitor = server.visitor();
        visitor.opens(LOGIN).await;
        visitor
            .answers(json!({ "uid_field": alice.username }))
            .await;
        let wrong = json!({ "password": "a-wrong-password-in-the-log" });
        visitor.answers(wrong).await;
        visitor.answers(json!({ "password": alice.password })).await;
        visitor.gets("/").await.has_status(200);
        let form = visitor.in_another_tab();
        form.gets("/if/flow/default-authentication-flow/").await;
        let token = "a-token-that-somebody-put-into-an-address";
        server.canaries().secret("a token in an address", token);
        visitor
            .opens_with(LOGIN, &format!("flow_token={token}"))
            .await;
        visitor.gets(&format!("/setup?token={token}")).await;
        visitor.opens(LOGOUT).await.is_redirected_to("/");
        assert!(server.output().contains("TRACE"), "the log says little");
    });
}

#[test]
fn a_log_for_programs_holds_no_secret_either() {
    let options = Options::default()
        .with("GATELOG_LOG__LEVEL", "debug")
        .with("GATELOG_LOG__FORMAT", "json");
    with_server_of(options, async |server| {
        server.visitor().logs_in(&server.person()).await;
        let output = server.output();
        let first = output.lines().find(|line| line.starts_with('{'));
        let first = first.expect("a line of JSON");
        let line: serde_json::Value = serde_json::from_str(first).expect("JSON");
        assert!(line["level"].is_string(), "{line}");
    });
}
