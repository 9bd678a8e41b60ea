//! The stage that logs in: how long, and what becomes of other sessions.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Answer, Flow, Person, TestServer, Visitor, with_server};

const ME: &str = "/api/v3/core/users/me/";

/// Goes through a flow whose last stage logs in with these settings.
async fn logs_in(server: &TestServer, slug: &str, person: &Person) -> (Visitor, Answer) {
    let mut visitor = server.visitor();
    visitor.opens(slug).await;
    visitor
        .answers(json!({ "uid_field": person.username }))
        .await;
    let answer = visitor
        .answers(json!({ "password": person.password }))
        .await;
    (visitor, answer)
}

fn flow(slug: &str, attrs: Value) -> Flow {
    let flow = Flow::new(slug).identification_and_password();
    flow.stage("user_login", &format!("{slug}-login"), attrs)
}

fn max_age(answer: &Answer) -> Option<u64> {
    let cookie = answer.cookie("authentik_session").expect("a session");
    let age = cookie
        .split("; ")
        .find_map(|it| it.strip_prefix("Max-Age="));
    age.map(|age| age.parse().expect("seconds"))
}

#[test]
fn a_session_ends_with_the_browser_unless_it_has_a_duration() {
    with_server(async |server| {
        let alice = server.person();
        server.has_flow(&flow("short", json!({})));
        server.has_flow(&flow("long", json!({ "session_duration": "hours=2" })));
        let (_, end) = logs_in(server, "short", &alice).await;
        end.is_redirected_to("/");
        assert_eq!(max_age(&end), None);
        let (_, end) = logs_in(server, "long", &alice).await;
        let age = max_age(&end.is_redirected_to("/").clone());
        assert!(
            age.is_some_and(|age| (7190..=7200).contains(&age)),
            "{age:?}"
        );
    });
}

#[test]
fn a_session_that_has_run_out_is_no_session() {
    with_server(async |server| {
        let alice = server.person();
        let attrs = json!({ "session_duration": "seconds=2" });
        server.has_flow(&flow("brief", attrs));
        let (visitor, end) = logs_in(server, "brief", &alice).await;
        end.is_redirected_to("/");
        visitor.gets(ME).await.has_status(200);
        tokio::time::sleep(Duration::from_secs(3)).await;
        visitor.gets(ME).await.has_status(403);
    });
}

#[test]
fn somebody_may_ask_to_be_remembered() {
    with_server(async |server| {
        let alice = server.person();
        server.has_flow(&flow("stay", json!({ "remember_me_offset": "days=7" })));
        for (remember, longest) in [(json!(true), 7 * 86_400), (json!("on"), 7 * 86_400)] {
            let (mut visitor, asked) = logs_in(server, "stay", &alice).await;
            asked
                .sees("ak-stage-user-login")
                .with("pending_user", alice.username.as_str());
            visitor.gets(ME).await.has_status(403);
            let missing = visitor.answers(json!({})).await;
            missing.with_error("remember_me", "required");
            let end = visitor.answers(json!({ "remember_me": remember })).await;
            let age = max_age(&end.is_redirected_to("/").clone()).expect("a duration");
            assert!((longest - 10..=longest).contains(&age), "{age}");
        }
        let (mut visitor, _) = logs_in(server, "stay", &alice).await;
        let end = visitor.answers(json!({ "remember_me": false })).await;
        assert_eq!(max_age(&end.is_redirected_to("/").clone()), None);
    });
}

#[test]
fn a_login_may_end_the_other_sessions_of_its_user() {
    with_server(async |server| {
        let (alice, bob) = (server.person(), server.person());
        let attrs = json!({ "terminate_other_sessions": true });
        server.has_flow(&flow("alone", attrs));
        let (mut old, mut other) = (server.visitor(), server.visitor());
        old.logs_in(&alice).await;
        other.logs_in(&bob).await;
        let (new, end) = logs_in(server, "alone", &alice).await;
        end.is_redirected_to("/");
        old.gets(ME).await.has_status(403);
        new.gets(ME).await.has_status(200);
        other.gets(ME).await.has_status(200);
    });
}

#[test]
fn without_somebody_to_log_in_it_refuses() {
    with_server(async |server| {
        let alone = Flow::new("alone").stage("user_login", "alone-login", json!({}));
        server.has_flow(&alone);
        let visitor = &mut server.visitor();
        visitor.opens("alone").await.is_denied("Unknown error");
        visitor.gets(ME).await.has_status(403);
    });
}

#[test]
fn a_name_alone_does_not_log_in_somebody_inactive() {
    with_server(async |server| {
        let alice = server.person();
        let who = json!({ "user_fields": ["username"] });
        let flow = Flow::new("open").stage("identification", "open-who", who);
        server.has_flow(&flow.stage("user_login", "open-login", json!({})));
        server.apply(&format!(
            "version: 1\nentries:\n- model: authentik_core.user\n  identifiers: \
             {{username: {}}}\n  attrs: {{is_active: false}}\n",
            alice.username
        ));
        let mut visitor = server.visitor();
        visitor.opens("open").await;
        let refused = visitor
            .answers(json!({ "uid_field": alice.username }))
            .await;
        refused.is_denied("Unknown error");
        visitor.gets(ME).await.has_status(403);
        // Nobody is not somebody either.
        let mut visitor = server.visitor();
        visitor.opens("open").await;
        let refused = visitor
            .answers(json!({ "uid_field": "nobody-has-this-name" }))
            .await;
        refused.sees("ak-stage-access-denied");
    });
}

#[test]
fn a_second_login_in_one_browser_replaces_the_first() {
    with_server(async |server| {
        let (alice, bob) = (server.person(), server.person());
        let mut visitor = server.visitor();
        visitor.logs_in(&alice).await;
        visitor.logs_in(&bob).await;
        let me = visitor.gets(ME).await;
        assert_eq!(me.json()["user"]["username"], bob.username);
    });
}
