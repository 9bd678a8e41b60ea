//! What is sent to providers, and what becomes of strange answers.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

fn message(provider: Provider, account: &str) -> Message {
    Message {
        provider,
        account: account.to_owned(),
        auth: "an-auth".into(),
        credentials: Credentials::Basic {
            password: "a-password".into(),
        },
        from: "+1 555".to_owned(),
        to: "+49170".to_owned(),
        code: "123456".into(),
        text: "Use 123456".into(),
        body: None,
    }
}

/// Sends one message to somebody who answers so, and returns what was sent as well. No answer at
/// all is one that takes too long.
async fn sent(
    of: impl FnOnce(&str) -> Message,
    answer: Option<String>,
) -> (Result<Answer, Error>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("its address"));
    let message = of(&base);
    let serve = async {
        let (mut line, _) = listener.accept().await.expect("somebody calls");
        let mut sent = String::new();
        while !sent.contains("%2B49170") && !sent.contains("+49170") && !sent.contains("replaced") {
            let mut piece = [0; 4096];
            let length = line.read(&mut piece).await.expect("it is sent");
            assert!(length > 0, "the request ended early");
            sent.push_str(std::str::from_utf8(&piece[..length]).expect("it is plain text"));
        }
        match answer {
            Some(answer) => {
                line.write_all(answer.as_bytes()).await.expect("it is read");
            }
            None => tokio::time::sleep(Duration::from_secs(2)).await,
        }
        sent
    };
    let providers = Providers {
        patience: Duration::from_secs(1),
        ..Providers::new(&base)
    };
    tokio::join!(providers.send(&message), serve)
}

fn http(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

#[tokio::test]
async fn twilio_gets_a_form_with_its_credentials() {
    let twilio = |_: &str| message(Provider::Twilio, "AC/1");
    let (answer, sent) = sent(twilio, Some(http("201 Created", r#"{"sid":"SM1"}"#))).await;
    let answer = answer.expect("it answered");
    assert!(answer.is_taken());
    assert_eq!(answer.said, "");
    let post = "POST /2010-04-01/Accounts/AC%2F1/Messages.json HTTP/1.1\r\n";
    assert!(sent.starts_with(post), "{sent}");
    let auth = "\r\nauthorization: basic qumvmtphbi1hdxro\r\n";
    assert!(sent.to_lowercase().contains(auth), "{sent}");
    assert!(
        sent.ends_with("To=%2B49170&From=%2B1+555&Body=Use+123456"),
        "{sent}"
    );
}

#[tokio::test]
async fn a_generic_provider_gets_json_with_a_password_or_a_token() {
    let generic = |base: &str| message(Provider::Generic, &format!("{base}/send?x=1"));
    let (answer, sent_basic) = sent(generic, Some(http("200 OK", ""))).await;
    assert!(answer.expect("it answered").is_taken());
    assert!(
        sent_basic.starts_with("POST /send?x=1 HTTP/1.1\r\n"),
        "{sent_basic}"
    );
    assert!(
        sent_basic.contains("YW4tYXV0aDphLXBhc3N3b3Jk"),
        "{sent_basic}"
    );
    let (_, body) = sent_basic.split_once("\r\n\r\n").expect("a body");
    let body: Value = serde_json::from_str(body).expect("it is JSON");
    let usual =
        json!({"From": "+1 555", "To": "+49170", "Body": "123456", "Message": "Use 123456"});
    assert_eq!(body, usual);

    let bearer = |base: &str| Message {
        credentials: Credentials::Bearer,
        body: Some(r#"{"text":"replaced"}"#.into()),
        ..message(Provider::Generic, base)
    };
    let (answer, sent) = sent(bearer, Some(http("204 No Content", ""))).await;
    assert!(answer.expect("it answered").is_taken());
    assert!(sent.contains("Bearer an-auth\r\n"), "{sent}");
    assert!(sent.ends_with(r#"{"text":"replaced"}"#), "{sent}");
}

#[tokio::test]
async fn what_a_provider_complains_of_is_told_without_secrets() {
    let twilio = |_: &str| message(Provider::Twilio, "AC1");
    let body = r#"{"code":21211,"message":"Invalid 'To' number, body Use 123456","status":400}"#;
    let (answer, _) = sent(twilio, Some(http("400 Bad Request", body))).await;
    let answer = answer.expect("it answered");
    assert_eq!(answer.status, 400);
    assert_eq!(answer.said, "Invalid 'To' number, body Use ‹secret›");
    let (answer, _) = sent(twilio, Some(http("503 Later", "<h1>"))).await;
    assert_eq!(answer.expect("it answered").said, "Unable to create record");

    let generic = |base: &str| message(Provider::Generic, base);
    let (answer, _) = sent(generic, Some(http("401 No", "a-password or an-auth?\0"))).await;
    assert_eq!(answer.expect("it answered").said, "‹secret› or ‹secret›?");
    let long = "x".repeat(LONGEST * 2);
    let (answer, _) = sent(generic, Some(http("500 Oops", &long))).await;
    assert_eq!(answer.expect("it answered").said.len(), SHOWN);
}

#[tokio::test]
async fn a_redirect_is_followed_by_nobody() {
    let twilio = |_: &str| message(Provider::Twilio, "AC1");
    let moved = "HTTP/1.1 307 Moved\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    let (answer, _) = sent(twilio, Some(moved.to_owned())).await;
    let answer = answer.expect("it answered");
    assert!(!answer.is_taken());
    assert_eq!(answer.status, 307);
}

#[tokio::test]
async fn who_was_not_reached_who_was_slow_and_whose_line_broke_are_told_apart() {
    let twilio = |_: &str| message(Provider::Twilio, "AC1");
    let (answer, _) = sent(twilio, None).await;
    assert_eq!(answer, Err(Error::Slow));
    let (answer, _) = sent(twilio, Some(String::new())).await;
    assert_eq!(answer, Err(Error::Broken));
    let nobody = Providers::new("http://127.0.0.1:1");
    let answer = nobody.send(&message(Provider::Twilio, "AC1")).await;
    assert_eq!(answer, Err(Error::Unreachable("no connection")));
    for address in ["no address", "ftp://127.0.0.1/", ""] {
        let answer = nobody.send(&message(Provider::Generic, address)).await;
        assert!(
            matches!(answer, Err(Error::Unreachable(_))),
            "{address}: {answer:?}"
        );
    }
}

#[test]
fn nothing_of_a_message_is_printed_and_only_the_host_of_an_address_is_told() {
    let message = message(Provider::Generic, "https://user:pass@sms.example/key?k=1");
    assert_eq!(format!("{message:?}"), "Message { provider: Generic, .. }");
    assert_eq!(message.host(), "sms.example");
}
