//! The rest of the API, health and files.

use std::sync::atomic::Ordering;

use super::*;
use crate::web::assets::{STYLESHEET, address};

#[actix_web::test]
async fn a_bearer_is_known_by_a_token_for_the_api_alone() {
    let server = Server::new().await;
    let alice = server.user("alice", "correct horse").await;
    let clock = &server.state.clock;
    let slug = |text: &str| text.parse().expect("a slug");
    let good = Token::new(clock, slug("good"), Intent::Api, alice.uuid);
    let other = Token::new(clock, slug("other"), Intent::AppPassword, alice.uuid);
    server.put(&good).await;
    server.put(&other).await;
    let key = |token: &Token| secrecy::ExposeSecret::expose_secret(&token.key).to_owned();
    for (authorization, status, detail) in [
        (format!("Bearer {}", key(&good)), 200, None),
        (format!("bearer {}", key(&good)), 200, None),
        (
            format!("Bearer {}", key(&other)),
            403,
            Some("Token invalid/expired"),
        ),
        ("Bearer x".to_owned(), 403, Some("Token invalid/expired")),
        (
            "Basic x".to_owned(),
            403,
            Some("Authentication credentials were not provided."),
        ),
    ] {
        let mut program = server
            .browser()
            .with_header("authorization", &authorization);
        let answer = program.get(ME).await;
        let body = answer.is(status).json();
        match detail {
            Some(detail) => assert_eq!(body["detail"], detail),
            None => assert_eq!(body["user"]["username"], "alice"),
        }
    }
    clock.advance(Duration::from_hours(25));
    let authorization = format!("Bearer {}", key(&good));
    let mut program = server
        .browser()
        .with_header("authorization", &authorization);
    program.get(ME).await.is(403);
}

#[actix_web::test]
async fn the_caller_has_every_key_that_clients_require() {
    let server = Server::new().await;
    server.user("alice", "correct horse").await;
    let mut browser = server.browser();
    browser.logs_in("alice", "correct horse").await.is(200);
    let body = browser.get(ME).await.is(200).json();
    let user = body["user"].as_object().expect("an object");
    for key in [
        "pk",
        "username",
        "name",
        "is_active",
        "is_superuser",
        "groups",
        "roles",
        "avatar",
        "uid",
        "settings",
        "system_permissions",
        "email",
        "type",
    ] {
        assert!(user.contains_key(key), "{key} is missing");
    }
    assert_eq!(user["uid"].as_str().map(str::len), Some(64));
    let put = browser.send(TestRequest::put().uri(ME)).await;
    assert_eq!(put.is(405).json()["detail"], "Method \"PUT\" not allowed.");
}

#[actix_web::test]
async fn brand_and_config_are_public() {
    let server = Server::new().await;
    let mut browser = server.browser();
    let brand = browser
        .get("/api/v3/core/brands/current/")
        .await
        .is(200)
        .json();
    assert_eq!(brand["branding_title"], "Gatelog");
    assert_eq!(brand["ui_theme"], "automatic");
    assert_eq!(
        brand["flags"].as_object().map(serde_json::Map::len),
        Some(4)
    );
    assert!(brand.get("flow_authentication").is_none());
    let mut own = server.brand();
    let login = crate::catalog::flow_by_slug(&*server.state.journal, "login").await;
    own.flow_authentication = login.expect("a read").map(|flow| flow.value.pk);
    own.branding_logo = "/media/logo-%(theme)s.svg".to_owned();
    server.put(&own).await;
    let brand = browser
        .get("/api/v3/core/brands/current/")
        .await
        .is(200)
        .json();
    assert_eq!(brand["flow_authentication"], "login");
    assert_eq!(
        brand["branding_logo_themed_urls"]["dark"],
        "/media/logo-dark.svg"
    );
    let config = browser.get("/api/v3/root/config/").await.is(200).json();
    assert_eq!(config["capabilities"], json!([]));
    let missing = browser.get("/api/v3/core/nothing/").await;
    assert_eq!(missing.is(404).json()["detail"], "Not found.");
}

#[actix_web::test]
async fn health_tells_living_from_ready() {
    let server = Server::new().await;
    let mut browser = server.browser();
    browser.get("/-/health/live/").await.is(200);
    browser.get("/-/health/ready/").await.is(200);
    let head = TestRequest::default().method(actix_web::http::Method::HEAD);
    browser.send(head.uri("/-/health/ready/")).await.is(200);
    server.state.stopping.store(true, Ordering::Relaxed);
    browser.get("/-/health/live/").await.is(200);
    browser.get("/-/health/ready/").await.is(503);
}

#[actix_web::test]
async fn pictures_are_kept_by_browsers() {
    let server = Server::new().await;
    let mut browser = server.browser();
    let path = "/static/dist/assets/icons/icon_left_brand.svg";
    let first = browser.get(path).await;
    assert_eq!(first.is(200).header("content-type"), "image/svg+xml");
    assert_eq!(first.header("cache-control"), "public, max-age=3600");
    let tag = first.header("etag").to_owned();
    let mut again = browser.clone().with_header("if-none-match", &tag);
    let same = again.get(path).await;
    assert!(same.is(304).body.is_empty());
    let sheet = browser.get(&address(STYLESHEET)).await;
    assert!(sheet.is(200).header("cache-control").contains("immutable"));
    for missing in ["/static/nothing.png", "/static/../Cargo.toml", "/static/"] {
        browser.get(missing).await.is(404);
    }
}

#[actix_web::test]
async fn whoever_searches_the_executions_waits_for_whoever_does() {
    let server = Server::new().await;
    let request = TestRequest::default().to_http_request();
    let begin = |user: u128| {
        let user = uuid::Uuid::from_u128(user);
        crate::http::scans::Scan::begin(&server.state, &request, user)
    };
    let first = begin(1).await.expect("its turn");
    let patience = Duration::from_millis(50);
    let second = tokio::time::timeout(patience, begin(2)).await;
    assert!(second.is_err(), "two at a time");
    drop(first);
    let second = tokio::time::timeout(patience, begin(2)).await;
    let mut second = second.expect("its turn").expect("its turn");
    assert!(second.goes_on().await);
}
