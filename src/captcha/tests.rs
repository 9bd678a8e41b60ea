//! What is sent, and what becomes of strange answers.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// Answers one request with `answer`, and returns what was sent.
async fn asked(answer: String, patience: Duration) -> (Result<Value, Error>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!(
        "http://{}/siteverify",
        listener.local_addr().expect("its address")
    );
    let serve = async {
        let (mut line, _) = listener.accept().await.expect("somebody calls");
        let mut sent = Vec::new();
        while !String::from_utf8_lossy(&sent).contains("remoteip=") {
            let mut piece = [0; 4096];
            let length = line.read(&mut piece).await.expect("it is sent");
            assert!(length > 0, "the request ended early");
            sent.extend_from_slice(&piece[..length]);
        }
        // Whoever has no patience has gone.
        let _ = line.write_all(answer.as_bytes()).await;
        let rest = if answer.is_empty() { 2_000 } else { 0 };
        tokio::time::sleep(Duration::from_millis(rest)).await;
        String::from_utf8(sent).expect("a form is plain text")
    };
    let providers = Providers {
        patience,
        ..Providers::default()
    };
    let question = Question {
        url,
        secret: "a key&b".into(),
        response: "tök en".into(),
        address: "192.0.2.7".parse().expect("an address"),
    };
    tokio::join!(providers.ask(&question), serve)
}

fn answer(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn a_form_with_three_fields_is_posted_and_what_is_known_of_the_answer_is_given() {
    let body =
        r#"{"success":true,"score":0.5,"more":[1],"action":"a key&b","cdata":{"x":["-tök en-"]}}"#;
    let (said, sent) = asked(answer("200 OK", body), PATIENCE).await;
    let said = said.expect("it answered");
    assert_eq!(said, serde_json::json!({"success": true, "score": 0.5}));
    assert!(sent.starts_with("POST /siteverify HTTP/1.1\r\n"), "{sent}");
    let lower = sent.to_lowercase();
    assert!(
        lower.contains("\r\ncontent-type: application/x-www-form-urlencoded\r\n"),
        "{sent}"
    );
    assert!(lower.contains("\r\nuser-agent: gatelog/"), "{sent}");
    assert!(
        sent.ends_with("\r\n\r\nsecret=a+key%26b&response=t%C3%B6k+en&remoteip=192.0.2.7"),
        "{sent}"
    );
}

#[tokio::test]
async fn whatever_is_not_json_with_success_says_nothing() {
    let long = format!("\"{}\"", "a".repeat(LONGEST));
    for (status, body, error) in [
        ("500 Oops", "{\"success\":true}", Error::Status(500)),
        ("302 Found", "", Error::Status(302)),
        ("200 OK", "<html>", Error::NotJson),
        ("200 OK", "", Error::NotJson),
        ("200 OK", &long, Error::TooLong),
    ] {
        let (said, _) = asked(answer(status, body), PATIENCE).await;
        assert_eq!(said, Err(error), "{status} {body:.20}");
    }
}

#[tokio::test]
async fn a_provider_that_is_silent_is_not_waited_for() {
    let (said, _) = asked(String::new(), Duration::from_millis(200)).await;
    assert_eq!(said, Err(Error::Unreachable("it did not answer in time")));
}

#[tokio::test]
async fn no_error_says_what_was_sent() {
    let question = Question {
        url: "http://127.0.0.1:1/secret-path".to_owned(),
        secret: "a-key".into(),
        response: "a-token".into(),
        address: "192.0.2.7".parse().expect("an address"),
    };
    let error = Providers::default().ask(&question).await;
    let error = error.expect_err("nobody listens").to_string();
    for part in ["secret-path", "a-key", "a-token", "192.0.2.7"] {
        assert!(!error.contains(part), "{error}");
    }
    assert!(!format!("{question:?}").contains("a-key"));
}
