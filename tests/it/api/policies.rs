//! Policies and their bindings, made through the API and asked by a flow.

use reqwest::Method;
use serde_json::{Value, json};

use super::acting::Administrator;
use crate::support::{Flow, with_server};

const BINDINGS: &str = "/api/v3/policies/bindings/";

#[test]
fn a_policy_that_the_api_bound_decides_who_may_use_a_flow() {
    with_server(async |server| {
        server.has_flow(&Flow::new("guarded").dummy("guarded-dummy"));
        let admin = Administrator::of(server).await;
        let flow = admin.gets("/api/v3/flows/instances/guarded/").await;
        let path = "/api/v3/policies/expression/";
        let broken = json!({ "name": "who", "expression": "return [" });
        let broken = admin.is_refused(path, &broken).await;
        let said = broken["expression"][0].as_str().unwrap_or_default();
        assert!(said.starts_with("Expression Syntax Error: "), "{broken}");
        let source = "ak_message('not you')\nreturn False";
        let policy = json!({ "name": "who", "expression": source });
        let policy = admin.makes(path, &policy).await;
        let binding = json!({ "target": flow["pk"], "policy": policy["pk"], "order": 0 });
        let binding = admin.makes(BINDINGS, &binding).await;
        assert_eq!(binding["target"], flow["pk"]);
        assert_eq!(binding["policy_obj"]["expression"], source);
        let mut visitor = server.visitor();
        visitor.opens("guarded").await.is_denied("not you");

        let one = format!("{BINDINGS}{}/", binding["pk"].as_str().expect("a key"));
        let negated = json!({ "negate": true });
        let negated = admin.acts(Method::PATCH, &one, &negated).await;
        negated.has_status(200);
        let mut visitor = server.visitor();
        visitor.opens("guarded").await.sees("ak-stage-dummy");

        let path = format!("{path}{}/", policy["pk"].as_str().expect("a key"));
        let gone = admin.acts(Method::DELETE, &path, &json!({})).await;
        gone.has_status(204);
        let listed = admin.gets(BINDINGS).await.to_string();
        assert!(!listed.contains(binding["pk"].as_str().expect("a key")));
    });
}

#[test]
fn a_binding_of_a_policy_has_one_subject_and_is_found_by_what_only_policies_use() {
    with_server(async |server| {
        server.has_flow(&Flow::new("guarded").dummy("guarded-dummy"));
        let admin = Administrator::of(server).await;
        let flow = admin.gets("/api/v3/flows/instances/guarded/").await;
        let me = admin.gets("/api/v3/core/users/me/").await;
        let none = json!({ "target": flow["pk"], "order": 0 });
        let text = "One of 'group', 'policy', 'user' must be set.";
        let none = admin.is_refused(BINDINGS, &none).await;
        assert_eq!(none, json!({ "non_field_errors": [text] }));
        let user = json!({ "target": flow["pk"], "user": me["user"]["pk"], "order": 0 });
        let made = admin.makes(BINDINGS, &user).await;
        assert_eq!(made["target"], flow["pk"]);
        assert_eq!(made["user_obj"]["username"], me["user"]["username"]);
        let pbm = flow["policybindingmodel_ptr_id"].as_str().expect("a key");
        let found = admin.gets(&format!("{BINDINGS}?target={pbm}")).await;
        assert_eq!(found["pagination"]["count"], 1);
        assert_eq!(found["results"][0]["policy_obj"], Value::Null);
    });
}

#[test]
fn a_mapping_is_tried_out_before_anybody_is_sent_anything() {
    with_server(async |server| {
        let admin = Administrator::of(server).await;
        let source = "return {'who': user.username, 'what': message}";
        let body = json!({ "name": "m", "expression": source });
        let path = "/api/v3/propertymappings/notification/";
        let mapping = admin.makes(path, &body).await;
        let key = mapping["pk"].as_str().expect("a key");
        let path = format!("/api/v3/propertymappings/all/{key}/test/");
        let given = json!({ "context": { "message": "hello" } });
        let tried = admin.acts(Method::POST, &path, &given).await;
        let tried = tried.has_status(200).json();
        assert_eq!(tried["successful"], true, "{tried}");
        let result = tried["result"].as_str().expect("a text");
        let result: Value = serde_json::from_str(result).expect("JSON");
        assert_eq!(result, json!({ "who": "akadmin", "what": "hello" }));
        let failed = admin.acts(Method::POST, &path, &json!({})).await;
        let failed = failed.has_status(200).json();
        assert_eq!(failed["successful"], false);
        let said = failed["result"].as_str().unwrap_or_default();
        assert!(said.contains("message"), "{failed}");
        let nobody = admin.is_refused(&path, &json!({ "user": 0 })).await;
        let text = "Invalid pk \"0\" - object does not exist.";
        assert_eq!(nobody, json!({ "user": [text] }));
    });
}
