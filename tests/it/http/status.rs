//! Where an execution stands, told to interfaces while something is waited for.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{CaptchaProvider, Flow, TestServer, Visitor, random, with_server};

const STATUS: &str = "/api/v3/flows/executor/wait/status/?query=";

/// A flow whose first answer takes as long as the provider does.
fn has_a_wait(server: &TestServer, provider: &CaptchaProvider) {
    let key = random(24);
    server.canaries().secret("a provider's key", &key);
    let settings = json!({
        "public_key": "the-site-key",
        "private_key": key,
        "js_url": provider.script(),
        "api_url": provider.url(),
    });
    let flow = Flow::new("wait")
        .stage("captcha", "wait-captcha", settings)
        .stage("dummy", "wait-dummy", json!({}));
    server.has_flow(&flow);
}

async fn status(visitor: &Visitor) -> Value {
    let answer = visitor.gets(STATUS).await;
    answer.has_status(200);
    answer.json()
}

#[test]
fn whoever_waits_is_told_so_and_told_when_to_look() {
    with_server(async |server| {
        let provider = CaptchaProvider::start().await;
        has_a_wait(server, &provider);
        let mut visitor = server.visitor();
        visitor.opens("wait").await.sees("ak-stage-captcha");
        let asks = status(&visitor).await;
        assert_eq!(asks["state"], "asks");
        assert_eq!(asks["until"], Value::Null);
        let token = CaptchaProvider::token(server.canaries(), "stalls=3");
        let mut other = visitor.in_another_tab();
        other.points_at("wait");
        let held = tokio::spawn(async move {
            let body = json!({ "token": token, "component": "ak-stage-captcha" });
            other.try_to_answer(&body, &[]).await.is_ok()
        });
        while provider.asked().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let waits = status(&visitor).await;
        assert_eq!(waits["state"], "waits", "{waits}");
        assert_eq!(waits["challenge"], asks["challenge"]);
        assert_eq!(waits["fulfilled"], false);
        assert_eq!(waits["until"], Value::Null, "a captcha has no deadline");
        // A stream sees the end of the wait, and what comes next.
        let mut stream = visitor.listens(STATUS).await;
        let mut told = Vec::new();
        while told.last().is_none_or(|it: &Value| it["state"] != "asks") {
            told.push(stream.next().await.expect("the stream goes on"));
        }
        assert_eq!(told[0], waits);
        let last = told.last().expect("the last one");
        assert_ne!(last["challenge"], waits["challenge"]);
        for between in &told[1..told.len() - 1] {
            assert_eq!(between["fulfilled"], true, "{between}");
        }
        assert!(held.await.expect("it is a task"));
        visitor.looks().await.sees("ak-stage-dummy");
        visitor.answers(json!({})).await;
        let over = stream.next().await.expect("the last one");
        assert_eq!(over["state"], "over");
        assert_eq!(stream.next().await, None);
    });
}

#[test]
fn nobody_is_told_of_what_another_browser_does() {
    with_server(async |server| {
        let provider = CaptchaProvider::start().await;
        has_a_wait(server, &provider);
        let mut visitor = server.visitor();
        visitor.opens("wait").await.sees("ak-stage-captcha");
        let stranger = server.visitor();
        let nothing = status(&stranger).await;
        assert_eq!(nothing["state"], "none");
        assert_eq!(nothing["challenge"], Value::Null);
        let mut stream = stranger.listens(STATUS).await;
        assert_eq!(stream.next().await.expect("one answer"), nothing);
        assert_eq!(stream.next().await, None);
    });
}
