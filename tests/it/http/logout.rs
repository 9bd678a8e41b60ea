//! Logging out.

use serde_json::json;

use crate::support::{Flow, LOGOUT, with_server};

const ME: &str = "/api/v3/core/users/me/";

#[test]
fn the_default_flow_logs_out() {
    with_server(async |server| {
        let mut visitor = server.visitor();
        visitor.logs_in(&server.person()).await;
        let cookie = visitor.cookies().get("authentik_session").expect("it");
        let end = visitor.opens(LOGOUT).await;
        end.is_redirected_to("/");
        visitor.gets(ME).await.has_status(403);
        // The old cookie opens nothing any more.
        let thief = server.visitor();
        thief.cookies().put("authentik_session", &cookie);
        thief.gets(ME).await.has_status(403);
    });
}

#[test]
fn a_logout_leads_where_its_visitor_wanted_to_go() {
    with_server(async |server| {
        let mut visitor = server.visitor();
        visitor.logs_in(&server.person()).await;
        let end = visitor.opens_with(LOGOUT, "next=%2Fbye").await;
        end.is_redirected_to("/bye");
        visitor.gets(ME).await.has_status(403);
    });
}

#[test]
fn a_logout_gives_up_what_else_was_under_way() {
    with_server(async |server| {
        let flow = Flow::new("two").dummy("first").dummy("second");
        server.has_flow(&flow);
        let mut visitor = server.visitor();
        visitor.logs_in(&server.person()).await;
        let mut other = visitor.in_another_tab();
        other.opens("two").await;
        other.answers(json!({})).await.with("name", "second");
        visitor.opens(LOGOUT).await.is_redirected_to("/");
        other.opens("two").await.with("name", "first");
        let histories = server.histories();
        let cancelled = histories.iter().flatten();
        let cancelled = cancelled.filter(|event| event["event"] == "cancelled");
        assert_eq!(cancelled.count(), 1);
    });
}

#[test]
fn logging_out_elsewhere_leaves_this_browser_alone() {
    with_server(async |server| {
        let alice = server.person();
        let (mut here, mut there) = (server.visitor(), server.visitor());
        here.logs_in(&alice).await;
        there.logs_in(&alice).await;
        there.opens(LOGOUT).await.is_redirected_to("/");
        there.gets(ME).await.has_status(403);
        here.gets(ME).await.has_status(200);
    });
}

#[test]
fn the_default_addresses_lead_to_the_flows() {
    with_server(async |server| {
        let visitor = server.visitor();
        for (purpose, flow) in [
            ("authentication", "default-authentication-flow"),
            ("invalidation", "default-invalidation-flow"),
        ] {
            let path = format!("/flows/-/default/{purpose}/");
            let to = format!("/if/flow/{flow}/");
            visitor.gets(&path).await.has_status(302).leads_to(&to);
            let path = format!("{path}?next=%2Fa");
            let to = format!("{to}?next=%2Fa");
            visitor.gets(&path).await.leads_to(&to);
        }
    });
}
