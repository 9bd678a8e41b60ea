//! Applications that know nothing of logins, behind real proxies that are set up as `docs/deploy/` says, and people
//! in front of a real browser.

mod application;
mod front;
mod place;

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use thirtyfour::prelude::*;

use crate::authenticator::gets_codes;
use crate::browser::{Browsers, Window, with_browsers};
use crate::deploy::{file, yaml};
use crate::support::{Options, Person, TestServer};
use application::said;
use front::Kind;
use place::Place;

/// Where a page of an application shows the request that reached it.
const REQUEST: &str = "#request";

/// A page behind a long address, with all that a redirect could lose.
const DEEP: &str = "/docs/a%20page/?first=1&second=two%26three";

/// Somebody with a password and codes on paper.
struct Visitor {
    person: Person,
    codes: Vec<String>,
}

impl Visitor {
    async fn new(server: &TestServer) -> Self {
        let person = server.person();
        let mut visitor = server.visitor();
        visitor.logs_in(&person).await;
        let codes = gets_codes(server, &mut visitor).await;
        Self { person, codes }
    }

    /// Answers all that the login asks, from wherever it was begun.
    async fn logs_in(&mut self, window: &Window) -> WebDriverResult<()> {
        window.names(&self.person).await?;
        window.proves(&self.person).await?;
        let code = self.codes.pop().expect("a code is left");
        window.types("code", &code).await?;
        window.presses().await
    }
}

/// Runs a scenario behind a proxy, in a browser that may go to its applications.
fn behind(
    kind: Kind,
    scenario: impl AsyncFnOnce(&TestServer, &Place, &Window) -> WebDriverResult<()>,
) {
    let Some(program) = kind.program() else {
        return;
    };
    let port = front::port();
    let options = Options::default().with("GATELOG_WEB__PUBLIC_URL", &place::login(port));
    with_browsers(options, async |server, browsers: &Browsers| {
        let place = Place::open(port, kind, program, server).await;
        let window = browsers.open_at(&place.login()).await?;
        for origin in [place.login(), place.at_wiki(""), place.at_vault("")] {
            window.may_ask(&origin);
        }
        scenario(server, &place, &window).await
    });
}

/// The request that the page shows, once the browser is at this address.
async fn shown_at(window: &Window, address: &str) -> WebDriverResult<String> {
    let mut at = String::new();
    for _ in 0..600 {
        at = window.current_url().await?.to_string();
        if at == address {
            return window.sees(REQUEST).await?.text().await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it is at {at} instead of {address}");
}

/// The request says this under the name, once.
#[track_caller]
fn is(head: &str, name: &str, value: &str) {
    assert_eq!(said(head, name), [value], "{head}");
}

/// The request is of this person, and says nothing else about who it is.
#[track_caller]
fn is_of(head: &str, person: &Person, slug: &str) {
    is(head, "X-authentik-username", &person.username);
    is(head, "X-authentik-email", &person.mail);
    is(head, "X-authentik-name", &person.name);
    is(head, "X-authentik-meta-app", slug);
    assert_eq!(said(head, "X-authentik-uid").len(), 1, "{head}");
    assert!(!head.contains("forged"), "{head}");
}

/// What somebody outside adds to a request, hoping that it gets through.
const FORGED: [(&str, &str); 6] = [
    ("X-authentik-username", "forged-by-name"),
    ("x-authentik-groups", "forged-group"),
    ("X-Authentik-Entitlements", "forged-entitlement"),
    ("X_authentik_username", "forged-by-underscore"),
    ("X-authentik_email", "forged-by-both"),
    ("X-authentik-meta-jwks", "forged-by-a-name-that-nobody-sets"),
];

async fn first_visit_and_the_next(
    server: &TestServer,
    place: &Place,
    window: &Window,
) -> WebDriverResult<()> {
    let mut alice = Visitor::new(server).await;
    server.has_group("keepers", None, &[&alice.person]);
    // The first visit leads to the login, and from there to the very page.
    window.goto(place.at_wiki(DEEP)).await?;
    window.sees("input[name=uid_field]").await?;
    assert!(place.wiki.seen().is_empty(), "it reached the application");
    alice.logs_in(window).await?;
    let head = shown_at(window, &place.at_wiki(DEEP)).await?;
    is_of(&head, &alice.person, "wiki");
    let line = head.lines().next().unwrap_or_default();
    assert_eq!(
        line,
        "GET /docs/a%20page/?first=1&second=two%26three HTTP/1.1"
    );
    // Within the session nothing is asked.
    window.goto(place.at_wiki("/another")).await?;
    is_of(
        &shown_at(window, &place.at_wiki("/another")).await?,
        &alice.person,
        "wiki",
    );
    // The other application asks nothing either, and knows the groups.
    window.goto(place.at_vault("/")).await?;
    let head = shown_at(window, &place.at_vault("/")).await?;
    is_of(&head, &alice.person, "vault");
    assert_eq!(said(&head, "X-authentik-groups"), ["keepers"], "{head}");
    // Forged ones come to nothing, also beside a login.
    let forged: serde_json::Map<_, _> = FORGED
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    window
        .commands("Network.setExtraHTTPHeaders", json!({ "headers": forged }))
        .await?;
    window.goto(place.at_wiki("/once-more")).await?;
    is_of(
        &shown_at(window, &place.at_wiki("/once-more")).await?,
        &alice.person,
        "wiki",
    );
    Ok(())
}

#[test]
fn a_first_visit_leads_through_the_login_to_the_page_and_the_next_application_asks_nothing_behind_nginx()
 {
    behind(Kind::Nginx, first_visit_and_the_next);
}

#[test]
fn a_first_visit_leads_through_the_login_to_the_page_and_the_next_application_asks_nothing_behind_caddy()
 {
    behind(Kind::Caddy, first_visit_and_the_next);
}

async fn denied_and_ended(
    server: &TestServer,
    place: &Place,
    window: &Window,
) -> WebDriverResult<()> {
    let mut bob = Visitor::new(server).await;
    // Denied after the login, with words, and nothing reaches the application.
    window.expects("403");
    window.goto(place.at_vault("/secret")).await?;
    bob.logs_in(window).await?;
    window.shows("h1", "Access denied").await?;
    window.shows("main", &bob.person.username).await?;
    assert!(place.vault.seen().is_empty(), "it reached the application");
    // What the login is good for, it is good for.
    window.goto(place.at_wiki("/")).await?;
    is_of(
        &shown_at(window, &place.at_wiki("/")).await?,
        &bob.person,
        "wiki",
    );
    // An operator sets another password, which ends what is open: the next page that is not remembered any more
    // asks who it is.
    let other = "another-password-of-an-operator";
    server.canaries().secret("another password", other);
    let set = [
        "user",
        "set-password",
        &bob.person.username,
        "--password-stdin",
    ];
    server.gatelog_reading(&set, other).succeeds();
    leads_to_login(window, &place.at_wiki("/later/")).await?;
    window.sees("input[name=uid_field]").await?;
    Ok(())
}

/// Opens one page of an application after the other until the browser is at the login, since what is remembered of
/// a session is good for some seconds more.
async fn leads_to_login(window: &Window, pages: &str) -> WebDriverResult<()> {
    for number in 0..600 {
        window.goto(format!("{pages}{number}")).await?;
        if window.current_url().await?.host_str() == Some("login.localhost") {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("a session that was ended goes on at {pages}");
}

#[test]
fn who_may_not_is_denied_and_a_session_that_an_operator_ends_is_over_behind_nginx() {
    behind(Kind::Nginx, denied_and_ended);
}

#[test]
fn who_may_not_is_denied_and_a_session_that_an_operator_ends_is_over_behind_caddy() {
    behind(Kind::Caddy, denied_and_ended);
}

async fn leads_nowhere_else(
    server: &TestServer,
    place: &Place,
    window: &Window,
) -> WebDriverResult<()> {
    let mut eve = Visitor::new(server).await;
    let root = place.at_wiki("/");
    let start = place.at_wiki("/outpost.goauthentik.io/start?rd=");
    let hostile = [
        "https://evil.example/".to_owned(),
        "//evil.example/".to_owned(),
        "/\\evil.example/".to_owned(),
        "https:evil.example".to_owned(),
        format!("{}@evil.example/", place.at_wiki("")),
        format!("{}.evil.example/", place.at_wiki("")),
        "javascript:alert(1)".to_owned(),
        "data:text/html,x".to_owned(),
    ];
    let mut is_first = true;
    for rd in hostile {
        let encoded: String = url::form_urlencoded::byte_serialize(rd.as_bytes()).collect();
        window.goto(format!("{start}{encoded}")).await?;
        if is_first {
            eve.logs_in(window).await?;
            is_first = false;
        }
        shown_at(window, &root).await?;
    }
    // Nor does the login itself, whatever it is asked to go on to.
    let next = format!(
        "{}/if/flow/default-invalidation-flow/?next=https://evil.example/",
        place.login()
    );
    window.goto(next).await?;
    let at = window.current_url().await?;
    assert_ne!(at.host_str(), Some("evil.example"));
    Ok(())
}

#[test]
fn a_hostile_address_to_go_back_to_leads_to_the_application_behind_nginx() {
    behind(Kind::Nginx, leads_nowhere_else);
}

#[test]
fn a_hostile_address_to_go_back_to_leads_to_the_application_behind_caddy() {
    behind(Kind::Caddy, leads_nowhere_else);
}

async fn signs_out(server: &TestServer, place: &Place, window: &Window) -> WebDriverResult<()> {
    let mut carol = Visitor::new(server).await;
    server.has_group("keepers", None, &[&carol.person]);
    window.goto(place.at_vault("/")).await?;
    carol.logs_in(window).await?;
    shown_at(window, &place.at_vault("/")).await?;
    window.goto(place.at_wiki("/")).await?;
    shown_at(window, &place.at_wiki("/")).await?;
    window
        .goto(place.at_wiki("/outpost.goauthentik.io/sign_out"))
        .await?;
    // All applications are signed out of, once nothing is remembered of them.
    for application in [place.at_wiki("/"), place.at_vault("/")] {
        leads_to_login(window, &application).await?;
    }
    Ok(())
}

#[test]
fn signing_out_of_one_application_signs_out_of_all_behind_nginx() {
    behind(Kind::Nginx, signs_out);
}

#[test]
fn signing_out_of_one_application_signs_out_of_all_behind_caddy() {
    behind(Kind::Caddy, signs_out);
}

/// Programs have tokens, pages that need no login are everybody's, and a request says nothing of who it is but what
/// Gatelog says.
async fn programs(server: &TestServer, place: &Place) {
    let person = server.person();
    // What it prints holds the key, so it is not searched for it.
    let made = server.gatelog_at_length(&["token", "create", &person.username]);
    let key = made.succeeds().stdout.trim().to_owned();
    server.canaries().secret("a token", &key);
    let bearer = format!("Bearer {key}");
    let headers = [&FORGED[..], &[("Authorization", bearer.as_str())]].concat();
    let answer = place.asks(server, &place.at_wiki("/api"), &headers).await;
    assert_eq!(answer.status(), 200);
    let seen = place.wiki.seen().pop().expect("it came there");
    is_of(&seen, &person, "wiki");
    // To a skipped path nobody is known, and a forged name is none.
    let answer = place
        .asks(server, &place.at_wiki("/public/a"), &FORGED)
        .await;
    assert_eq!(answer.status(), 200);
    let seen = place.wiki.seen().pop().expect("it came there");
    for (name, _) in FORGED {
        let values = said(&seen, name);
        assert!(values.iter().all(String::is_empty), "{name}: {values:?}");
    }
    // What was said of a skipped path is not believed of another one.
    let before = place.wiki.seen().len();
    for (headers, is_right) in [
        (vec![], false),
        (
            vec![("Authorization", "Bearer wrong-and-long-enough")],
            false,
        ),
        (vec![("Cookie", "gatelog_app=made-up")], false),
    ] {
        place
            .asks(server, &place.at_wiki("/public/a"), &headers)
            .await;
        let answer = place.asks(server, &place.at_wiki("/api"), &headers).await;
        assert_eq!(answer.status() == 200, is_right, "{headers:?}: {answer:?}");
    }
    let reached = place.wiki.seen()[before..].to_vec();
    assert!(
        reached.iter().all(|it| it.starts_with("GET /public/a ")),
        "{reached:?}"
    );
}

/// Runs it without a browser.
fn programs_behind(kind: Kind) {
    let Some(program) = kind.program() else {
        return;
    };
    let port = front::port();
    let options = Options::default().with("GATELOG_WEB__PUBLIC_URL", &place::login(port));
    crate::support::with_server_of(options, async |server| {
        let place = Place::open(port, kind, program, server).await;
        programs(server, &place).await;
    });
}

#[test]
fn programs_come_with_tokens_and_nobody_says_who_they_are_themselves_behind_nginx() {
    programs_behind(Kind::Nginx);
}

#[test]
fn programs_come_with_tokens_and_nobody_says_who_they_are_themselves_behind_caddy() {
    programs_behind(Kind::Caddy);
}

/// The headers that the server says, which every file has to know of.
const IDENTITY: [&str; 8] = [
    "x-authentik-username",
    "x-authentik-groups",
    "x-authentik-entitlements",
    "x-authentik-email",
    "x-authentik-name",
    "x-authentik-uid",
    "x-authentik-meta-app",
    "x-authentik-meta-version",
];

#[test]
fn every_file_for_a_proxy_hands_on_all_that_is_said_of_somebody() {
    for (name, once) in [
        ("nginx-application.conf", 2),
        ("Caddyfile", 1),
        ("envoy.yml", 1),
    ] {
        let text = file(name).to_lowercase();
        let named: BTreeSet<&str> = IDENTITY
            .into_iter()
            .filter(|it| text.replace('_', "-").matches(it).count() >= once)
            .collect();
        assert_eq!(named.len(), IDENTITY.len(), "{name}: {named:?}");
    }
}

/// Neither runs here, so their files are read: what takes forged headers away comes before what asks, and what is
/// referred to is there.
#[test]
fn the_files_for_traefik_and_envoy_hold_together() {
    let traefik = yaml::read(&file("traefik.yml"));
    let http = &traefik["http"];
    for router in http["routers"].as_object().expect("routers").values() {
        let service = router["service"].as_str().expect("a service");
        assert!(http["services"][service].is_object(), "{service}");
        for middleware in router["middlewares"].as_array().into_iter().flatten() {
            let name = middleware.as_str().expect("a name");
            assert!(http["middlewares"][name].is_object(), "{name}");
        }
    }
    let asks = &http["middlewares"]["gatelog"]["forwardAuth"];
    assert_eq!(asks["trustForwardHeader"], false);
    let taken = asks["authResponseHeadersRegex"].as_str().expect("names");
    let taken = fancy_regex::Regex::new(taken).expect("an expression");
    for name in IDENTITY.iter().chain(FORGED.iter().map(|it| &it.0)) {
        assert!(taken.is_match(name).expect("it is simple"), "{name}");
    }

    let envoy = yaml::read(&file("envoy.yml"));
    let listener = &envoy["static_resources"]["listeners"][0];
    let manager = &listener["filter_chains"][0]["filters"][0]["typed_config"];
    let filters = manager["http_filters"].as_array().expect("filters");
    let order: Vec<_> = filters
        .iter()
        .filter_map(|it| it["name"].as_str())
        .collect();
    assert_eq!(
        order,
        [
            "envoy.filters.http.header_mutation",
            "envoy.filters.http.ext_authz",
            "envoy.filters.http.router"
        ]
    );
    let asks = &filters[1]["typed_config"];
    assert_eq!(asks["failure_mode_allow"], false);
    let clusters = &envoy["static_resources"]["clusters"];
    let clusters = clusters.as_array().expect("clusters");
    let is_known = |name: &serde_json::Value| clusters.iter().any(|it| it["name"] == *name);
    assert!(is_known(&asks["http_service"]["server_uri"]["cluster"]));
    for host in manager["route_config"]["virtual_hosts"]
        .as_array()
        .expect("hosts")
    {
        for route in host["routes"].as_array().expect("routes") {
            assert!(is_known(&route["route"]["cluster"]), "{route}");
        }
    }
}
