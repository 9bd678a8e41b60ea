//! The cookie by which a login stage knows a browser again.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Answer, Flow, Person, TestServer, Visitor, forms, with_server};

const DEVICE: &str = "authentik_device";

fn flow(slug: &str, attrs: Value) -> Flow {
    let flow = Flow::new(slug).identification_and_password();
    flow.stage("user_login", &format!("{slug}-login"), attrs)
}

async fn logs_in(visitor: &mut Visitor, slug: &str, person: &Person) -> Answer {
    visitor.opens(slug).await;
    let who = json!({ "uid_field": person.username });
    visitor.answers(who).await.sees("ak-stage-password");
    visitor
        .answers(json!({ "password": person.password }))
        .await
}

/// Somebody with another browser at another address, who has this cookie all the same.
fn with_cookie(server: &TestServer, cookie: Option<&str>) -> Visitor {
    let visitor = server.visitor();
    if let Some(cookie) = cookie {
        visitor.cookies().put(DEVICE, cookie);
    }
    visitor
}

/// What the latest execution says of the device.
#[track_caller]
fn is_known(server: &TestServer) -> bool {
    let history = server.histories().remove(0);
    let known = history.iter().rev().find_map(|event| {
        let is_it = event["event"] == "context_changed" && event["key"] == "auth_method_args";
        event["value"]["value"]["known_device"]
            .as_bool()
            .filter(|_| is_it)
    });
    known.expect("the stage says so")
}

fn max_age(answer: &Answer) -> Option<i64> {
    let cookie = answer.cookie(DEVICE)?;
    let mut parts = cookie.split("; ");
    parts.find_map(|it| it.strip_prefix("Max-Age=")?.parse().ok())
}

#[test]
fn a_browser_is_known_by_its_cookie_to_the_stage_that_gave_it_for_the_user_who_got_it() {
    with_server(async |server| {
        let (alice, bob) = (server.person(), server.person());
        server.has_flow(&flow("door", json!({})));
        server.has_flow(&flow("gate", json!({})));
        let mut first = server.visitor();
        let end = logs_in(&mut first, "door", &alice).await;
        end.is_redirected_to("/");
        assert!(!is_known(server), "nobody was here before");
        let cookie = end.cookie(DEVICE).expect("the browser gets a cookie");
        for part in ["; HttpOnly", "; SameSite=Lax", "; Path=/"] {
            assert!(cookie.contains(part), "{part}: {cookie}");
        }
        assert!(!cookie.contains("Secure") && !cookie.contains("Domain"));
        let age = max_age(&end).expect("it ends");
        assert!((30 * 86_400 - 10..=30 * 86_400).contains(&age), "{age}");

        let cookie = first.cookies().get(DEVICE).expect("it was kept");
        server.restart().await;
        for (flow, person, cookie, known) in [
            ("door", &alice, Some(cookie.as_str()), true),
            ("door", &alice, None, false),
            ("door", &bob, Some(cookie.as_str()), false),
            ("gate", &alice, Some(cookie.as_str()), false),
            ("door", &alice, Some("eyJhbGciOiJub25lIn0.e30."), false),
            ("door", &alice, Some(&cookie[..cookie.len() - 4]), false),
        ] {
            let mut visitor = with_cookie(server, cookie);
            let end = logs_in(&mut visitor, flow, person).await;
            end.is_redirected_to("/");
            assert_eq!(is_known(server), known, "{flow} {cookie:?}");
        }
    });
}

#[test]
fn a_browser_is_known_for_as_long_as_the_operator_says() {
    with_server(async |server| {
        let alice = server.person();
        let brief = json!({ "remember_device": "seconds=3" });
        server.has_flow(&flow("brief", brief));
        server.has_flow(&flow("never", json!({ "remember_device": "seconds=0" })));
        let none = logs_in(&mut server.visitor(), "never", &alice).await;
        none.is_redirected_to("/");
        assert_eq!(none.cookie(DEVICE), None);

        let mut first = server.visitor();
        logs_in(&mut first, "brief", &alice).await;
        let cookie = first.cookies().get(DEVICE);
        let mut soon = with_cookie(server, cookie.as_deref());
        logs_in(&mut soon, "brief", &alice).await;
        assert!(is_known(server));
        tokio::time::sleep(Duration::from_secs(4)).await;
        let mut late = with_cookie(server, cookie.as_deref());
        logs_in(&mut late, "brief", &alice).await;
        assert!(!is_known(server));
    });
}

#[test]
fn whoever_does_not_want_to_be_remembered_is_not() {
    with_server(async |server| {
        let alice = server.person();
        server.has_flow(&flow("stay", json!({ "remember_me_offset": "days=7" })));
        for (remember, remembered) in [(true, true), (false, false)] {
            let mut visitor = server.visitor();
            let asked = logs_in(&mut visitor, "stay", &alice).await;
            asked.sees("ak-stage-user-login");
            assert_eq!(asked.cookie(DEVICE), None);
            let end = visitor.answers(json!({ "remember_me": remember })).await;
            end.is_redirected_to("/");
            assert_eq!(end.cookie(DEVICE).is_some(), remembered);
        }
    });
}

#[test]
fn over_tls_and_on_pages_the_cookie_is_set_as_well() {
    with_server(async |server| {
        let alice = server.person();
        server.has_flow(&flow("door", json!({})));
        let mut visitor = server.visitor();
        let tls = [("x-forwarded-proto", "https")];
        visitor.opens("door").await;
        for body in [
            json!({ "uid_field": alice.username }),
            json!({ "password": alice.password }),
        ] {
            let answer = visitor.answers_exactly(&body, &tls).await;
            answer.has_status(200);
            let cookie = answer.cookie(DEVICE);
            assert!(
                cookie.is_none_or(|it| it.contains("; Secure")),
                "{cookie:?}"
            );
        }
        assert!(visitor.cookies().get(DEVICE).is_some());

        let visitor = server.visitor();
        let form = visitor.form_at("/if/flow/door/").await;
        visitor
            .submits(&form.fill("uid_field", &alice.username))
            .await;
        let page = visitor.gets("/if/flow/door/").await;
        let form = forms(&page.text).remove(0);
        let end = visitor
            .submits(&form.fill("password", &alice.password))
            .await;
        end.leads_to("/");
        assert!(end.cookie(DEVICE).is_some(), "{end:?}");
    });
}
