//! How it ends that somebody may use an application.

use reqwest::Method;
use serde_json::json;

use super::browser::{AtApplication, Browser, application, at_wiki};
use crate::authenticator::shifts;
use crate::support::{LOGOUT, with_server};

#[test]
fn whoever_signs_out_is_logged_out_everywhere_and_comes_back() {
    with_server(async |server| {
        server.apply(&application(
            "press",
            &json!({ "hosts": ["https://press.example"] }),
        ));
        let (mut browser, wiki, person) = at_wiki(server, &json!({ "cache_seconds": 60 })).await;
        let press = browser.at(server, "press.example");
        browser.is_let_in(&press, "/").await;
        AtApplication::is_let_in(&press.asks("/").await, &person);
        let cookie = wiki.visitor().cookies().get("gatelog_app").expect("it");
        AtApplication::is_let_in(&wiki.asks("/").await, &person);

        let out = wiki.opens("/sign_out?rd=%2Fbye").await;
        let to = out.has_status(302).header("location").to_owned();
        assert_eq!(wiki.visitor().cookies().get("gatelog_app"), None);
        let path = to.strip_prefix(server.base()).expect("the login");
        let flow = browser.login.gets(path).await;
        let page = flow.has_status(302).header("location").to_owned();
        let query = page.split_once('?').expect("a query string").1;
        let end = browser.login.opens_with(LOGOUT, query).await;
        let next = end.sees("xak-flow-redirect").json()["to"].clone();
        let back = browser.login.gets(next.as_str().expect("a path")).await;
        back.leads_to("https://wiki.example/bye");
        wiki.visitor().cookies().put("gatelog_app", &cookie);
        wiki.asks_as_nginx("/").await.has_status(401);
        press.asks_as_nginx("/").await.has_status(401);
        // Also once the same person has logged in again in the same browser.
        browser.login.logs_in(&person).await;
        wiki.asks_as_nginx("/").await.has_status(401);
        press.asks_as_nginx("/").await.has_status(401);
        browser.is_let_in(&press, "/").await;
        AtApplication::is_let_in(&press.asks("/").await, &person);
    });
}

#[test]
fn a_session_that_is_ended_is_ended_for_applications_at_once() {
    with_server(async |server| {
        let (_, wiki, person) = at_wiki(server, &json!({ "cache_seconds": 60 })).await;
        let other = server.visitor();
        let mut other_browser = Browser { login: other };
        other_browser.login.logs_in(&person).await;
        let path = "/api/v3/core/authenticated_sessions/";
        let own = other_browser.login.gets(path).await.json();
        let own = own["results"].as_array().expect("a list").clone();
        let there = own
            .iter()
            .find(|it| it["current"] == false)
            .expect("the other");
        let one = format!("{path}{}/", there["uuid"].as_str().expect("a key"));
        let csrf = other_browser
            .login
            .cookies()
            .get("authentik_csrf")
            .expect("it");
        let headers = [("x-authentik-csrf", csrf.as_str())];
        let ended = other_browser
            .login
            .sends(Method::DELETE, &one, &headers, "")
            .await;
        ended.has_status(204);
        wiki.asks_as_nginx("/").await.has_status(401);
        wiki.asks("/").await.has_status(302);
    });
}

#[test]
fn whoever_is_deactivated_is_refused_at_once() {
    with_server(async |server| {
        let (_, wiki, person) = at_wiki(server, &json!({ "cache_seconds": 60 })).await;
        server.apply(&format!(
            "version: 1\nentries:\n- model: authentik_core.user\n  identifiers: {{username: {}}}\n  \
             attrs: {{is_active: false}}\n",
            person.username
        ));
        wiki.asks_as_nginx("/").await.has_status(401);
    });
}

#[test]
fn the_trail_tells_who_was_let_in_where() {
    with_server(async |server| {
        let (_, _, person) = at_wiki(server, &json!({})).await;
        let mut administrator = server.visitor();
        administrator.logs_in(&server.administrator).await;
        let path = "/api/v3/events/events/?action=authorize_application";
        let clock = gatelog::clock::Clock::system();
        let deadline = clock.monotonic() + std::time::Duration::from_secs(30);
        // Events are read out of the journal a moment later.
        let event = loop {
            let found = administrator.gets(path).await.has_status(200).json();
            if let Some(event) = found["results"].get(0) {
                break event.clone();
            }
            assert!(clock.monotonic() < deadline, "no event: {found}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        };
        assert_eq!(event["user"]["username"], person.username.as_str());
        let application = &event["context"]["authorized_application"];
        assert_eq!(application["name"], "The wiki");
        assert_eq!(application["model_name"], "application");
        assert_eq!(event["context"]["origin"], "https://wiki.example");
    });
}

#[test]
fn the_cookie_of_an_application_ends_before_the_login_where_its_operator_says_so() {
    with_server(async |server| {
        let (mut browser, wiki, person) = at_wiki(server, &json!({ "session_seconds": 60 })).await;
        shifts(server, 30).await;
        AtApplication::is_let_in(&wiki.asks("/").await, &person);
        shifts(server, 90).await;
        wiki.asks_as_nginx("/").await.has_status(401);
        // Whoever is still logged in is let in again without being asked for anything.
        let back = browser.is_let_in(&wiki, "/").await;
        back.leads_to("https://wiki.example/");
        AtApplication::is_let_in(&wiki.asks("/").await, &person);
    });
}
