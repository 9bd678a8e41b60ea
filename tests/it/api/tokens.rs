//! Tokens.

use reqwest::Method;
use serde_json::json;

use super::program::{Program, with_program};

#[test]
fn a_key_that_was_shown_opens_the_api_until_its_token_is_removed() {
    with_program(async |server, program| {
        let body = json!({"identifier": "deploy", "expiring": false, "description": "d"});
        let made = program.makes("/core/tokens/", &body).await;
        assert_eq!(
            (&made["intent"], &made["expires"]),
            (&json!("api"), &json!(null))
        );
        assert_eq!(made["user_obj"]["username"], "akadmin");
        let key = program.gets("/core/tokens/deploy/view_key/").await;
        let key = key["key"].as_str().expect("a key").to_owned();
        let other = Program::of(server, &key);
        other.gets("/core/users/me/").await;
        let renamed = json!({"identifier": "deployed"});
        other.changes("/core/tokens/deploy/", &renamed).await;
        let path = "/core/tokens/deploy/";
        program.is_refused(Method::GET, path, &json!({}), 404).await;
        other.removes("/core/tokens/deployed/").await;
        let path = "/core/users/me/";
        other.is_refused(Method::GET, path, &json!({}), 403).await;
    });
}

#[test]
fn an_account_of_a_program_logs_in_with_the_password_that_it_was_given() {
    with_program(async |server, program| {
        let path = "/core/users/service_account/";
        let made = program
            .sends(Method::POST, path, &json!({"name": "robot"}))
            .await;
        let made = made.has_status(200).json();
        let token = made["token"].as_str().expect("a password");
        server.canaries().secret("an app password", token);
        let shown = program
            .gets("/core/tokens/service-account-robot-password/")
            .await;
        assert_eq!(shown["intent"], "app_password");
        assert_eq!(shown["user"], made["user_pk"]);
        let user = program
            .gets(&format!("/core/users/{}/", made["user_pk"]))
            .await;
        assert_eq!(user["type"], "service_account");
        assert_eq!(user["uid"], made["user_uid"]);
        // It opens logins, and not the API.
        let robot = Program::of(server, token);
        let me = "/core/users/me/";
        robot.is_refused(Method::GET, me, &json!({}), 403).await;
    });
}

#[test]
fn a_token_of_the_api_lasts_no_longer_because_it_was_something_else_before() {
    with_program(async |server, program| {
        let body = json!({"username": "plain", "name": "Plain"});
        let user = program.makes("/core/users/", &body).await;
        let body = json!({"identifier": "first", "user": user["pk"]});
        program.makes("/core/tokens/", &body).await;
        let key = program.gets("/core/tokens/first/view_key/").await;
        let plain = Program::of(server, key["key"].as_str().expect("a key"));
        let long = "2099-01-01T00:00:00Z";
        let body = json!({"identifier": "second", "intent": "app_password", "expires": long});
        plain.makes("/core/tokens/", &body).await;
        let turned = json!({"intent": "api"});
        let turned = plain.changes("/core/tokens/second/", &turned).await;
        let expires = turned["expires"].as_str().expect("an end");
        assert!(!expires.starts_with("2099"), "{expires}");
    });
}
