//! The way from a page of an application to the login and back.

use serde_json::json;

use super::browser::{AtApplication, Browser, OUTPOST, application, for_group, has_wiki};
use crate::authenticator::sets_up_app;
use crate::support::{Flow, with_server};

#[test]
fn whoever_wants_a_page_comes_back_to_it_after_the_login() {
    with_server(async |server| {
        has_wiki(server, &json!({}));
        let person = server.person();
        server.has_group("writers", None, &[&person]);
        let mut browser = Browser::new(server);
        let wiki = browser.at(server, "wiki.example");
        let back = browser.logs_in(&wiki, "/deep/link?a=b", &person).await;
        back.has_status(302)
            .leads_to("https://wiki.example/deep/link?a=b");
        let cookie = back.cookie("gatelog_app").expect("a cookie");
        for part in ["; HttpOnly", "; SameSite=Lax", "; Secure", "; Path=/"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert!(!cookie.contains("Domain"), "{cookie}");
        for answer in [
            wiki.asks("/deep/link?a=b").await,
            wiki.asks("/").await,
            wiki.asks_as_nginx("/other").await,
        ] {
            AtApplication::is_let_in(&answer, &person);
            for (name, value) in [
                ("x-authentik-email", person.mail.as_str()),
                ("x-authentik-name", person.name.as_str()),
                ("x-authentik-groups", "writers"),
                ("x-authentik-entitlements", ""),
                ("x-authentik-meta-app", "wiki"),
                ("cache-control", "private, max-age=5"),
                ("vary", "Cookie, Authorization"),
            ] {
                assert_eq!(answer.header(name), value, "{name}: {answer:?}");
            }
            assert!(!answer.header("x-authentik-uid").is_empty());
        }
        // A script gets the same, and Envoy asks with the path.
        let script = wiki
            .asks_with("/api", &[("accept", "application/json")])
            .await;
        AtApplication::is_let_in(&script, &person);
        let headers = [("x-forwarded-proto", "https"), ("host", "wiki.example")];
        let path = format!("{OUTPOST}/auth/envoy/any/path?q");
        let envoy = wiki
            .visitor()
            .sends(reqwest::Method::PUT, &path, &headers, "")
            .await;
        AtApplication::is_let_in(&envoy, &person);
    });
}

#[test]
fn whoever_is_not_logged_in_gets_what_their_proxy_understands() {
    with_server(async |server| {
        has_wiki(server, &json!({}));
        let browser = Browser::new(server);
        let wiki = browser.at(server, "wiki.example");
        wiki.asks_as_nginx("/").await.has_status(401);
        let page = wiki.asks("/a?b=c").await;
        page.has_status(302).leads_to(
            "https://wiki.example/outpost.goauthentik.io/start?rd=https%3A%2F%2Fwiki.example%2Fa%3Fb%3Dc",
        );
        assert_eq!(page.header("cache-control"), "no-store");
        for headers in [
            &[("accept", "application/json")][..],
            &[("accept", "text/html"), ("sec-fetch-mode", "cors")],
            &[
                ("accept", "text/html"),
                ("x-requested-with", "XMLHttpRequest"),
            ],
        ] {
            let answer = wiki.asks_with("/", headers).await;
            answer.has_status(401);
            assert_eq!(answer.header("cache-control"), "no-store");
        }
        wiki.opens("/ping").await.has_status(204);
        wiki.opens("/nothing").await.has_status(404);
    });
}

#[test]
fn a_second_factor_is_asked_for_on_the_way() {
    with_server(async |server| {
        has_wiki(server, &json!({}));
        let person = server.person();
        let mut first = server.visitor();
        first.logs_in(&person).await;
        let app = sets_up_app(server, &mut first).await;
        let mut browser = Browser::new(server);
        let wiki = browser.at(server, "wiki.example");
        let asked = wiki.is_sent_away("/deep").await;
        browser.begins_login(&asked).await;
        let login = &mut browser.login;
        login.answers(json!({ "uid_field": person.username })).await;
        let factor = login.answers(json!({ "password": person.password })).await;
        factor.sees("ak-stage-authenticator-validate");
        // Half a login lets nobody in.
        let half = login.gets(&asked).await;
        half.has_status(302);
        assert!(half.header("location").starts_with("/if/flow/"), "{half:?}");
        wiki.asks_as_nginx("/deep").await.has_status(401);
        browser.begins_login(&asked).await;
        let login = &mut browser.login;
        login.answers(json!({ "uid_field": person.username })).await;
        login.answers(json!({ "password": person.password })).await;
        let end = login.answers(json!({ "code": app.code(1) })).await;
        end.is_redirected_to(&asked);
        let granted = login.gets(&asked).await;
        wiki.follows(&granted)
            .await
            .leads_to("https://wiki.example/deep");
        AtApplication::is_let_in(&wiki.asks("/deep").await, &person);
    });
}

#[test]
fn one_login_is_good_for_two_applications_and_each_asks_its_own_policies() {
    with_server(async |server| {
        let (writer, reader) = (server.person(), server.person());
        server.has_group("writers", None, &[&writer]);
        has_wiki(server, &json!({}));
        let hosts = json!({ "hosts": ["https://press.example", "https://*.press.example"] });
        server.apply(&for_group("press", &hosts, "writers"));
        let mut browser = Browser::new(server);
        let wiki = browser.at(server, "wiki.example");
        browser.logs_in(&wiki, "/", &writer).await;
        let press = browser.at(server, "press.example");
        let back = browser.is_let_in(&press, "/x").await;
        back.leads_to("https://press.example/x");
        AtApplication::is_let_in(&press.asks("/x").await, &writer);
        let below = browser.at(server, "a.press.example");
        browser
            .is_let_in(&below, "/")
            .await
            .leads_to("https://a.press.example/");
        AtApplication::is_let_in(&below.asks("/").await, &writer);

        let mut browser = Browser::new(server);
        let wiki = browser.at(server, "wiki.example");
        browser.logs_in(&wiki, "/", &reader).await;
        AtApplication::is_let_in(&wiki.asks("/").await, &reader);
        let press = browser.at(server, "press.example");
        let asked = press.is_sent_away("/x").await;
        let denied = browser.login.gets(&asked).await;
        denied
            .has_status(403)
            .shows("Access denied")
            .shows("The press");
        denied.shows(&reader.username).shows("Log out");
        press.asks_as_nginx("/x").await.has_status(401);
    });
}

#[test]
fn whoever_is_no_longer_allowed_is_refused_at_the_application() {
    with_server(async |server| {
        let person = server.person();
        server.has_group("writers", None, &[&person]);
        let hosts = json!({ "hosts": ["https://press.example"], "cache_seconds": 60 });
        server.apply(&for_group("press", &hosts, "writers"));
        let mut browser = Browser::new(server);
        let press = browser.at(server, "press.example");
        browser.logs_in(&press, "/", &person).await;
        AtApplication::is_let_in(&press.asks("/").await, &person);
        // Nobody waits for what is kept to become too old.
        server.has_group("writers", None, &[]);
        let denied = press.asks("/").await;
        denied
            .has_status(403)
            .shows("Access denied")
            .shows(&person.username);
        assert_eq!(denied.header("x-authentik-username"), "");
        press.asks_as_nginx("/").await.has_status(403);
        server.has_group("writers", None, &[&person]);
        AtApplication::is_let_in(&press.asks("/").await, &person);
    });
}

#[test]
fn an_application_has_its_own_flow_which_knows_for_what_it_is() {
    with_server(async |server| {
        let flow = Flow::new("strict")
            .identification_and_password()
            .expression(
                "for-wiki",
                "return context[\"application\"].slug == \"wiki\"",
            )
            .stage(
                "deny",
                "strict-deny",
                json!({ "deny_message": "not for the wiki" }),
            )
            .asks("strict-deny", "for-wiki", json!({ "negate": true }))
            .stage("user_login", "strict-login", json!({}));
        server.has_flow(&flow);
        let forward = json!({ "hosts": ["https://wiki.example"], "authentication_flow": "strict" });
        server.apply(&application("wiki", &forward));
        let person = server.person();
        let mut browser = Browser::new(server);
        let wiki = browser.at(server, "wiki.example");
        let asked = wiki.is_sent_away("/").await;
        let first = browser.begins_login(&asked).await;
        first.sees("ak-stage-identification");
        first.with("application_pre", "The wiki");
        first.with("application_pre_launch", "https://wiki.example");
        let login = &mut browser.login;
        login.answers(json!({ "uid_field": person.username })).await;
        let end = login.answers(json!({ "password": person.password })).await;
        end.is_redirected_to(&asked);
        let granted = login.gets(&asked).await;
        wiki.follows(&granted)
            .await
            .leads_to("https://wiki.example/");
        AtApplication::is_let_in(&wiki.asks("/").await, &person);
    });
}

#[test]
fn what_needs_no_login_is_let_through_and_nothing_that_only_looks_like_it() {
    with_server(async |server| {
        let forward = json!({
            "hosts": ["https://wiki.example"],
            "skip_paths": ["/public/.*", "/health"],
        });
        server.apply(&application("wiki", &forward));
        let browser = Browser::new(server);
        let wiki = browser.at(server, "wiki.example");
        for path in [
            "/public/a.css",
            "/public/a/b?c=/../d",
            "/health",
            "/health?x",
        ] {
            let answer = wiki.asks_as_nginx(path).await;
            answer.has_status(200);
            assert_eq!(answer.header("cache-control"), "no-store", "{path}");
            assert_eq!(answer.header("x-authentik-username"), "", "{path}");
        }
        for path in [
            "/",
            "/healthy",
            "/public",
            "/x/public/a",
            "/public/../admin",
            "/public/%2e%2e/admin",
            "/public/..%2fadmin",
            "/public/%252e%252e/admin",
            "/public/..;/admin",
            "/public//admin",
            "/public/..\\admin",
            "/?/public/",
        ] {
            wiki.asks_as_nginx(path).await.has_status(401);
        }
    });
}
