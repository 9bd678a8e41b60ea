//! Stages and policies of every kind through the API: made, listed, shown, changed and removed.

use super::*;
use crate::http::api::{description, operations};
use crate::policy;

mod bodies;
mod others;

use bodies::Bodies;

/// What stands in every secret.
const SECRET: &str = "s3cret-canary";

/// Parameters that every list has.
const COMMON: &[&str] = &["ordering", "page", "page_size", "search"];

pub(super) async fn administrator(server: &Server) -> Browser {
    let admin = crate::directory::user_by_username(&*server.state.journal, "akadmin").await;
    let admin = admin.expect("a journal").expect("the administrator").value;
    server.program(&admin).await
}

/// Makes an object, and gives its key.
pub(super) async fn made(admin: &mut Browser, path: &str, body: &Value) -> Value {
    let made = admin.post(path, body).await.is(201).json();
    made["pk"].clone()
}

/// Whether an answer is what the description says of objects of this name.
fn fits(name: &str, shown: &Value) {
    let schema = &description()["components"]["schemas"][name];
    let properties = schema["properties"].as_object().expect("properties");
    let keys = shown.as_object().expect("an object").keys();
    for key in keys {
        let about = &properties.get(key);
        assert!(about.is_some(), "{name} is said to have no {key}");
        assert!(about.is_none_or(|it| it["writeOnly"] != true), "{key}");
    }
    let required = schema["required"].as_array().expect("what is required");
    for key in required.iter().filter_map(Value::as_str) {
        assert!(shown.get(key).is_some(), "{name} has no {key}");
    }
}

/// What a list is asked for, to find an object with this value.
fn asked(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        Value::Array(items) => return items.first().and_then(asked),
        Value::Null | Value::Object(_) => return None,
    };
    Some(form_urlencoded::byte_serialize(text.as_bytes()).collect())
}

/// Goes through everything that can be done with objects of a kind.
async fn lives(admin: &mut Browser, kind: &Bodies) {
    let (path, name) = (kind.path, kind.name);
    let minimal = admin.post(path, &kind.minimal).await.is(201).json();
    fits(name, &minimal);
    assert_eq!(minimal["meta_model_name"], kind.model);
    let full = admin.post(path, &kind.full).await.is(201).json();
    fits(name, &full);
    for (key, value) in kind.full.as_object().expect("an object") {
        let is_secret = value == SECRET;
        assert!(
            is_secret || full[key] == *value,
            "{name}.{key}: {}",
            full[key]
        );
    }
    let id = full["pk"].as_str().expect("a key").to_owned();
    let one = format!("{path}{id}/");
    assert_eq!(admin.get(&one).await.is(200).json(), full);
    let mut all = operations().iter();
    let list = all.find(|it| path.ends_with(&it.path) && it.id.ends_with("_list"));
    let list = list.expect("a list").parameters.iter();
    for parameter in list.filter(|it| !COMMON.contains(&it.name.as_str())) {
        let value = match parameter.name.as_str() {
            "stage_uuid" | "policy_uuid" => Some(id.clone()),
            "no_flows" => Some("true".to_owned()),
            name => asked(&full[name]),
        };
        let Some(value) = value else {
            continue;
        };
        let found = format!("{path}?page_size=100&{}={value}", parameter.name);
        let found = admin.get(&found).await.is(200).json();
        let results = found["results"].as_array().expect("a list");
        let is_in = results.iter().any(|it| it["pk"] == full["pk"]);
        assert!(is_in, "{name}: {}={value}", parameter.name);
        if parameter.name == "name" {
            assert_eq!(results.len(), 1, "{name}");
        }
    }
    let renamed = format!("{name} renamed");
    let patched = admin
        .change("PATCH", &one, &json!({ "name": renamed }))
        .await;
    let patched = patched.is(200).json();
    let mut expected = full.clone();
    expected["name"] = renamed.into();
    assert_eq!(patched, expected, "a part leaves the rest as it is");
    let put = admin.change("PUT", &one, &kind.full).await;
    assert_eq!(put.is(200).json(), full);
    let missing = admin.change("PUT", &one, &json!({})).await.is(400).json();
    assert_eq!(missing["name"], json!(["This field is required."]));
    let blank = admin.change("PATCH", &one, &json!({ "name": "" })).await;
    let blank = blank.is(400).json();
    assert_eq!(blank["name"], json!(["This field may not be blank."]));
    let again = admin.post(path, &kind.full).await.is(400).json();
    assert_eq!(again["name"], json!(["This field must be unique."]));
    assert_eq!(
        admin.get(&format!("{one}used_by/")).await.is(200).json(),
        json!([])
    );
    let all = if path.starts_with("/api/v3/stages/") {
        "stages"
    } else {
        "policies"
    };
    let shared = format!("/api/v3/{all}/all/{id}/");
    let shared = admin.get(&shared).await.is(200).json();
    assert_eq!(shared["component"], full["component"]);
    for secret in [&one, path] {
        let shown = admin.get(secret).await.is(200).body.clone();
        assert!(!shown.contains(SECRET), "{name} tells a secret: {shown}");
    }
    admin.change("DELETE", &one, &json!({})).await.is(204);
    admin.get(&one).await.is(404);
    let minimal = minimal["pk"].as_str().expect("a key");
    let shared = format!("/api/v3/{all}/all/{minimal}/");
    admin.change("DELETE", &shared, &json!({})).await.is(204);
    admin.get(&format!("{path}{minimal}/")).await.is(404);
}

#[actix_web::test]
async fn stages_of_every_kind_are_made_shown_changed_and_removed() {
    let server = Server::new().await;
    let mut admin = administrator(&server).await;
    let all = bodies::stages(&server, &mut admin).await;
    assert_eq!(all.len(), Kind::ALL.len());
    for kind in &all {
        lives(&mut admin, kind).await;
    }
}

#[actix_web::test]
async fn policies_of_every_kind_are_made_shown_changed_and_removed() {
    let server = Server::new().await;
    let mut admin = administrator(&server).await;
    let all = bodies::policies();
    assert_eq!(all.len(), policy::Kind::ALL.len());
    for kind in &all {
        lives(&mut admin, kind).await;
    }
}
