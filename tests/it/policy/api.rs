//! `POST /policies/all/<uuid>/test/`.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Flow, TestServer, Visitor, with_server};

const JSON: (&str, &str) = ("content-type", "application/json");

async fn tests(visitor: &Visitor, policy: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
    let path = format!("/api/v3/policies/all/{policy}/test/");
    let mut all = vec![JSON];
    all.extend_from_slice(headers);
    let body = body.to_string();
    visitor.sends(Method::POST, &path, &all, body).await
}

/// The id of a policy.
fn id(server: &TestServer, name: &str) -> String {
    let listed = server.gatelog(&["policy", "list", "--json"]);
    let listed = listed.succeeds().values();
    let found = listed.iter().find(|it| it["name"] == name);
    let id = found.expect("it is listed")["pk"].as_str();
    id.expect("an id").to_owned()
}

fn number(server: &TestServer, username: &str) -> i64 {
    let listed = server.gatelog(&["user", "list", "--json"]);
    let listed = listed.succeeds().values();
    let found = listed.iter().find(|it| it["username"] == username);
    found.expect("they are listed")["pk"].as_i64().expect("one")
}

#[test]
fn an_administrator_tries_out_an_expression() {
    with_server(async |server| {
        let source = "ak_logger.info('so far')\n\
                      ak_message(f\"{context['plan']} for {request.http_request is not None}\")\n\
                      return context['plan'] == 'gold' and request.debug";
        server.has_flow(
            &Flow::new("gold")
                .dummy("gold-page")
                .expression("gold", source),
        );
        let policy = id(server, "gold");
        let admin = server.administrator.clone();
        let mut browser = server.visitor();
        browser.logs_in(&admin).await;
        let csrf = browser.cookies().get("authentik_csrf").expect("a token");
        let csrf = [("x-authentik-csrf", csrf.as_str())];
        let user = number(server, "akadmin");
        let body = json!({ "user": user, "context": { "plan": "gold" } });
        let answer = tests(&browser, &policy, &csrf, &body).await;
        answer.has_status(200);
        assert_eq!(
            answer.json(),
            json!({ "passing": true, "messages": ["gold for True"], "log_messages": answer.json()["log_messages"] })
        );
        assert_eq!(answer.json()["log_messages"][0]["event"], "so far");
        // Without the context the expression fails, and the answer says how.
        let answer = tests(&browser, &policy, &csrf, &json!({ "user": user })).await;
        answer.has_status(200);
        assert_eq!(answer.json()["passing"], false);
        let message = answer.json()["messages"][0].as_str().map(str::to_owned);
        assert!(
            message.is_some_and(|text| text.contains("plan")),
            "{answer:?}"
        );
        assert_eq!(answer.json()["log_messages"][0]["event"], "so far");
        let refused = tests(&browser, &policy, &[], &body).await;
        refused.has_status(403);
        assert_eq!(refused.json()["detail"], "CSRF Failed: CSRF token missing.");
        let unknown = uuid::Uuid::nil().to_string();
        let missing = tests(&browser, &unknown, &csrf, &body).await;
        missing.has_status(404);
        let detail = "No Policy matches the given query.";
        assert_eq!(missing.json(), json!({ "detail": detail }));
        let nobody = tests(&browser, &policy, &csrf, &json!({ "user": 0 })).await;
        nobody.has_status(400);
        let text = "Invalid pk \"0\" - object does not exist.";
        assert_eq!(nobody.json(), json!({ "user": [text] }));
    });
}

#[test]
fn nobody_else_may_try_out_anything() {
    with_server(async |server| {
        server.has_flow(&Flow::new("plain").dummy("plain-page").saying("yes", true));
        let policy = id(server, "yes");
        let stranger = server.visitor();
        let answer = tests(&stranger, &policy, &[], &json!({})).await;
        answer.has_status(403);
        let detail = "Authentication credentials were not provided.";
        assert_eq!(answer.json()["detail"], detail);
        let person = server.person();
        let mut visitor = server.visitor();
        visitor.logs_in(&person).await;
        let csrf = visitor.cookies().get("authentik_csrf").expect("a token");
        let csrf = [("x-authentik-csrf", csrf.as_str())];
        let answer = tests(&visitor, &policy, &csrf, &json!({})).await;
        answer.has_status(403);
        let detail = "You do not have permission to perform this action.";
        assert_eq!(answer.json()["detail"], detail);
    });
}
