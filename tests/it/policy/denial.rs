//! Who is not let in, what they get to see, and which flow is found for whom.

use reqwest::Method;
use serde_json::json;

use crate::support::{Flow, LOGOUT, TestServer, Visitor, with_server};

const DOES_NOT_APPLY: &str = "Flow does not apply to current user.";

/// A flow that lets nobody in, with this message or none.
fn closed(slug: &str, message: &str) -> Flow {
    let told = if message.is_empty() {
        "return False".to_owned()
    } else {
        format!("ak_message(\"{message}\")\nreturn False")
    };
    let policy = format!("{slug}-closed");
    Flow::new(slug)
        .with("designation", "enrollment")
        .expression(&policy, &told)
        .dummy(&format!("{slug}-inside"))
        .lets_in(&policy, json!({}))
}

#[test]
fn somebody_who_is_not_let_in_reads_what_the_policies_say() {
    with_server(async |server| {
        server.has_flow(&closed("closed", "come back on Monday"));
        let answer = server.visitor().opens("closed").await;
        answer
            .is_denied("come back on Monday")
            .with("pending_user", "");
        let avatar = "/static/dist/assets/images/user_default.png";
        answer.with("pending_user_avatar", avatar);

        server.has_flow(&closed("silent", ""));
        server
            .visitor()
            .opens("silent")
            .await
            .is_denied(DOES_NOT_APPLY);

        let two = closed("two", "first").expression("second", "ak_message(\"second\")");
        server.has_flow(&two.lets_in("second", json!({})));
        server
            .visitor()
            .opens("two")
            .await
            .is_denied("first\nsecond");

        server.has_group("nobody", None, &[]);
        let members = Flow::new("members").dummy("members-inside");
        server.has_flow(&members.for_group(None, "nobody", json!({})));
        server
            .visitor()
            .opens("members")
            .await
            .is_denied(DOES_NOT_APPLY);
    });
}

#[test]
fn the_denied_action_says_where_they_go() {
    with_server(async |server| {
        for action in ["message", "message_continue", "continue"] {
            server.has_flow(&closed(action, "no").with("denied_action", action));
        }
        let visits = async |slug: &str, query: &str| server.visitor().opens_with(slug, query).await;
        visits("continue", "").await.is_redirected_to("/");
        visits("continue", "next=%2Fx").await.is_redirected_to("/x");
        visits("message", "next=%2Fx").await.is_denied("no");
        visits("message_continue", "").await.is_denied("no");
        visits("message_continue", "next=%2Fx")
            .await
            .is_redirected_to("/x");
        for away in ["https%3A%2F%2Fevil.example", "%2F%2Fevil.example"] {
            let query = format!("next={away}");
            visits("message_continue", &query).await.is_denied("no");
            visits("continue", &query).await.is_redirected_to("/");
        }
        // Some clients put it into the executor's own address.
        let direct = "/api/v3/flows/executor/message_continue/?query=&next=%2Fx";
        server.visitor().gets(direct).await.is_redirected_to("/x");
        let direct = "/api/v3/flows/executor/message/?next=%2Fx";
        server.visitor().gets(direct).await.is_denied("no");
    });
}

#[test]
fn a_login_that_lets_nobody_in_sends_on_whoever_is_logged_in() {
    with_server(async |server| {
        let flow = closed("closed-login", "no").with("designation", "authentication");
        server.has_flow(&flow);
        let mut visitor = server.visitor();
        visitor.opens("closed-login").await.is_denied("no");
        visitor.logs_in(&server.person()).await;
        let answer = visitor.opens_with("closed-login", "next=%2Fhome").await;
        answer.is_redirected_to("/home");
    });
}

/// The default flow for this purpose, as a browser is sent there.
async fn default(visitor: &Visitor, designation: &str, query: &str) -> crate::support::Answer {
    visitor
        .gets(&format!("/flows/-/default/{designation}/{query}"))
        .await
}

#[test]
fn the_first_flow_by_slug_that_lets_the_visitor_in_is_the_default() {
    with_server(async |server| {
        let visitor = server.visitor();
        for designation in ["enrollment", "recovery", "unenrollment"] {
            default(&visitor, designation, "").await.has_status(404);
            let slug = |place: &str| format!("{place}-{designation}");
            let flow = |place: &str| Flow::new(&slug(place)).with("designation", designation);
            server.has_flow(&closed(&slug("a"), "no").with("designation", designation));
            default(&visitor, designation, "").await.has_status(404);
            server.has_flow(&flow("c").dummy(&slug("in-c")));
            server.has_flow(&flow("b").dummy(&slug("in-b")));
            let found = default(&visitor, designation, "?next=%2Fx&theme=dark").await;
            found.leads_to(&format!("/if/flow/b-{designation}/?next=%2Fx&theme=dark"));
        }
        default(&visitor, "nonsense", "").await.has_status(404);
    });
}

#[test]
fn a_brands_own_flow_comes_first_and_unasked() {
    with_server(async |server| {
        let visitor = server.visitor();
        // The default brand names one.
        default(&visitor, "invalidation", "")
            .await
            .leads_to(&format!("/if/flow/{LOGOUT}/"));
        server.has_flow(&closed("zz-recovery", "no").with("designation", "recovery"));
        server.apply(
            "version: 1\nentries:\n- model: authentik_brands.brand\n  identifiers:\n    \
             domain: brand.example\n  attrs:\n    flow_recovery: !Find \
             [authentik_flows.flow, [slug, zz-recovery]]\n",
        );
        default(&visitor, "recovery", "").await.has_status(404);
        let host = ("host", "id.brand.example");
        let answer = visitor
            .sends(Method::GET, "/flows/-/default/recovery/", &[host], "")
            .await;
        answer.leads_to("/if/flow/zz-recovery/");
    });
}

#[test]
fn looking_for_a_default_flow_disturbs_nobody() {
    with_server(async |server| {
        server.has_flow(&Flow::new("going").dummy("one").dummy("two"));
        let mut visitor = server.visitor();
        visitor.opens("going").await;
        visitor.answers(json!({})).await.with("name", "two");
        default(&visitor, "authentication", "")
            .await
            .has_status(302);
        visitor.looks().await.with("name", "two");
    });
}

/// A stage that can be set up, and the flow in which it is; the address that leads there.
fn with_configuration(server: &TestServer) -> String {
    let flow = Flow::new("set-up")
        .with("designation", "stage_configuration")
        .with("authentication", "require_authenticated")
        .with("title", "Hello %(user)s")
        .dummy("set-up-first")
        .dummy("set-up-second");
    server.has_flow(&flow);
    let id = "3f0c1d7e-2c52-4a8f-9d2e-6a4a53f2f001";
    server.apply(&format!(
        "version: 1\nentries:\n- model: authentik_stages_password.passwordstage\n  identifiers:\n    \
         pk: {id}\n    name: to-set-up\n  attrs:\n    backends: [authentik.core.auth.InbuiltBackend]\n    \
         configure_flow: !Find [authentik_flows.flow, [slug, set-up]]\n",
    ));
    format!("/flows/-/configure/{id}/")
}

#[test]
fn a_stage_is_set_up_by_whoever_is_logged_in() {
    with_server(async |server| {
        let configure = with_configuration(server);
        let person = server.person();
        let mut visitor = server.visitor();
        let login = format!(
            "/flows/-/default/authentication/?next={}",
            encode(&configure)
        );
        visitor.gets(&configure).await.leads_to(&login);
        visitor.logs_in(&person).await;
        for unknown in ["6c1f4c4a-0000-4000-8000-000000000000", "nonsense"] {
            let path = format!("/flows/-/configure/{unknown}/");
            visitor.gets(&path).await.has_status(404);
        }
        let answer = visitor.gets(&format!("{configure}?next=%2Fback")).await;
        answer.leads_to("/if/flow/set-up/?next=%2Fback");
        let shown = visitor.opens_with("set-up", "next=%2Fback").await;
        shown.with("name", "set-up-first");
        let title = format!("Hello {}", person.username);
        assert_eq!(shown.json()["flow_info"]["title"], title);
        visitor
            .answers(json!({}))
            .await
            .with("name", "set-up-second");
        // Asking for it once more begins anew, as the person expects.
        visitor
            .gets(&format!("{configure}?next=%2Fback"))
            .await
            .has_status(302);
        visitor.looks().await.with("name", "set-up-first");
        visitor.answers(json!({})).await;
        visitor.answers(json!({})).await.is_redirected_to("/back");
    });
}

#[test]
fn what_one_user_began_to_set_up_nobody_else_goes_on_with() {
    with_server(async |server| {
        let configure = with_configuration(server);
        let (alice, bob) = (server.person(), server.person());
        let mut visitor = server.visitor();
        visitor.logs_in(&alice).await;
        visitor.gets(&configure).await.has_status(302);
        let mut tab = visitor.in_another_tab();
        tab.opens("set-up").await.with("name", "set-up-first");
        tab.answers(json!({})).await.with("name", "set-up-second");
        // The default flow sends on whoever is logged in only where it says so; it does not.
        visitor.logs_in(&bob).await;
        let shown = tab.opens("set-up").await;
        shown.with("name", "set-up-first");
        let title = format!("Hello {}", bob.username);
        assert_eq!(shown.json()["flow_info"]["title"], title);
    });
}

#[test]
fn a_stage_that_cannot_be_set_up_is_not_found() {
    with_server(async |server| {
        let configure = with_configuration(server);
        let mut visitor = server.visitor();
        visitor.logs_in(&server.person()).await;
        // The flow lets nobody in.
        let flow = closed("set-up", "no").with("designation", "stage_configuration");
        server.has_flow(&flow.with("authentication", "none"));
        visitor.gets(&configure).await.has_status(404);
        // A kind of stage that has nothing to set up.
        let id = "3f0c1d7e-2c52-4a8f-9d2e-6a4a53f2f002";
        server.apply(&format!(
            "version: 1\nentries:\n- model: authentik_stages_dummy.dummystage\n  identifiers:\n    \
             pk: {id}\n    name: plain\n"
        ));
        let path = format!("/flows/-/configure/{id}/");
        visitor.gets(&path).await.has_status(404);
    });
}

#[test]
fn an_outpost_speaks_for_its_visitors() {
    with_server(async |server| {
        let secret = crate::support::random(60);
        server.canaries().secret("the token of an outpost", &secret);
        server.apply(&format!(
            "version: 1\nentries:\n- model: authentik_core.user\n  id: outpost\n  identifiers:\n    \
             username: ak-outpost-1\n  attrs:\n    name: outpost\n    type: internal_service_account\n\
             - model: authentik_core.token\n  identifiers:\n    identifier: outpost-1\n  attrs:\n    \
             user: !KeyOf outpost\n    intent: api\n    key: {secret}\n    expiring: false\n"
        ));
        let flow = Flow::new("behind").with("authentication", "require_outpost");
        server.has_flow(
            &flow
                .expression("from", "ak_message(str(ak_client_ip))\nreturn True")
                .dummy("behind-inside")
                .asks("behind-inside", "from", json!({})),
        );
        let visitor = server.visitor();
        let path = "/api/v3/flows/executor/behind/?query=";
        let token = ("x-authentik-outpost-token", secret.as_str());
        let remote = ("x-authentik-remote-ip", "198.51.100.23");
        let wrong = ("x-authentik-outpost-token", "wrong");
        for headers in [&[][..], &[token], &[remote], &[wrong, remote]] {
            let answer = server.visitor().sends(Method::GET, path, headers, "").await;
            answer.is_denied(DOES_NOT_APPLY);
        }
        let answer = visitor.sends(Method::GET, path, &[token, remote], "").await;
        answer.sees("ak-stage-dummy");
        let listed = server.gatelog(&["execution", "list", "--json"]).stdout;
        assert!(
            listed
                .lines()
                .next()
                .expect("one")
                .contains("198.51.100.23"),
            "{listed}"
        );
    });
}

fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
