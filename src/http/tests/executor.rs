//! The executor's resource.

use super::*;

const DUMMIES: &str = "/api/v3/flows/executor/dummies/?query=next%3D%252Fthere";

#[actix_web::test]
async fn the_first_challenge_comes_with_cookies_and_every_key() {
    let server = Server::new().await;
    server.dummies("dummies", 1).await;
    let mut browser = server.browser();
    let answer = browser.get("/api/v3/flows/executor/dummies/").await;
    let body = answer.is(200).json();
    assert_eq!(body["component"], "ak-stage-dummy");
    assert_eq!(body["type"], "native");
    assert_eq!(
        body["flow_info"],
        json!({"title": "Welcome", "background": "/static/dist/assets/images/flow_background.jpg",
            "background_themed_urls": null, "cancel_url": "/flows/-/cancel/", "layout": "stacked"})
    );
    assert!(body.get("response_errors").is_none());
    assert!(browser.session().is_some() && !browser.csrf().is_empty());
    assert_eq!(answer.header("x-frame-options"), "SAMEORIGIN");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("x-authentik-id").len(), 32);
    assert!(!answer.header("x-gatelog-challenge").is_empty());
    // Asking again changes nothing.
    let again = browser.get("/api/v3/flows/executor/dummies/").await;
    assert_eq!(again.json(), body);
}

#[actix_web::test]
async fn a_passed_stage_is_answered_with_the_next_one_and_the_last_with_where_to_go() {
    let server = Server::new().await;
    server.dummies("dummies", 2).await;
    let mut browser = server.browser();
    browser.get(DUMMIES).await.is(200);
    let second = browser.post(DUMMIES, &json!({})).await.is(200).json();
    assert_eq!(second["name"], "dummies-1");
    assert_eq!(
        second["flow_info"]["cancel_url"],
        "/flows/-/cancel/?next=%2Fthere"
    );
    let end = browser.post(DUMMIES, &json!({})).await;
    assert_eq!(
        end.json(),
        json!({"component": "xak-flow-redirect", "to": "/there", "type": "redirect"})
    );
}

#[actix_web::test]
async fn whatever_cannot_be_read_is_an_error_challenge_and_changes_nothing() {
    let server = Server::new().await;
    server.dummies("dummies", 2).await;
    let mut browser = server.browser();
    browser.get(DUMMIES).await.is(200);
    let large = format!("\"{}\"", "x".repeat(300 * 1024));
    let post = || TestRequest::post().uri(DUMMIES);
    let json_type = ("content-type", "application/json");
    for request in [
        post().insert_header(json_type).set_payload("{"),
        post().insert_header(json_type).set_payload(large),
        post()
            .insert_header(("content-type", "text/plain"))
            .set_payload("{}"),
        post().set_payload("{}"),
        post()
            .insert_header(json_type)
            .set_payload(&b"\xff\xfe"[..]),
        TestRequest::put().uri(DUMMIES),
        TestRequest::delete().uri(DUMMIES),
    ] {
        let answer = browser.send(request).await;
        let body = answer.is(200).json();
        assert_eq!(body["component"], "ak-stage-flow-error");
        assert_eq!(body["request_id"], answer.header("x-authentik-id"));
        assert_eq!(body.as_object().expect("an object").len(), 3);
    }
    let still = browser.get(DUMMIES).await.json();
    assert_eq!(still["name"], "dummies-0");
}

#[actix_web::test]
async fn an_empty_body_is_an_empty_answer_and_a_list_is_none() {
    let server = Server::new().await;
    server.dummies("dummies", 2).await;
    let mut browser = server.browser();
    browser.get(DUMMIES).await.is(200);
    let refused = browser.post(DUMMIES, &json!([1])).await.is(200).json();
    assert_eq!(
        refused["response_errors"]["non_field_errors"][0]["string"],
        "Invalid data. Expected a dictionary, but got list."
    );
    let next = browser.send(TestRequest::post().uri(DUMMIES)).await;
    assert_eq!(next.json()["name"], "dummies-1");
}

#[actix_web::test]
async fn an_unknown_flow_and_a_missing_slash_are_not_found() {
    let server = Server::new().await;
    let mut browser = server.browser();
    let unknown = browser.get("/api/v3/flows/executor/nothing/").await;
    assert_eq!(
        unknown.is(404).json(),
        json!({"detail": "No Flow matches the given query."})
    );
    let slashless = browser.get("/api/v3/flows/executor/login").await;
    assert_eq!(slashless.is(404).json(), json!({"detail": "Not found."}));
}

#[actix_web::test]
async fn head_and_options_are_answered() {
    let server = Server::new().await;
    let mut browser = server.browser();
    let head = TestRequest::default().method(actix_web::http::Method::HEAD);
    browser.send(head.uri(LOGIN)).await.is(200);
    let options = TestRequest::default().method(actix_web::http::Method::OPTIONS);
    let answer = browser.send(options.uri(LOGIN)).await;
    assert_eq!(answer.is(200).header("allow"), "GET, POST, HEAD, OPTIONS");
}

#[actix_web::test]
async fn whoever_is_logged_in_has_to_send_the_token() {
    let server = Server::new().await;
    server.dummies("dummies", 2).await;
    server.user("alice", "correct horse").await;
    let mut browser = server.browser();
    browser.logs_in("alice", "correct horse").await.is(200);
    browser.get(DUMMIES).await.is(200);
    let refused = browser.post(DUMMIES, &json!({})).await;
    assert_eq!(refused.is(200).json()["component"], "ak-stage-flow-error");
    let csrf = browser.csrf();
    let mut forged = browser.clone().with_header("x-authentik-csrf", "forged");
    let refused = forged.post(DUMMIES, &json!({})).await;
    assert_eq!(refused.is(200).json()["component"], "ak-stage-flow-error");
    let mut elsewhere = browser
        .clone()
        .with_header("x-authentik-csrf", &csrf)
        .with_header("origin", "https://evil.example");
    let refused = elsewhere.post(DUMMIES, &json!({})).await;
    assert_eq!(refused.is(200).json()["component"], "ak-stage-flow-error");
    let mut own = browser.with_header("x-authentik-csrf", &csrf);
    let next = own.post(DUMMIES, &json!({})).await;
    assert_eq!(next.json()["name"], "dummies-1");
}

#[actix_web::test]
async fn a_flood_from_one_address_is_slowed_down() {
    let server = Server::new().await;
    server.dummies("dummies", 1).await;
    let mut browser = server.browser();
    let mut refused = None;
    for _ in 0..200 {
        let answer = browser.post(DUMMIES, &json!({})).await;
        if answer.status != 200 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("somewhere it ends");
    assert_eq!(
        refused.is(429).json()["detail"],
        "Request was throttled. Expected available in 1 seconds."
    );
    assert_eq!(refused.header("retry-after"), "1");
    let mut other = server.browser();
    other.address = "192.0.2.2".to_owned();
    other.post(DUMMIES, &json!({})).await.is(200);
}

#[actix_web::test]
async fn whoever_is_logged_in_is_slowed_down_like_everybody_else() {
    let server = Server::new().await;
    server.user("mallory", "correct horse").await;
    let mut browser = server.browser();
    browser.logs_in("mallory", "correct horse").await.is(200);
    let csrf = browser.csrf();
    let mut browser = browser.with_header("x-authentik-csrf", &csrf);
    let mut last = 200;
    for _ in 0..200 {
        last = browser
            .post(LOGIN, &json!({"uid_field": "alice"}))
            .await
            .status;
        if last != 200 {
            break;
        }
    }
    assert_eq!(last, 429);
}

#[actix_web::test]
async fn a_query_beyond_all_measure_begins_nothing() {
    let server = Server::new().await;
    server.dummies("dummies", 1).await;
    let mut browser = server.browser();
    let long = "a".repeat(20_000);
    let path = format!("/api/v3/flows/executor/dummies/?query=next%3D%2F{long}");
    let refused = browser.get(&path).await.is(200).json();
    assert_eq!(refused["component"], "ak-stage-flow-error");
    let page = format!("/if/flow/dummies/?next=%2F{long}");
    browser.get(&page).await.is(414);
    assert!(browser.session().is_none());
}

#[actix_web::test]
async fn next_leads_nowhere_else() {
    let server = Server::new().await;
    server.flow("empty", Designation::Enrollment, &[]).await;
    for bad in [
        "http%3A%2F%2Fevil.example%2Fx",
        "%2F%2Fevil.example",
        "%2F%2F%2Fevil.example",
        "%2F%5Cevil.example",
        "https%3Aevil.example",
        "javascript%3Aalert(1)",
    ] {
        let path = format!(
            "/api/v3/flows/executor/empty/?query=next%3D{}",
            bad.replace('%', "%25")
        );
        let body = server.browser().get(&path).await.is(200).json();
        assert_eq!(body["component"], "ak-stage-access-denied", "{bad}");
        assert_eq!(body["error_message"], "Invalid next URL");
    }
}
