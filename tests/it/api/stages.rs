//! A flow made of nothing but calls of the API, and gone through.

use reqwest::Method;
use serde_json::{Value, json};

use super::acting::Administrator;
use crate::support::{Flow, with_server};

const FLOWS: &str = "/api/v3/flows/instances/";
const BINDINGS: &str = "/api/v3/flows/bindings/";

#[test]
fn a_flow_that_the_api_made_logs_somebody_in_also_after_a_crash() {
    with_server(async |server| {
        let admin = Administrator::of(server).await;
        let flow = json!({
            "name": "Made", "slug": "made", "title": "Made", "designation": "authentication",
        });
        let flow = admin.makes(FLOWS, &flow).await;
        let password = json!({
            "name": "made-password", "backends": ["authentik.core.auth.InbuiltBackend"],
        });
        let password = admin.makes("/api/v3/stages/password/", &password).await;
        let who = json!({
            "name": "made-who", "user_fields": ["username"], "password_stage": password["pk"],
        });
        let who = admin.makes("/api/v3/stages/identification/", &who).await;
        let login = json!({ "name": "made-login" });
        let login = admin.makes("/api/v3/stages/user_login/", &login).await;
        for (order, stage) in [&who, &login].into_iter().enumerate() {
            let place = json!({ "target": flow["pk"], "stage": stage["pk"], "order": order });
            admin.makes(BINDINGS, &place).await;
        }
        let person = server.person();
        server.kill().await;
        let mut visitor = server.visitor();
        visitor.opens("made").await.sees("ak-stage-identification");
        let answer = json!({ "uid_field": person.username, "password": person.password });
        visitor.answers(answer).await.is_redirected_to("/");
        let me = visitor.gets("/api/v3/core/users/me/").await;
        assert_eq!(me.json()["user"]["username"], person.username.as_str());

        let admin = Administrator::of(server).await;
        let shown = admin.gets("/api/v3/stages/all/?name=made-who").await;
        assert_eq!(shown["results"][0]["flow_set"][0]["slug"], "made");
        let one = format!("/api/v3/stages/all/{}/", key(&password));
        let used = admin.gets(&format!("{one}used_by/")).await;
        assert_eq!(used[0]["name"], "made-who");
        assert_eq!(used[0]["action"], "set_null");
        let gone = admin.acts(Method::DELETE, &one, &json!({})).await;
        gone.has_status(204);
        let who = format!("/api/v3/stages/identification/{}/", key(&who));
        assert_eq!(admin.gets(&who).await["password_stage"], Value::Null);
    });
}

fn key(object: &Value) -> &str {
    object["pk"].as_str().expect("a key")
}

#[test]
fn a_binding_has_a_place_of_its_own_and_is_evaluated_at_some_time() {
    with_server(async |server| {
        server.has_flow(&Flow::new("bound").dummy("bound-dummy"));
        let admin = Administrator::of(server).await;
        let flow = admin.gets(&format!("{FLOWS}bound/")).await;
        let place = json!({ "target": flow["pk"], "stage": flow["stages"][0], "order": 10 });
        let made = admin.makes(BINDINGS, &place).await;
        assert_eq!(made["stage_obj"]["name"], "bound-dummy");
        let text = "The fields target, stage, order must make a unique set.";
        let again = admin.is_refused(BINDINGS, &place).await;
        assert_eq!(again, json!({ "non_field_errors": [text] }));
        let mut never = place.clone();
        never["order"] = 11.into();
        never["re_evaluate_policies"] = false.into();
        let text = "Either evaluation on plan or evaluation on run must be enabled";
        let never = admin.is_refused(BINDINGS, &never).await;
        assert_eq!(never, json!({ "non_field_errors": [text] }));
        let listed = format!("{BINDINGS}?target={}&ordering=-order", key(&flow));
        let listed = admin.gets(&listed).await;
        assert_eq!(listed["pagination"]["count"], 2);
        assert_eq!(listed["results"][0]["pk"], made["pk"]);
    });
}

#[test]
fn a_secret_that_was_written_is_kept_and_never_told() {
    with_server(async |server| {
        let secret = server.person().password;
        let admin = Administrator::of(server).await;
        let path = "/api/v3/stages/captcha/";
        let body = json!({ "name": "cap", "public_key": "public", "private_key": secret });
        let made = admin.makes(path, &body).await;
        assert!(made.get("private_key").is_none(), "{made}");
        let one = format!("{path}{}/", key(&made));
        let part = json!({ "public_key": "other" });
        let patched = admin.acts(Method::PATCH, &one, &part).await;
        patched.has_status(200).hides(&secret);
        // Whoever writes the whole has to know it.
        let put = json!({ "name": "cap", "public_key": "other" });
        let put = admin.acts(Method::PUT, &one, &put).await;
        let text = "This field is required.";
        assert_eq!(put.has_status(400).json(), json!({ "private_key": [text] }));
        let listed = admin.gets(path).await.to_string();
        assert!(!listed.contains(&secret));
        let templates = admin.gets("/api/v3/stages/email/templates/").await;
        let templates = templates.as_array().expect("a list");
        assert!(
            templates
                .iter()
                .any(|it| it["name"] == "email/password_reset.html")
        );
    });
}
