//! The flow executor: how a flow is walked through.

use reqwest::Method;
use serde_json::json;

use crate::support::{Flow, with_server};

#[test]
fn the_first_challenge_says_what_clients_expect() {
    with_server(async |server| {
        server.has_flow(&Flow::new("hello").dummy("hello-first"));
        let answer = server.visitor().opens("hello").await;
        answer.sees("ak-stage-dummy").with("name", "hello-first");
        let body = answer.json();
        assert_eq!(
            body["flow_info"],
            json!({
                "title": "Title of hello",
                "background": "/static/dist/assets/images/flow_background.jpg",
                "background_themed_urls": null,
                "cancel_url": "/flows/-/cancel/",
                "layout": "stacked",
            })
        );
        assert_eq!(body["type"], "native");
        answer.without_errors();
        let cookie = answer.cookie("authentik_session").expect("a session");
        assert!(cookie.contains("HttpOnly"), "{cookie}");
        assert!(cookie.contains("SameSite=Lax"), "{cookie}");
        assert!(!cookie.contains("Max-Age"), "{cookie}");
        assert!(answer.cookie("authentik_csrf").is_some());
        let id = answer.header("x-authentik-id");
        assert!(
            id.len() == 32 && id.bytes().all(|it| it.is_ascii_hexdigit()),
            "{id}"
        );
    });
}

#[test]
fn an_answer_is_answered_with_the_next_challenge_itself() {
    with_server(async |server| {
        server.has_flow(&Flow::new("two").dummy("first").dummy("second"));
        let mut visitor = server.visitor();
        visitor.opens("two").await.with("name", "first");
        // authentik redirects to the same address here; see docs/from-authentik.md.
        let next = visitor.answers(json!({})).await;
        next.sees("ak-stage-dummy").with("name", "second");
        assert_eq!(next.header("location"), "");
        let end = visitor.answers(json!({})).await;
        end.is_redirected_to("/").with("type", "redirect");
        assert!(end.json().get("flow_info").is_none());
    });
}

#[test]
fn looking_again_shows_the_same_and_goes_nowhere() {
    with_server(async |server| {
        server.has_flow(&Flow::new("two").dummy("first").dummy("second"));
        let mut visitor = server.visitor();
        let first = visitor.opens("two").await;
        for _ in 0..3 {
            assert_eq!(visitor.looks().await.text, first.text);
        }
        visitor.answers(json!({})).await.with("name", "second");
        let second = visitor.looks().await;
        assert_eq!(visitor.looks().await.text, second.text);
        second.with("name", "second");
    });
}

#[test]
fn an_answer_that_comes_first_begins_the_flow_and_passes_its_first_stage() {
    with_server(async |server| {
        server.has_flow(&Flow::new("two").dummy("first").dummy("second"));
        let mut visitor = server.visitor();
        visitor.points_at("two");
        let next = visitor.answers(json!({})).await;
        next.sees("ak-stage-dummy").with("name", "second");
        visitor.answers(json!({})).await.is_redirected_to("/");
    });
}

#[test]
fn a_flow_without_stages_is_over_at_once() {
    with_server(async |server| {
        server.has_flow(&Flow::new("empty"));
        server.visitor().opens("empty").await.is_redirected_to("/");
    });
}

#[test]
fn a_flow_that_is_over_begins_anew() {
    with_server(async |server| {
        server.has_flow(&Flow::new("two").dummy("first").dummy("second"));
        let mut visitor = server.visitor();
        visitor.opens("two").await;
        visitor.answers(json!({})).await;
        visitor.answers(json!({})).await.is_redirected_to("/");
        visitor.opens("two").await.with("name", "first");
    });
}

#[test]
fn an_unknown_slug_is_not_found() {
    with_server(async |server| {
        let mut visitor = server.visitor();
        visitor.opens("nothing-of-the-kind").await.has_status(404);
        let body = json!({});
        let answer = visitor.answers_exactly(&body, &[]).await;
        answer.has_status(404);
        assert_eq!(answer.json()["detail"], "No Flow matches the given query.");
    });
}

#[test]
fn an_address_without_its_last_slash_is_not_found() {
    with_server(async |server| {
        server.has_flow(&Flow::new("hello").dummy("first"));
        let visitor = server.visitor();
        for path in [
            "/api/v3/flows/executor/hello",
            "/api/v3/flows/executor/",
            "/api/v3/flows/executor//",
            "/api/v3/core/users/me",
            "/if/flow/hello",
        ] {
            visitor.gets(path).await.has_status(404);
        }
    });
}

#[test]
fn any_query_is_kept_and_never_leads_to_the_api() {
    with_server(async |server| {
        server.has_flow(&Flow::new("two").dummy("first").dummy("second"));
        for query in [
            "a%20b&x=(1)",
            "x=%21%27%28%29*",
            "x=%2B+%2520",
            "%",
            "a=&&=b",
        ] {
            let mut visitor = server.visitor();
            visitor
                .opens_with("two", query)
                .await
                .sees("ak-stage-dummy");
            visitor.answers(json!({})).await.with("name", "second");
            visitor.answers(json!({})).await.is_redirected_to("/");
        }
    });
}

#[test]
fn a_request_without_a_query_is_one_with_an_empty_query() {
    with_server(async |server| {
        server.has_flow(&Flow::new("two").dummy("first").dummy("second"));
        let mut visitor = server.visitor();
        visitor.opens("two").await;
        visitor.answers(json!({})).await;
        let bare = visitor.gets("/api/v3/flows/executor/two/").await;
        bare.sees("ak-stage-dummy").with("name", "second");
    });
}

#[test]
fn the_cancel_link_keeps_where_the_visitor_wanted_to_go() {
    with_server(async |server| {
        let who = json!({ "user_fields": ["username"] });
        let flow = Flow::new("ask").stage("identification", "ask-who", who);
        server.has_flow(&flow.dummy("ask-then"));
        let mut visitor = server.visitor();
        visitor.opens_with("ask", "next=%2Ffoo").await;
        let next = visitor.answers(json!({ "uid_field": "somebody" })).await;
        next.sees("ak-stage-dummy");
        let link = &next.json()["flow_info"]["cancel_url"];
        assert_eq!(link, "/flows/-/cancel/?next=%2Ffoo");
    });
}

#[test]
fn a_title_names_who_is_meant() {
    with_server(async |server| {
        let bob = server.person();
        let who = json!({ "user_fields": ["username"] });
        for (slug, title) in [("hi", "Hi %(user)s to %(app)s"), ("odd", "100%")] {
            let flow = Flow::new(slug).with("title", title);
            let flow = flow.stage("identification", &format!("{slug}-who"), who.clone());
            server.has_flow(&flow.dummy(&format!("{slug}-then")));
        }
        let mut visitor = server.visitor();
        let who = json!({ "uid_field": bob.username });
        visitor.opens("hi").await;
        let greeted = visitor.answers(who.clone()).await;
        let title = greeted.json()["flow_info"]["title"].clone();
        assert_eq!(title, format!("Hi {} to ", bob.username));
        visitor.opens("odd").await;
        let plain = visitor.answers(who).await;
        assert_eq!(plain.json()["flow_info"]["title"], "100%");
    });
}

#[test]
fn the_methods_are_those_of_the_reference() {
    with_server(async |server| {
        server.has_flow(&Flow::new("hello").dummy("first"));
        let mut visitor = server.visitor();
        visitor.opens("hello").await;
        let path = visitor.executor();
        let head = visitor.sends(Method::HEAD, &path, &[], "").await;
        head.has_status(200);
        assert_eq!(head.text, "");
        let options = visitor.sends(Method::OPTIONS, &path, &[], "").await;
        options.has_status(200);
        for method in [Method::PUT, Method::PATCH, Method::DELETE] {
            let answer = visitor.sends(method, &path, &[], "").await;
            answer.sees("ak-stage-flow-error");
        }
        visitor.looks().await.with("name", "first");
    });
}

#[test]
fn giving_up_begins_the_flow_anew() {
    with_server(async |server| {
        server.has_flow(&Flow::new("two").dummy("first").dummy("second"));
        let mut visitor = server.visitor();
        for (query, leads_to) in [
            ("", "/flows/-/default/invalidation/"),
            ("?next=/foo", "/foo"),
            ("?next=http://x", "/flows/-/default/invalidation/"),
            ("?next=//x", "/flows/-/default/invalidation/"),
        ] {
            let next = query.strip_prefix('?').unwrap_or_default();
            visitor.opens_with("two", next).await;
            visitor.answers(json!({})).await.with("name", "second");
            let path = format!("/flows/-/cancel/{query}");
            visitor.gets(&path).await.leads_to(leads_to);
            visitor.opens_with("two", next).await.with("name", "first");
        }
    });
}

#[test]
fn a_restart_of_the_server_loses_nobodys_place() {
    with_server(async |server| {
        server.has_flow(&Flow::new("two").dummy("first").dummy("second"));
        let mut visitor = server.visitor();
        visitor.opens("two").await;
        let shown = visitor.answers(json!({})).await;
        server.restart().await;
        assert_eq!(visitor.looks().await.text, shown.text);
        visitor.answers(json!({})).await.is_redirected_to("/");
    });
}
