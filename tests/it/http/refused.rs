//! Answers that are not even looked at, and stages that fail.

use reqwest::Method;
use serde_json::json;

use crate::support::{Flow, LOGIN, Options, Visitor, with_server, with_server_of};

const JSON: (&str, &str) = ("content-type", "application/json");

/// Two stages, so that an answer that was taken after all would be seen.
fn two() -> Flow {
    Flow::new("two").dummy("first").dummy("second")
}

/// Sends a body that must not be taken, and checks that nothing moved.
async fn is_refused(visitor: &mut Visitor, headers: &[(&str, &str)], body: Vec<u8>) {
    let path = visitor.executor();
    let answer = visitor.sends(Method::POST, &path, headers, body).await;
    answer.sees("ak-stage-flow-error");
    let told = answer.json();
    let id = told["request_id"].as_str().expect("an id");
    assert_eq!(id, answer.header("x-authentik-id"));
    assert!(told.get("error").is_none() && told.get("traceback").is_none());
    visitor.looks().await.with("name", "first");
}

#[test]
fn a_body_that_is_no_json_is_refused() {
    with_server(async |server| {
        server.has_flow(&two());
        let mut visitor = server.visitor();
        visitor.opens("two").await;
        let deep = "[".repeat(100_000);
        for body in ["{", "{]", "\u{0}", "{\"a\":1}}", &deep] {
            is_refused(&mut visitor, &[JSON], body.into()).await;
        }
        is_refused(&mut visitor, &[JSON], vec![0xff, 0xfe, b'{', b'}']).await;
    });
}

#[test]
fn a_body_that_is_no_object_has_no_answer_in_it() {
    with_server(async |server| {
        let mut visitor = server.visitor();
        visitor.opens(LOGIN).await;
        for body in [json!([]), json!("text"), json!(7), json!(null)] {
            let answer = visitor.answers_exactly(&body, &[]).await;
            answer.has_status(200);
            assert_ne!(answer.component(), "ak-stage-password", "{answer:?}");
        }
        visitor.opens(LOGIN).await.sees("ak-stage-identification");
    });
}

#[test]
fn a_body_of_another_type_is_refused() {
    with_server(async |server| {
        server.has_flow(&two());
        let mut visitor = server.visitor();
        visitor.opens("two").await;
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/jsonp",
            "",
        ] {
            is_refused(&mut visitor, &[("content-type", kind)], b"{}".into()).await;
        }
        let kind = ("content-type", "application/json; charset=utf-8");
        let path = visitor.executor();
        let taken = visitor.sends(Method::POST, &path, &[kind], "{}").await;
        taken.with("name", "second");
    });
}

#[test]
fn a_body_that_is_too_large_is_refused() {
    with_server(async |server| {
        server.has_flow(&two());
        let mut visitor = server.visitor();
        visitor.opens("two").await;
        let large = json!({ "filler": "x".repeat(300 << 10) }).to_string();
        is_refused(&mut visitor, &[JSON], large.into_bytes()).await;
        let path = visitor.executor();
        let fits = json!({ "component": "ak-stage-dummy", "filler": "x".repeat(200 << 10) });
        let fits = fits.to_string();
        let taken = visitor.sends(Method::POST, &path, &[JSON], fits).await;
        taken.with("name", "second");
    });
}

#[test]
fn an_empty_body_is_an_empty_answer() {
    with_server(async |server| {
        server.has_flow(&two());
        let mut visitor = server.visitor();
        visitor.opens("two").await;
        let path = visitor.executor();
        let taken = visitor.sends(Method::POST, &path, &[], "").await;
        taken.with("name", "second");
    });
}

#[test]
fn somebody_who_is_logged_in_has_to_show_the_token() {
    with_server(async |server| {
        server.has_flow(&two());
        let mut visitor = server.visitor();
        visitor.logs_in(&server.person()).await;
        visitor.opens("two").await;
        is_refused(&mut visitor, &[JSON], b"{}".into()).await;
        let wrong = ("x-authentik-csrf", "not-the-token-of-this-session");
        is_refused(&mut visitor, &[JSON, wrong], b"{}".into()).await;
        let own = visitor.cookies().get("authentik_csrf").expect("a token");
        let right = ("x-authentik-csrf", own.as_str());
        let foreign = ("origin", "https://evil.example");
        is_refused(&mut visitor, &[JSON, right, foreign], b"{}".into()).await;
        let across = ("sec-fetch-site", "cross-site");
        is_refused(&mut visitor, &[JSON, right, across], b"{}".into()).await;
        let path = visitor.executor();
        let taken = visitor
            .sends(Method::POST, &path, &[JSON, right], "{}")
            .await;
        taken.with("name", "second");
    });
}

#[test]
fn somebody_who_is_not_logged_in_needs_no_token() {
    with_server(async |server| {
        server.has_flow(&two());
        let mut visitor = server.visitor();
        visitor.opens("two").await;
        let path = visitor.executor();
        let taken = visitor.sends(Method::POST, &path, &[JSON], "{}").await;
        taken.with("name", "second");
    });
}

#[test]
fn a_stage_that_fails_tells_only_administrators_why() {
    with_server(async |server| {
        let failing = |throws: bool| {
            let attrs = json!({ "throw_error": throws });
            Flow::new("broken").stage("dummy", "broken-stage", attrs)
        };
        server.has_flow(&failing(true));
        let mut anybody = server.visitor();
        let answer = anybody.opens("broken").await;
        answer.sees("ak-stage-flow-error");
        let body = answer.json();
        assert_eq!(body["request_id"], answer.header("x-authentik-id"));
        assert!(body.get("error").is_none(), "{body}");
        assert!(body.get("traceback").is_none(), "{body}");

        let mut administrator = server.visitor();
        administrator.logs_in(&server.administrator).await;
        let answer = administrator.opens("broken").await;
        answer.sees("ak-stage-flow-error");
        assert!(answer.json()["error"].is_string(), "{answer:?}");
        assert!(answer.json()["traceback"].is_string(), "{answer:?}");

        let mut member = server.visitor();
        member.logs_in(&server.person()).await;
        let answer = member.opens("broken").await;
        assert!(answer.json().get("error").is_none(), "{answer:?}");
    });
}

#[test]
fn a_flow_goes_on_when_its_stage_is_mended_for_those_who_come_then() {
    with_server(async |server| {
        let failing = |throws: bool| {
            let attrs = json!({ "throw_error": throws });
            Flow::new("broken").stage("dummy", "broken-stage", attrs)
        };
        server.has_flow(&failing(true));
        let mut visitor = server.visitor();
        visitor.opens("broken").await.sees("ak-stage-flow-error");
        server.has_flow(&failing(false));
        let mut newcomer = server.visitor();
        newcomer.opens("broken").await.sees("ak-stage-dummy");
        newcomer.answers(json!({})).await.is_redirected_to("/");
        // The revision is pinned, so the first visitor has to give up and begin anew.
        visitor.gets("/flows/-/cancel/").await;
        visitor.opens("broken").await.sees("ak-stage-dummy");
    });
}

#[test]
fn a_flood_from_one_address_is_slowed_down() {
    let options = Options::default()
        .with("GATELOG_WEB__POSTS_PER_SECOND", "2")
        .with("GATELOG_WEB__POSTS_AT_ONCE", "5");
    with_server_of(options, async |server| {
        server.has_flow(&two());
        let mut visitor = server.visitor();
        visitor.opens("two").await;
        let mut statuses = Vec::new();
        for _ in 0..100 {
            let answer = visitor.answers(json!({})).await;
            statuses.push(answer.status.as_u16());
            if answer.status.as_u16() == 429 {
                assert!(!answer.header("retry-after").is_empty());
                break;
            }
        }
        assert_eq!(statuses.last(), Some(&429), "nothing slowed it down");
        // Somebody else is served meanwhile.
        server.visitor().opens("two").await.with("name", "first");
    });
}
