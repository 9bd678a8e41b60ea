//! What is sent, and what becomes of strange answers.

use secrecy::ExposeSecret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// Duo, as it answers one request after the other; what it was sent.
async fn served<T>(
    answers: &[String],
    asks: impl AsyncFnOnce(&Duo, &Account) -> T,
) -> (T, Vec<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let host = format!("http://{}", listener.local_addr().expect("its address"));
    let account = Account {
        host,
        key: "DIKEY".to_owned(),
        secret: "the secret".into(),
    };
    let serve = async {
        let mut sent = Vec::new();
        for answer in answers {
            let (mut line, _) = listener.accept().await.expect("somebody calls");
            let mut text = String::new();
            while !is_whole(&text) {
                let mut piece = [0; 4096];
                let length = line.read(&mut piece).await.expect("it is sent");
                assert!(length > 0, "the request ended early");
                text.push_str(std::str::from_utf8(&piece[..length]).expect("plain text"));
            }
            sent.push(text);
            // Whoever has no patience has gone.
            let _ = line.write_all(answer.as_bytes()).await;
        }
        sent
    };
    let duo = Duo::default();
    tokio::join!(asks(&duo, &account), serve)
}

fn is_whole(text: &str) -> bool {
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let lower = head.to_lowercase();
    let length = lower.split("content-length: ").nth(1);
    let length = length.and_then(|it| it.split("\r\n").next()?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

fn answer(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn ok(response: &str) -> String {
    answer(
        "200 OK",
        &format!(r#"{{"stat":"OK","response":{response}}}"#),
    )
}

fn push(account: &Account) -> Push {
    Push {
        account: account.clone(),
        user_id: "DU1".to_owned(),
        username: "jösé".to_owned(),
        address: "192.0.2.7".parse().expect("an address"),
        domain: Some("login.example".to_owned()),
        application: Some("Über & co".to_owned()),
        kind: "Example Login request".to_owned(),
    }
}

#[tokio::test]
async fn a_push_is_asked_for_in_one_signed_request() {
    let (said, sent) = served(&[ok(r#"{"txid":"t-1"}"#)], async |duo, account| {
        duo.push(&push(account)).await
    })
    .await;
    assert_eq!(said, Ok("t-1".to_owned()));
    assert!(
        sent[0].starts_with("POST /auth/v2/auth HTTP/1.1\r\n"),
        "{sent:?}"
    );
    let body = r#"{"async":"1","device":"auto","display_username":"jösé","factor":"auto","ipaddr":"192.0.2.7","pushinfo":"Domain=login.example&Application=%C3%9Cber+%26+co","type":"Example Login request","user_id":"DU1"}"#;
    assert!(sent[0].ends_with(&format!("\r\n\r\n{body}")), "{sent:?}");
    let lower = sent[0].to_lowercase();
    for header in [
        "content-type: application/json",
        "authorization: basic ",
        "user-agent: gatelog/",
    ] {
        assert!(
            lower.contains(&format!("\r\n{header}")),
            "{header}: {lower}"
        );
    }
    assert!(lower.contains(" -0000\r\n"), "{lower}");
}

#[tokio::test]
async fn a_refusal_is_told_from_an_absence() {
    let refused = |code, message: &str| {
        let message = message.to_owned();
        Err(Error::Refused { code, message })
    };
    let strange = Err(Error::STRANGE);
    let cases = [
        (
            answer(
                "400 Bad Request",
                r#"{"stat":"FAIL","code":40002,"message":"Invalid request parameters","message_detail":"user_id"}"#,
            ),
            refused(
                Some(40002),
                "Received 400 Invalid request parameters (user_id)",
            ),
        ),
        (
            answer(
                "401 Unauthorized",
                r#"{"stat":"FAIL","code":40103,"message":"Invalid signature in the secret"}"#,
            ),
            refused(Some(40103), "Received 401"),
        ),
        (
            answer("403 Forbidden", "<html>"),
            refused(None, "Received 403 Forbidden"),
        ),
        (
            answer("200 OK", r#"{"stat":"FAIL","code":1,"message":"No\nway"}"#),
            refused(Some(1), "Received 200 Noway"),
        ),
        (
            answer("500 Oops", r#"{"stat":"OK","response":{"txid":"t"}}"#),
            Err(Error::Unreachable("it is out of order")),
        ),
        (
            answer("302 Found", ""),
            Err(Error::Unreachable("it sends requests elsewhere")),
        ),
        (answer("200 OK", "<html>"), strange.clone()),
        (answer("200 OK", ""), strange),
        (
            ok("{}"),
            Err(Error::Broken(
                "the answer does not say what the push is called",
            )),
        ),
        (String::new(), Err(Error::Broken("the connection broke"))),
    ];
    for (answer, expected) in cases {
        let (said, _) = served(std::slice::from_ref(&answer), async |duo, account| {
            duo.push(&push(account)).await
        })
        .await;
        assert_eq!(said, expected, "{answer}");
    }
}

#[tokio::test]
async fn where_nobody_listens_nothing_was_done() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let host = format!("http://{}", listener.local_addr().expect("its address"));
    drop(listener);
    let account = Account {
        host,
        key: String::new(),
        secret: SecretString::default(),
    };
    let said = Duo::default().push(&push(&account)).await;
    assert_eq!(said, Err(Error::Unreachable("no connection")));
}

#[tokio::test]
async fn whoever_is_too_fast_asks_again_a_little_later() {
    let busy = answer("429 Too Many Requests", r#"{"stat":"FAIL","code":42901}"#);
    let (said, sent) = served(&[busy, ok(r#"{"txid":"t-2"}"#)], async |duo, account| {
        duo.push(&push(account)).await
    })
    .await;
    assert_eq!(said, Ok("t-2".to_owned()));
    assert_eq!(sent.len(), 2);
}

#[tokio::test]
async fn the_fate_of_a_push_is_asked_for_until_somebody_decides() {
    let waiting = ok(r#"{"result":"waiting","status":"pushed","status_msg":"Pushed"}"#);
    let broken = answer("503 Busy", "");
    let denied = ok(r#"{"result":"deny","status":"fraud","status_msg":"Login marked as fraud"}"#);
    let (said, sent) = served(&[waiting, broken, denied], async |duo, account| {
        duo.fate(account, "t 1").await
    })
    .await;
    let fate = Fate {
        result: "deny".to_owned(),
        status: "fraud".to_owned(),
        message: "Login marked as fraud".to_owned(),
    };
    assert_eq!(said, Ok(fate));
    let line = "GET /auth/v2/auth_status?txid=t%201 HTTP/1.1\r\n";
    assert!(sent.iter().all(|it| it.starts_with(line)), "{sent:?}");
}

#[tokio::test]
async fn the_fate_of_a_push_that_is_unknown_is_not_asked_for_again() {
    let unknown = answer(
        "400 Bad Request",
        r#"{"stat":"FAIL","code":40002,"message":"Invalid request parameters","message_detail":"txid"}"#,
    );
    let (said, _) = served(&[unknown], async |duo, account| {
        duo.fate(account, "t").await
    })
    .await;
    assert!(
        matches!(
            said,
            Err(Error::Refused {
                code: Some(40002),
                ..
            })
        ),
        "{said:?}"
    );
}

#[tokio::test]
async fn what_an_enrolment_is_done_with_is_given_and_not_printed() {
    let said = ok(
        r#"{"user_id":"DU1","activation_barcode":"https://x/qr","activation_code":"duo://code"}"#,
    );
    let (said, sent) = served(&[said], async |duo, account| {
        duo.enrol(account, "alice").await
    })
    .await;
    let said = said.expect("it is given");
    assert_eq!(said.activation_code.expose_secret(), "duo://code");
    let printed = format!("{said:?}");
    assert!(
        !printed.contains("duo://") && !printed.contains("/qr"),
        "{printed}"
    );
    assert!(
        sent[0].ends_with("\r\n\r\n{\"username\":\"alice\"}"),
        "{sent:?}"
    );
}

#[tokio::test]
async fn whether_somebody_has_enrolled_is_one_of_three_words() {
    for (word, expected) in [
        ("\"success\"", Ok("success".to_owned())),
        ("\"waiting\"", Ok("waiting".to_owned())),
        ("\"invalid\"", Ok("invalid".to_owned())),
        ("\"duo://code\"", Err(Error::STRANGE)),
        ("{}", Err(Error::STRANGE)),
    ] {
        let (said, sent) = served(&[ok(word)], async |duo, account| {
            duo.enrolment_status(account, "DU1", &"duo://code".into())
                .await
        })
        .await;
        assert_eq!(said, expected, "{word}");
        let body = r#"{"activation_code":"duo://code","user_id":"DU1"}"#;
        assert!(sent[0].ends_with(body), "{sent:?}");
    }
}

#[tokio::test]
async fn users_are_read_page_by_page() {
    let page = |name: &str, next: &str| {
        let body = format!(
            r#"{{"stat":"OK","response":[{{"user_id":"DU-{name}","username":"{name}"}},{{}}],"metadata":{{"next_offset":{next}}}}}"#
        );
        answer("200 OK", &body)
    };
    let mut names = Vec::new();
    let (said, sent) = served(
        &[page("alice", "100"), page("bob", "null")],
        async |duo, account| {
            duo.users(account, async |users| {
                names.extend(users.into_iter().map(|user| user.username));
                Ok::<(), ()>(())
            })
            .await
        },
    )
    .await;
    assert_eq!(said, Ok(Ok(())));
    assert_eq!(names, ["alice", "bob"]);
    assert!(
        sent[1].starts_with("GET /admin/v1/users?limit=100&offset=100 "),
        "{sent:?}"
    );
    let (said, _) = served(&[page("alice", "0")], async |duo, account| {
        duo.users(account, async |_| Ok::<(), ()>(())).await
    })
    .await;
    assert_eq!(said, Err(Error::STRANGE), "a page that leads back");
}
