//! Trying out a policy through the API.

use super::*;
use crate::catalog::Policy;
use crate::directory::token::Intent;
use crate::directory::{Token, setup, user_by_username};

/// What a program with this token gets for a body.
async fn tried(server: &Server, token: &Token, policy: &str, body: &str) -> Answer {
    let key = secrecy::ExposeSecret::expose_secret(&token.key).to_owned();
    let request = TestRequest::post()
        .uri(&format!("/api/v3/policies/all/{policy}/test/"))
        .insert_header(("authorization", format!("Bearer {key}")))
        .insert_header(("content-type", "application/json"))
        .set_payload(body.to_owned());
    server.browser().send(request).await
}

impl Server {
    async fn token(&self, name: &str) -> (User, Token) {
        let user = user_by_username(&*self.state.journal, name).await;
        let user = user.expect("a read").expect("the user").value;
        let slug = format!("token-of-{name}").parse().expect("a slug");
        let token = Token::new(&self.state.clock, slug, Intent::Api, user.uuid);
        self.put(&token).await;
        (user, token)
    }

    async fn policy(&self, kind: &str, settings: Value) -> String {
        let kind = crate::policy::Kind::from_name(kind).expect("a kind");
        let settings = settings.as_object().expect("an object");
        let settings = kind.validate(settings).expect("good settings");
        let policy = Policy::new(&self.state.clock, kind.name(), kind.name(), settings);
        self.put(&policy).await;
        policy.pk.to_string()
    }
}

#[actix_web::test]
async fn a_superuser_is_told_what_a_policy_says() {
    let server = Server::new().await;
    let (admin, token) = server.token(setup::ADMINISTRATOR).await;
    let body = json!({ "user": admin.pk }).to_string();
    let dummy = server.policy("dummy", json!({ "result": true })).await;
    let answer = tried(&server, &token, &dummy, &body).await;
    assert_eq!(
        answer.is(200).json(),
        json!({ "passing": true, "messages": ["dummy"], "log_messages": [] })
    );
    let reputation = server.policy("reputation", json!({ "threshold": 0 })).await;
    let answer = tried(&server, &token, &reputation, &body)
        .await
        .is(200)
        .json();
    assert_eq!(answer["passing"], true);
    assert_eq!(
        answer["log_messages"],
        json!([{
            "timestamp": "2026-01-01T00:00:00Z",
            "log_level": "debug",
            "logger": "gatelog.policy.reputation",
            "event": "the score is 0, the threshold 0",
            "attributes": {},
        }])
    );
}

#[actix_web::test]
async fn what_is_wrong_with_the_body_is_said_by_field() {
    let server = Server::new().await;
    let (admin, token) = server.token(setup::ADMINISTRATOR).await;
    let policy = server.policy("dummy", json!({})).await;
    let pk = admin.pk;
    let object = "Value must be a dictionary, and not have any duplicate keys.";
    for (body, status, expected) in [
        ("", 400, json!({ "user": ["This field is required."] })),
        ("{}", 400, json!({ "user": ["This field is required."] })),
        (
            r#"{"user": null}"#,
            400,
            json!({ "user": ["This field may not be null."] }),
        ),
        (
            r#"{"user": 99, "context": 1}"#,
            400,
            json!({
                "user": ["Invalid pk \"99\" - object does not exist."],
                "context": [object],
            }),
        ),
        (
            r#"{"user": true}"#,
            400,
            json!({ "user": ["Incorrect type. Expected pk value, received bool."] }),
        ),
        (
            r#"{"user": "alice"}"#,
            400,
            json!({ "user": ["Incorrect type. Expected pk value, received str."] }),
        ),
        (
            "[]",
            400,
            json!({ "non_field_errors": ["Invalid data. Expected a dictionary, but got list."] }),
        ),
    ] {
        let answer = tried(&server, &token, &policy, body).await;
        assert_eq!(answer.is(status).json(), expected, "{body}");
    }
    let text = tried(&server, &token, &policy, &format!(r#"{{"user": "{pk}"}}"#)).await;
    text.is(200);
    let broken = tried(&server, &token, &policy, "{").await;
    let detail = broken.is(400).json()["detail"].clone();
    let detail = detail.as_str().expect("text");
    assert!(detail.starts_with("JSON parse error - "), "{detail}");
    for unknown in [uuid::Uuid::nil().to_string(), "none".to_owned()] {
        let missing = tried(&server, &token, &unknown, "{}").await;
        let detail = "No Policy matches the given query.";
        assert_eq!(missing.is(404).json(), json!({ "detail": detail }));
    }
}

#[actix_web::test]
async fn only_superusers_may_and_a_browser_has_to_show_its_token() {
    let server = Server::new().await;
    server.user("alice", "correct horse").await;
    let (_, token) = server.token("alice").await;
    let policy = server.policy("dummy", json!({})).await;
    let refused = tried(&server, &token, &policy, "{}").await;
    let detail = "You do not have permission to perform this action.";
    assert_eq!(refused.is(403).json(), json!({ "detail": detail }));
    let path = format!("/api/v3/policies/all/{policy}/test/");
    let mut browser = server.browser();
    let answer = browser.post(&path, &json!({})).await;
    let detail = "Authentication credentials were not provided.";
    assert_eq!(answer.is(403).json(), json!({ "detail": detail }));
    let name = setup::ADMINISTRATOR;
    browser.logs_in(name, "battery staple").await.is(200);
    let answer = browser.post(&path, &json!({})).await;
    let detail = "CSRF Failed: CSRF token missing.";
    assert_eq!(answer.is(403).json(), json!({ "detail": detail }));
    let csrf = browser.csrf();
    let mut page = browser.clone().with_header("x-authentik-csrf", &csrf);
    page.post(&path, &json!({})).await.is(400);
    let get = page.get(&path).await;
    assert_eq!(get.is(405).json()["detail"], "Method \"GET\" not allowed.");
    let mut foreign = page.with_header("origin", "https://evil.example");
    let answer = foreign.post(&path, &json!({})).await;
    let detail = "CSRF Failed: Origin checking failed.";
    assert_eq!(answer.is(403).json(), json!({ "detail": detail }));
}
