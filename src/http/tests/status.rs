//! Where an execution stands, as an interface is told.

use actix_web::body::MessageBody;
use std::future::poll_fn;
use std::pin::Pin;

use super::*;

const STATUS: &str = "/api/v3/flows/executor/login/status/?query=";

#[actix_web::test]
async fn a_status_says_what_one_s_own_execution_does() {
    let server = Server::new().await;
    server.user("alice", "correct horse").await;
    let mut browser = server.browser();
    let nothing = json!({"state": "none", "challenge": null, "until": null, "fulfilled": false});
    assert_eq!(browser.get(STATUS).await.is(200).json(), nothing);
    assert!(browser.cookies.is_empty(), "asking begins nothing");
    let asked = browser.get(LOGIN).await;
    let asks = browser.get(STATUS).await.is(200).json();
    assert_eq!(asks["state"], "asks");
    assert_eq!(asks["challenge"], asked.header("x-gatelog-challenge"));
    let mut stranger = server.browser();
    assert_eq!(stranger.get(STATUS).await.json(), nothing);
    stranger.get(LOGIN).await.is(200);
    assert_ne!(stranger.get(STATUS).await.json(), asks);
    let elsewhere = format!("{STATUS}next%3D%252Fa");
    assert_eq!(browser.get(&elsewhere).await.json(), nothing);
    browser.logs_in("alice", "correct horse").await.is(200);
    let over = browser.get(STATUS).await.is(200).json();
    assert_eq!(over["state"], "over");
    browser.post(STATUS, &json!({})).await.is(405);
}

#[actix_web::test]
async fn a_stream_says_it_again_whenever_it_changes_and_ends_when_all_is_over() {
    let server = Server::new().await;
    server.user("alice", "correct horse").await;
    let mut browser = server.browser();
    let first = browser
        .get(LOGIN)
        .await
        .header("x-gatelog-challenge")
        .to_owned();
    let mut request = TestRequest::get()
        .uri(STATUS)
        .peer_addr("192.0.2.1:5000".parse().expect("an address"))
        .insert_header(("accept", "text/event-stream"))
        .insert_header(("user-agent", "browser/1"));
    for (name, value) in &browser.cookies {
        request = request.cookie(Cookie::new(name.clone(), value.clone()));
    }
    let app = App::new()
        .app_data(server.state.clone())
        .wrap(from_fn(request::around))
        .configure(configure);
    let service = init_service(app).await;
    let response = call_service(&service, request.to_request()).await;
    let header = |name: &str| {
        let value = response.headers().get(name).expect("the header");
        value.to_str().expect("text").to_owned()
    };
    assert_eq!(header("content-type"), "text/event-stream");
    assert_eq!(header("x-accel-buffering"), "no");
    let mut body = Box::pin(response.into_body());
    let mut next = async || {
        let chunk = poll_fn(|context| Pin::new(&mut body).as_mut().poll_next(context)).await;
        let chunk = chunk?.expect("a piece");
        let text = std::str::from_utf8(&chunk).expect("text").to_owned();
        let told = text.strip_prefix("data: ").expect("an event");
        Some(serde_json::from_str::<Value>(told).expect("JSON"))
    };
    let told = next().await.expect("the first one");
    assert_eq!(
        (&told["state"], &told["challenge"]),
        (&json!("asks"), &json!(first))
    );
    browser
        .post(LOGIN, &json!({"uid_field": "alice"}))
        .await
        .is(200);
    let told = next().await.expect("the second one");
    assert_eq!(told["state"], "asks");
    assert_ne!(told["challenge"], first.as_str());
    browser
        .post(LOGIN, &json!({"password": "correct horse"}))
        .await
        .is(200);
    assert_eq!(next().await.expect("the last one")["state"], "over");
    assert_eq!(next().await, None);
}
