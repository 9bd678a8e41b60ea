//! What somebody tries who wants in without a login, or wants others somewhere else.

use reqwest::Method;
use serde_json::json;

use super::browser::{AtApplication, Browser, OUTPOST, application, at_wiki, has_wiki};
use crate::support::{Options, with_server, with_server_of};

/// Where nobody may be sent.
const HOSTILE: &[&str] = &[
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https://evil.example/",
    "HTTPS://evil.example/",
    "https://wiki.example@evil.example/",
    "https://user@wiki.example/",
    "https://wiki.example\\@evil.example/",
    "https://wiki.example.evil.example/",
    "https://wiki.example:8443/",
    "http://wiki.example/",
    "https://press.example/",
    "https://wiki.example/\n",
    "/\t/evil.example",
    "/%2F/evil.example",
    "https://wiki.example//evil.example",
    "javascript:alert(1)",
    "evil.example",
];

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[test]
fn nobody_is_sent_to_another_site_after_the_login_or_after_leaving() {
    with_server(async |server| {
        has_wiki(server, &json!({}));
        server.apply(&application(
            "press",
            &json!({ "hosts": ["https://press.example"] }),
        ));
        let person = server.person();
        let mut browser = Browser::new(server);
        browser.login.logs_in(&person).await;
        let wiki = browser.at(server, "wiki.example");
        // As it has to be sent, and as a proxy sends it that cannot encode an address.
        let encoded_ones = HOSTILE.iter().map(|rd| encoded(rd));
        let bare = [
            "//evil.example/&x",
            "https://evil.example/?a&b",
            "/\\evil.example",
        ];
        for rd in encoded_ones.chain(bare.map(str::to_owned)) {
            let start = wiki.opens(&format!("/start?rd={rd}")).await;
            let to = start.has_status(302).header("location").to_owned();
            let asked = to.strip_prefix(server.base()).expect("the login");
            let granted = browser.login.gets(asked).await;
            let back = wiki.follows(&granted).await;
            back.leads_to("https://wiki.example/");
        }
        for rd in HOSTILE {
            let out = wiki.opens(&format!("/sign_out?rd={}", encoded(rd))).await;
            let to = out.has_status(302).header("location").to_owned();
            let path = to.strip_prefix(server.base()).expect("the login");
            let (_, query) = path.split_once("?next=").expect("a way back");
            let next = url::form_urlencoded::parse(format!("next={query}").as_bytes())
                .next()
                .map(|(_, next)| next.into_owned());
            let sent = browser.login.gets(&next.expect("a path")).await;
            sent.leads_to("https://wiki.example/");
        }
    });
}

#[test]
fn a_code_is_good_once_in_the_browser_that_began_and_nowhere_else() {
    with_server(async |server| {
        has_wiki(server, &json!({}));
        server.apply(&application(
            "press",
            &json!({ "hosts": ["https://press.example"] }),
        ));
        let (person, attacker) = (server.person(), server.person());
        let mut evil = Browser::new(server);
        evil.login.logs_in(&attacker).await;
        let evils = evil.at(server, "wiki.example");
        let asked = evils.is_sent_away("/").await;
        let granted = evil.login.gets(&asked).await;
        let code = granted.has_status(302).header("location").to_owned();

        // Somebody else's browser does not become the attacker, whether it had begun or not.
        let mut browser = Browser::new(server);
        let wiki = browser.at(server, "wiki.example");
        let forced = wiki.opens(&wiki.own(&code)).await;
        forced.has_status(400).shows("could not be finished");
        assert_eq!(forced.cookie("gatelog_app"), None);
        let own = wiki.is_sent_away("/").await;
        wiki.opens(&wiki.own(&code)).await.has_status(400);

        // The code of one's own is worth nothing at another application.
        browser.begins_login(&own).await;
        let login = &mut browser.login;
        login.answers(json!({ "uid_field": person.username })).await;
        login.answers(json!({ "password": person.password })).await;
        let granted = browser.login.gets(&own).await;
        let own = granted.header("location").to_owned();
        let press = wiki.with_cookies_of("press.example");
        press.opens(&wiki.own(&own)).await.has_status(400);

        // Changed it is nothing, and it is good once, also with the cookies of before.
        let which = own.rsplit_once("&state=").expect("a state").1.to_owned();
        let kept = wiki
            .visitor()
            .cookies()
            .get(&format!("gatelog_start_{which}"));
        let kept = kept.expect("a cookie");
        for (from, to) in [("code=", "code=x"), ("&state=", "&state=x"), (".", ".x")] {
            let path = wiki.own(&own);
            let at = path.rfind(from).expect("it is there");
            let changed = format!("{}{to}{}", &path[..at], &path[at + from.len()..]);
            wiki.opens(&changed).await.has_status(400);
        }
        let back = wiki.opens(&wiki.own(&own)).await;
        back.leads_to("https://wiki.example/");
        AtApplication::is_let_in(&wiki.asks("/").await, &person);
        wiki.opens(&wiki.own(&own)).await.has_status(400);
        wiki.visitor()
            .cookies()
            .put(&format!("gatelog_start_{which}"), &kept);
        let again = wiki.opens(&wiki.own(&own)).await;
        again.has_status(400);
        assert_eq!(again.cookie("gatelog_app"), None);
        // It stays used when the server has been killed.
        server.kill().await;
        wiki.opens(&wiki.own(&own)).await.has_status(400);
        AtApplication::is_let_in(&wiki.asks("/").await, &person);
    });
}

#[test]
fn the_cookie_of_one_application_is_nothing_to_another_and_neither_is_a_forged_one() {
    with_server(async |server| {
        let hosts = json!({ "hosts": ["https://wiki.example", "https://*.wiki.example"] });
        server.apply(&application("wiki", &hosts));
        server.apply(&application(
            "press",
            &json!({ "hosts": ["https://press.example"] }),
        ));
        let person = server.person();
        let mut browser = Browser::new(server);
        let wiki = browser.at(server, "wiki.example");
        browser.logs_in(&wiki, "/", &person).await;
        AtApplication::is_let_in(&wiki.asks("/").await, &person);
        for elsewhere in ["press.example", "a.wiki.example"] {
            let elsewhere = wiki.with_cookies_of(elsewhere);
            elsewhere.asks_as_nginx("/").await.has_status(401);
        }
        let cookie = wiki.visitor().cookies().get("gatelog_app").expect("it");
        let (body, tag) = cookie.split_once('.').expect("it is signed");
        let stranger = browser.at(server, "wiki.example");
        let session = browser
            .login
            .cookies()
            .get("authentik_session")
            .expect("it");
        for forged in [
            format!("{body}."),
            format!("{body}.{}", "A".repeat(tag.len())),
            format!("{body}x.{tag}"),
            format!("x{cookie}"),
            "x".to_owned(),
            session,
        ] {
            stranger.visitor().cookies().put("gatelog_app", &forged);
            stranger.asks_as_nginx("/").await.has_status(401);
        }
        // A bad one beside a good one does no harm.
        let both = format!("gatelog_app=x; gatelog_app={cookie}");
        let answer = stranger.asks_with("/", &[("cookie", &both)]).await;
        AtApplication::is_let_in(&answer, &person);
    });
}

#[test]
fn a_host_that_is_not_known_is_never_let_through() {
    with_server(async |server| {
        let (_, wiki, _) = at_wiki(server, &json!({})).await;
        for host in [
            "evil.example",
            "wiki.example.evil.example",
            "wiki.example:8443",
            "evil.example, wiki.example",
            "wiki.example, evil.example",
            "wiki.example@evil.example",
            "",
        ] {
            let there = wiki.with_cookies_of(host);
            there.asks("/").await.has_status(403);
            there.asks_as_nginx("/").await.has_status(403);
        }
        let headers = [
            ("x-forwarded-host", "wiki.example"),
            ("x-forwarded-uri", "/"),
        ];
        // Over plain HTTP it is another one.
        let plain = wiki.visitor();
        let path = format!("{OUTPOST}/auth/traefik");
        plain
            .sends(Method::GET, &path, &headers, "")
            .await
            .has_status(403);
        let none = wiki.visitor().gets(&path).await;
        none.has_status(403);
        let start = wiki.with_cookies_of("evil.example");
        start.opens("/start?rd=%2F").await.has_status(404);
        start
            .opens("/callback?code=x&state=x")
            .await
            .has_status(404);
        start.opens("/sign_out").await.has_status(404);
    });
}

#[test]
fn nobody_but_a_trusted_proxy_may_say_what_was_asked_for() {
    let nobody = Options::default().with("GATELOG_WEB__TRUSTED_PROXIES", "192.0.2.1");
    with_server_of(nobody, async |server| {
        let forward = json!({ "hosts": ["https://wiki.example"], "skip_paths": ["/public/.*"] });
        server.apply(&application("wiki", &forward));
        let browser = Browser::new(server);
        let wiki = browser.at(server, "wiki.example");
        for path in ["/", "/public/"] {
            wiki.asks(path).await.has_status(403);
            wiki.asks_as_nginx(path).await.has_status(403);
        }
    });
}

#[test]
fn a_request_that_was_not_made_here_or_for_what_is_gone_leads_nowhere() {
    with_server(async |server| {
        has_wiki(server, &json!({}));
        let person = server.person();
        let mut browser = Browser::new(server);
        let wiki = browser.at(server, "wiki.example");
        let asked = wiki.is_sent_away("/").await;
        browser.login.logs_in(&person).await;
        for forged in ["", "x", "x.y", &asked[asked.len() - 20..]] {
            let path = format!("/application/authorize/?request={forged}");
            browser.login.gets(&path).await.has_status(400);
        }
        let signed_out = browser
            .login
            .gets("/application/signed_out/?request=x")
            .await;
        signed_out.leads_to("/");
        // The application moves: what was asked for its former place is no longer answered.
        server.apply(&application(
            "wiki",
            &json!({ "hosts": ["https://notes.example"] }),
        ));
        browser.login.gets(&asked).await.has_status(400);
        wiki.asks_as_nginx("/").await.has_status(403);
    });
}

#[test]
fn other_sites_cannot_make_a_browser_log_in_or_out_behind_its_back() {
    with_server(async |server| {
        let (browser, wiki, person) = at_wiki(server, &json!({})).await;
        let embedded = [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-dest", "image"),
        ];
        wiki.opens_with("/sign_out", &embedded)
            .await
            .has_status(403);
        let asked = wiki.with_cookies_of("wiki.example");
        let start = asked.opens("/start?rd=%2F").await;
        let to = start.header("location").to_owned();
        let path = to.strip_prefix(server.base()).expect("the login");
        let login = &browser.login;
        login
            .sends(Method::GET, path, &embedded, "")
            .await
            .has_status(403);
        AtApplication::is_let_in(&wiki.asks("/").await, &person);
        // A form of ours may not be redirected to another site; a page leads there instead.
        let own = [
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-dest", "document"),
        ];
        let page = login.sends(Method::GET, path, &own, "").await;
        page.has_status(200).shows("http-equiv=\"refresh\"");
        page.shows("wiki.example");
    });
}
