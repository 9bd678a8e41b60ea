//! Applications as objects.

use reqwest::Method;
use serde_json::{Value, json};

use super::program::with_program;

const ALL: &str = "/core/applications/";

#[test]
fn an_application_is_made_changed_shown_and_removed() {
    with_program(async |_, program| {
        let body = json!({
            "name": "Wiki",
            "slug": "wiki",
            "group": "Work",
            "provider": null,
            "forward_auth": {
                "hosts": ["https://Wiki.example:443/", "https://*.wiki.example"],
                "authentication_flow": "default-authentication-flow",
            },
        });
        let made = program.makes(ALL, &body).await;
        let forward = &made["forward_auth"];
        let hosts = json!(["https://wiki.example", "https://*.wiki.example"]);
        assert_eq!(forward["hosts"], hosts);
        assert_eq!(forward["session_seconds"], 86_400);
        assert_eq!(forward["cache_seconds"], 5);
        assert_eq!(made["launch_url"], "https://wiki.example");
        assert_eq!(made["policy_engine_mode"], "any");
        let flow = program
            .gets("/flows/instances/default-authentication-flow/")
            .await;
        assert_eq!(forward["authentication_flow"], flow["pk"]);
        let found = program.gets("/core/applications/?search=wiki").await;
        assert_eq!(found["results"][0]["slug"], "wiki");
        let used = program
            .gets("/flows/instances/default-authentication-flow/used_by/")
            .await;
        let used = used.as_array().expect("a list").clone();
        let by = used.iter().find(|it| it["model_name"] == "application");
        assert_eq!(by.expect("it is used")["action"], "set_null");

        let changed = program
            .changes("/core/applications/wiki/", &json!({ "name": "Notes" }))
            .await;
        assert_eq!(changed["name"], "Notes");
        assert_eq!(changed["forward_auth"], *forward);
        let open = json!({ "forward_auth": null });
        let changed = program.changes("/core/applications/wiki/", &open).await;
        assert_eq!(changed["forward_auth"], Value::Null);
        program.removes("/core/applications/wiki/").await;
        program
            .is_refused(Method::GET, "/core/applications/wiki/", &Value::Null, 404)
            .await;
    });
}

#[test]
fn what_cannot_work_is_refused_with_its_reason() {
    with_program(async |_, program| {
        let hosts = |hosts: Value| json!({ "hosts": hosts });
        let first = json!({
            "name": "Wiki", "slug": "wiki", "forward_auth": hosts(json!(["https://wiki.example"])),
        });
        program.makes(ALL, &first).await;
        for (field, value) in [
            ("slug", json!("wiki")),
            ("provider", json!(1)),
            ("meta_launch_url", json!("javascript:alert(1)")),
            ("forward_auth", hosts(json!([]))),
            ("forward_auth", hosts(json!(["wiki.example"]))),
            ("forward_auth", hosts(json!(["https://*.com"]))),
            ("forward_auth", hosts(json!(["https://WIKI.example"]))),
            (
                "forward_auth",
                json!({ "hosts": ["https://a.example"], "skip_paths": ["("] }),
            ),
            (
                "forward_auth",
                json!({ "hosts": ["https://a.example"], "cache_seconds": 61 }),
            ),
            (
                "forward_auth",
                json!({ "hosts": ["https://a.example"], "authentication_flow": "x" }),
            ),
            (
                "forward_auth",
                json!({ "hosts": ["https://a.example"], "unknown": 1 }),
            ),
            ("forward_auth", json!("https://a.example")),
        ] {
            let mut body = json!({ "name": "Other", "slug": "other" });
            body[field] = value;
            let refused = program.sends(Method::POST, ALL, &body).await;
            let told = refused.has_status(400).json();
            assert!(told[field][0].is_string(), "{body}: {told}");
        }
    });
}

#[test]
fn policies_are_bound_to_an_application_and_go_with_it() {
    with_program(async |server, program| {
        let person = server.person();
        let made = program
            .makes(ALL, &json!({ "name": "Wiki", "slug": "wiki" }))
            .await;
        let group = program
            .makes("/core/groups/", &json!({ "name": "writers" }))
            .await;
        let body = json!({ "target": made["pk"], "group": group["pk"], "order": 0 });
        let bound = program.makes("/policies/bindings/", &body).await;
        assert_eq!(bound["target"], made["pk"]);
        let pk = made["pk"].as_str().expect("a key");
        let listed = program
            .gets(&format!("/policies/bindings/?target={pk}"))
            .await;
        assert_eq!(listed["pagination"]["count"], 1);
        let used = program.gets("/core/applications/wiki/used_by/").await;
        assert_eq!(used[0]["model_name"], "policybinding");
        let number = program.number_of(&person.username).await;
        let path = format!("/core/applications/wiki/check_access/?for_user={number}");
        assert_eq!(program.gets(&path).await["passing"], false);
        server.has_group("writers", None, &[&person]);
        assert_eq!(program.gets(&path).await["passing"], true);
        program.removes("/core/applications/wiki/").await;
        let listed = program
            .gets(&format!("/policies/bindings/?target={pk}"))
            .await;
        assert_eq!(listed["pagination"]["count"], 0);
    });
}

#[test]
fn nobody_sees_applications_without_a_permission() {
    with_program(async |server, program| {
        let person = server.person();
        program
            .makes(ALL, &json!({ "name": "Wiki", "slug": "wiki" }))
            .await;
        let other = program.as_person(server, &person).await;
        other.is_refused(Method::GET, ALL, &Value::Null, 403).await;
        let body = json!({ "name": "x", "slug": "x" });
        other.is_refused(Method::POST, ALL, &body, 403).await;
        let one = "/core/applications/wiki/";
        other.is_refused(Method::GET, one, &Value::Null, 404).await;
        other
            .is_refused(Method::DELETE, one, &Value::Null, 404)
            .await;
    });
}
