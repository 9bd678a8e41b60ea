//! Where a flow leads when it is over, and that it is never another site.

use serde_json::json;

use crate::support::{Flow, with_server};

/// Addresses that are not paths of this server, though some look like it.
const UNSAFE: &[&str] = &[
    "http://something.example.com/x",
    "https://something.example.com",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "https:evil.example",
    "https:/evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "mailto:somebody@example.com",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "evil.example",
    "?a=b",
];

fn query(next: &str) -> String {
    let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
    format!("next={next}")
}

#[test]
fn a_flow_leads_where_its_visitor_wanted_to_go() {
    with_server(async |server| {
        server.has_flow(&Flow::new("empty"));
        server.has_flow(&Flow::new("one").dummy("one-first"));
        let mut visitor = server.visitor();
        let next = query("/unique-string?a=b#c");
        let at_once = visitor.opens_with("empty", &next).await;
        at_once.is_redirected_to("/unique-string?a=b#c");
        visitor
            .opens_with("one", &next)
            .await
            .sees("ak-stage-dummy");
        let end = visitor.answers(json!({})).await;
        end.is_redirected_to("/unique-string?a=b#c");
    });
}

#[test]
fn no_flow_leads_to_another_site() {
    with_server(async |server| {
        server.has_flow(&Flow::new("empty"));
        server.has_flow(&Flow::new("one").dummy("one-first"));
        for next in UNSAFE {
            let mut visitor = server.visitor();
            let at_once = visitor.opens_with("empty", &query(next)).await;
            at_once.is_denied("Invalid next URL");
            visitor.opens_with("one", &query(next)).await;
            let end = visitor.answers(json!({})).await;
            end.is_denied("Invalid next URL");
        }
    });
}

#[test]
fn an_empty_next_is_none() {
    with_server(async |server| {
        server.has_flow(&Flow::new("empty"));
        let mut visitor = server.visitor();
        let end = visitor.opens_with("empty", "next=").await;
        end.is_redirected_to("/");
    });
}

#[test]
fn pages_lead_to_no_other_site_either() {
    with_server(async |server| {
        server.has_flow(&Flow::new("empty"));
        let visitor = server.visitor();
        for next in UNSAFE {
            let query = query(next);
            let page = visitor.gets(&format!("/if/flow/empty/?{query}")).await;
            page.has_status(200).shows("Invalid next URL");
            let cancelled = visitor.gets(&format!("/flows/-/cancel/?{query}")).await;
            cancelled.leads_to("/flows/-/default/invalidation/");
        }
    });
}

#[test]
fn somebody_who_is_logged_in_need_not_log_in() {
    with_server(async |server| {
        let alone = Flow::new("login").with("authentication", "require_unauthenticated");
        server.has_flow(&alone.dummy("login-first"));
        let other = Flow::new("enrol").with("authentication", "require_unauthenticated");
        let other = other.with("designation", "enrollment");
        server.has_flow(&other.dummy("enrol-first"));
        let alice = server.person();
        let mut visitor = server.visitor();
        visitor.logs_in(&alice).await;
        let sent_on = visitor.opens_with("login", &query("/unique-string")).await;
        sent_on.is_redirected_to("/unique-string");
        let refused = visitor.opens("enrol").await;
        refused.is_denied("Flow does not apply to current user.");
    });
}

#[test]
fn a_flow_for_members_refuses_strangers() {
    with_server(async |server| {
        for (slug, who) in [
            ("members", "require_authenticated"),
            ("masters", "require_superuser"),
        ] {
            let flow = Flow::new(slug).with("authentication", who);
            let flow = flow.with("designation", "stage_configuration");
            server.has_flow(&flow.dummy(&format!("{slug}-first")));
        }
        let mut visitor = server.visitor();
        for slug in ["members", "masters"] {
            let refused = visitor.opens(slug).await;
            refused.is_denied("Flow does not apply to current user.");
            // A page tells what is to be done.
            let page = visitor.gets(&format!("/if/flow/{slug}/")).await;
            page.has_status(200).shows("Log in first");
            page.shows(&format!("?next=%2Fif%2Fflow%2F{slug}%2F\""));
        }
        let alice = server.person();
        visitor.logs_in(&alice).await;
        visitor.opens("members").await.sees("ak-stage-dummy");
        visitor
            .opens("masters")
            .await
            .sees("ak-stage-access-denied");
        let page = visitor.gets("/if/flow/masters/").await;
        page.shows("Flow does not apply to current user.");
        // Who runs it is known, although nobody named themselves in it.
        let list = server.gatelog(&["execution", "list", "--json"]);
        let of_members = list.succeeds().values().into_iter();
        let of_members = of_members.filter(|it| it["flow"] == "members");
        let users: Vec<_> = of_members.map(|it| it["username"].clone()).collect();
        assert!(users.contains(&alice.username.as_str().into()), "{users:?}");
        let mut administrator = server.visitor();
        administrator.logs_in(&server.administrator).await;
        administrator.opens("masters").await.sees("ak-stage-dummy");
    });
}
