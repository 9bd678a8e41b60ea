//! Several tabs of one browser, and requests that cross each other.

use serde_json::json;

use crate::support::{Flow, LOGIN, with_server};

const ME: &str = "/api/v3/core/users/me/";

/// Three stages that look the same to a client.
fn three() -> Flow {
    Flow::new("three").dummy("a").dummy("b").dummy("c")
}

/// A login after which something is left to do.
fn login_and_one_more() -> Flow {
    let who = json!({ "user_fields": ["username"] });
    let what = json!({ "backends": ["authentik.core.auth.InbuiltBackend"] });
    Flow::new("longer")
        .stage("identification", "longer-who", who)
        .stage("password", "longer-what", what)
        .stage("user_login", "longer-login", json!({}))
        .dummy("longer-last")
}

#[test]
fn a_stale_tabs_answer_reaches_no_other_stage() {
    with_server(async |server| {
        let alice = server.person();
        let mut first = server.visitor();
        first.opens(LOGIN).await;
        let mut second = first.in_another_tab();
        second.opens(LOGIN).await.sees("ak-stage-identification");
        let who = json!({ "uid_field": alice.username });
        first.answers(who.clone()).await.sees("ak-stage-password");
        let stale = second.answers(who).await;
        stale.sees("ak-stage-password").without_errors();
        let end = second.answers(json!({ "password": alice.password })).await;
        end.is_redirected_to("/");
    });
}

#[test]
fn a_stale_tab_is_told_by_the_id_of_its_challenge_where_the_components_are_the_same() {
    with_server(async |server| {
        server.has_flow(&three());
        let mut first = server.visitor();
        first.opens("three").await.with("name", "a");
        let mut second = first.in_another_tab();
        second.opens("three").await.with("name", "a");
        let old = second.challenge.clone().expect("an id");
        first.answers(json!({})).await.with("name", "b");
        let old = [("x-gatelog-challenge", old.as_str())];
        for body in [json!({ "component": "ak-stage-dummy" }), json!({})] {
            let stale = second.answers_exactly(&body, &old).await;
            stale.with("name", "b").without_errors();
        }
        let current = second.challenge.clone().expect("an id");
        let current = [("x-gatelog-challenge", current.as_str())];
        let taken = second.answers_exactly(&json!({}), &current).await;
        taken.with("name", "c");
    });
}

#[test]
fn an_answer_that_names_another_component_is_not_taken() {
    with_server(async |server| {
        server.has_flow(&three());
        let mut visitor = server.visitor();
        visitor.opens("three").await;
        for component in ["ak-stage-password", "ak-stage-nonsense", ""] {
            let body = json!({ "component": component });
            let shown = visitor.answers_exactly(&body, &[]).await;
            shown.with("name", "a").without_errors();
        }
        let none = visitor.answers_exactly(&json!({}), &[]).await;
        none.with("name", "b");
    });
}

#[test]
fn two_flows_run_side_by_side_in_one_browser() {
    with_server(async |server| {
        server.has_flow(&three());
        server.has_flow(&Flow::new("other").dummy("x").dummy("y"));
        let mut first = server.visitor();
        first.opens("three").await;
        let mut second = first.in_another_tab();
        second.opens("other").await.with("name", "x");
        first.answers(json!({})).await.with("name", "b");
        second.answers(json!({})).await.with("name", "y");
        first.answers(json!({})).await.with("name", "c");
        second.answers(json!({})).await.is_redirected_to("/");
        first.answers(json!({})).await.is_redirected_to("/");
    });
}

#[test]
fn one_flow_runs_twice_where_it_leads_to_two_places() {
    with_server(async |server| {
        server.has_flow(&three());
        let mut first = server.visitor();
        first.opens_with("three", "next=%2Fone").await;
        let mut second = first.in_another_tab();
        second.opens_with("three", "next=%2Ftwo").await;
        first.answers(json!({})).await.with("name", "b");
        second.looks().await.with("name", "a");
        first.answers(json!({})).await.with("name", "c");
        second.answers(json!({})).await.with("name", "b");
        first.answers(json!({})).await.is_redirected_to("/one");
        second.answers(json!({})).await.with("name", "c");
        second.answers(json!({})).await.is_redirected_to("/two");
    });
}

#[test]
fn a_login_in_one_tab_does_not_disturb_the_flow_of_another() {
    with_server(async |server| {
        server.has_flow(&three());
        let alice = server.person();
        let mut first = server.visitor();
        first.opens("three").await;
        first.answers(json!({})).await.with("name", "b");
        let mut second = first.in_another_tab();
        second.logs_in(&alice).await;
        first.answers(json!({})).await.with("name", "c");
        first.answers(json!({})).await.is_redirected_to("/");
        first.gets(ME).await.has_status(200);
    });
}

#[test]
fn two_logins_in_two_tabs_both_come_to_their_end() {
    with_server(async |server| {
        let alice = server.person();
        let mut first = server.visitor();
        first.opens_with(LOGIN, "next=%2Fone").await;
        let mut second = first.in_another_tab();
        second.opens_with(LOGIN, "next=%2Ftwo").await;
        let who = json!({ "uid_field": alice.username });
        let what = json!({ "password": alice.password });
        first.answers(who.clone()).await.sees("ak-stage-password");
        second.answers(who).await.sees("ak-stage-password");
        first.answers(what.clone()).await.is_redirected_to("/one");
        second.answers(what).await.is_redirected_to("/two");
        first.gets(ME).await.has_status(200);
        second.gets(ME).await.has_status(200);
    });
}

#[test]
fn a_doubled_answer_has_one_effect_between_stages_that_look_the_same() {
    with_server(async |server| {
        let alice = server.person();
        let what = json!({ "backends": ["authentik.core.auth.InbuiltBackend"] });
        let flow = Flow::new("twice").identification_and_password();
        let flow = flow.stage("password", "twice-again", what);
        server.has_flow(&flow.dummy("twice-after"));
        for body in [
            json!({ "component": "ak-stage-password", "password": alice.password }),
            json!({ "password": alice.password }),
        ] {
            let mut visitor = server.visitor();
            visitor.opens("twice").await;
            visitor
                .answers(json!({ "uid_field": alice.username }))
                .await;
            // Hashing takes its time, so both are there before either is answered.
            let (one, two) = tokio::join!(
                visitor.try_to_answer(&body, &[]),
                visitor.try_to_answer(&body, &[])
            );
            let (one, two) = (one.expect("an answer"), two.expect("an answer"));
            one.sees("ak-stage-password").without_errors();
            assert_eq!(one.text, two.text);
            let shown = visitor.looks().await;
            assert_eq!(shown.text, one.text);
            let latest = &server.histories()[0];
            let passed = latest.iter();
            let passed = passed.filter(|event| event["event"] == "stage_completed");
            assert_eq!(passed.count(), 2);
            // Sent once more, it is meant.
            let next = visitor.answers_exactly(&body, &[]).await;
            next.sees("ak-stage-dummy");
        }
    });
}

#[test]
fn an_answer_with_its_id_counts_once_however_often_it_is_sent() {
    with_server(async |server| {
        server.has_flow(&three());
        let mut visitor = server.visitor();
        visitor.opens("three").await;
        let id = visitor.challenge.clone().expect("an id");
        let id = [("x-gatelog-challenge", id.as_str())];
        let body = json!({});
        let sent = (0..8).map(|_| visitor.try_to_answer(&body, &id));
        for answer in futures_util::future::join_all(sent).await {
            let answer = answer.expect("an answer");
            answer.sees("ak-stage-dummy").with("name", "b");
        }
        visitor.looks().await.with("name", "b");
        let taken = server.histories();
        let taken = taken[0].iter();
        let taken = taken.filter(|event| event["event"] == "response_received");
        assert_eq!(taken.count(), 1);
    });
}

#[test]
fn a_password_that_is_sent_twice_at_once_logs_in_once() {
    with_server(async |server| {
        let alice = server.person();
        let mut visitor = server.visitor();
        visitor.opens(LOGIN).await;
        visitor
            .answers(json!({ "uid_field": alice.username }))
            .await;
        let body = json!({ "component": "ak-stage-password", "password": alice.password });
        // Both are on their way before either is answered: hashing takes its time.
        let (one, two) = tokio::join!(
            visitor.try_to_answer(&body, &[]),
            visitor.try_to_answer(&body, &[])
        );
        for answer in [one, two] {
            let answer = answer.expect("an answer");
            answer.has_status(200);
            let component = answer.component();
            assert!(
                ["xak-flow-redirect", "ak-stage-identification"].contains(&component.as_str()),
                "{answer:?}"
            );
        }
        let histories = server.histories();
        let started = histories.iter().flatten();
        let started = started.filter(|event| event["event"] == "session_started");
        assert_eq!(started.count(), 1);
        visitor.gets(ME).await.has_status(200);
    });
}

#[test]
fn the_cookie_from_before_the_login_does_not_replace_the_new_one() {
    with_server(async |server| {
        server.has_flow(&three());
        let alice = server.person();
        let mut visitor = server.visitor();
        visitor.opens(LOGIN).await;
        let old = visitor.cookies().get("authentik_session").expect("it");
        visitor
            .answers(json!({ "uid_field": alice.username }))
            .await;
        visitor.answers(json!({ "password": alice.password })).await;
        let new = visitor.cookies().get("authentik_session").expect("it");
        assert_ne!(old, new);
        // A request that was on its way when the login ended comes with the old cookie.
        visitor.cookies().put("authentik_session", &old);
        let late = visitor.opens("three").await;
        late.sees("ak-stage-dummy");
        // Nothing was set, so a browser keeps what it was given at the login.
        let kept = visitor.cookies().get("authentik_session").expect("it");
        assert_eq!(kept, old, "the answer to the old cookie set another one");
        visitor.gets(ME).await.has_status(403);
        visitor.cookies().put("authentik_session", &new);
        visitor.gets(ME).await.has_status(200);
    });
}

#[test]
fn whoever_never_read_that_their_password_was_right_goes_on_after_a_crash() {
    with_server(async |server| {
        server.has_flow(&login_and_one_more());
        let alice = server.person();
        let mut visitor = server.visitor();
        visitor.opens("longer").await;
        let who = json!({ "uid_field": alice.username });
        visitor.answers(who).await.sees("ak-stage-password");
        let old = visitor.cookies().get("authentik_session").expect("it");
        let what = json!({ "password": alice.password });
        let at = visitor.answers(what).await;
        at.sees("ak-stage-dummy");

        // While the server that told them runs, the old cookie sees the flow and gets nothing.
        visitor.cookies().put("authentik_session", &old);
        let seen = visitor.looks().await;
        seen.sees("ak-stage-dummy");
        assert_eq!(seen.cookie("authentik_session"), None);
        visitor.gets(ME).await.has_status(403);

        server.kill().await;
        let found = visitor.looks().await;
        found.sees("ak-stage-dummy");
        assert_eq!(
            found.header("x-gatelog-challenge"),
            at.header("x-gatelog-challenge")
        );
        visitor.gets(ME).await.has_status(200);
        visitor.answers(json!({})).await.is_redirected_to("/");
    });
}

#[test]
fn the_cookie_from_before_the_login_is_of_no_use_to_another_browser() {
    with_server(async |server| {
        let alice = server.person();
        let mut visitor = server.visitor();
        visitor.opens(LOGIN).await;
        let planted = visitor.cookies().get("authentik_session").expect("it");
        visitor
            .answers(json!({ "uid_field": alice.username }))
            .await;
        visitor.answers(json!({ "password": alice.password })).await;
        let thief = server.visitor();
        thief.cookies().put("authentik_session", &planted);
        thief.gets(ME).await.has_status(403);
    });
}
