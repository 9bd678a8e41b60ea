//! What is not of a kind: bindings of policies, prompts, invitations, mappings, sources, lists of
//! kinds.

use super::*;
use crate::catalog::{Source, SourceKind};

const CONDITIONS: &str = "/api/v3/policies/bindings/";
const PROMPTS: &str = "/api/v3/stages/prompt/prompts/";
const INVITATIONS: &str = "/api/v3/stages/invitation/invitations/";

#[actix_web::test]
async fn a_condition_has_one_subject_and_a_target_of_two_names() {
    let server = Server::new().await;
    let mut admin = administrator(&server).await;
    let alice = server.user("alice", "correct horse").await;
    let flow = admin
        .get("/api/v3/flows/instances/login/")
        .await
        .is(200)
        .json();
    let target = flow["pk"].clone();
    let body = json!({"target": target, "user": alice.pk, "order": 0});
    let made = admin.post(CONDITIONS, &body).await.is(201).json();
    fits("PolicyBinding", &made);
    assert_eq!(made["target"], target);
    assert_eq!(made["user_obj"]["username"], "alice");
    assert_eq!(made["policy_obj"], Value::Null);
    assert_eq!(made["timeout"], 30);
    let other = json!({"target": flow["policybindingmodel_ptr_id"], "user": alice.pk, "order": 1});
    let other = admin.post(CONDITIONS, &other).await.is(201).json();
    assert_eq!(
        other["target"], target,
        "shown by its own key, however it was given"
    );
    let none = admin
        .post(CONDITIONS, &json!({"target": target, "order": 2}))
        .await;
    assert_eq!(
        none.is(400).json(),
        json!({"non_field_errors": ["One of 'group', 'policy', 'user' must be set."]})
    );
    let policy = super::made(&mut admin, "/api/v3/policies/dummy/", &json!({"name": "d"})).await;
    let two = json!({"target": target, "user": alice.pk, "policy": policy, "order": 2});
    assert_eq!(
        admin.post(CONDITIONS, &two).await.is(400).json(),
        json!({"non_field_errors": ["Only one of 'group', 'policy', 'user' can be set."]})
    );
    let asks = json!({"target": target, "policy": policy, "order": 3});
    let asks = admin.post(CONDITIONS, &asks).await.is(201).json();
    assert_eq!(asks["policy_obj"]["component"], "ak-policy-dummy-form");
    assert_eq!(asks["policy_obj"]["bound_to"], 1);
    let count = async |admin: &mut Browser, query: &str| {
        let found = admin.get(&format!("{CONDITIONS}?{query}")).await;
        found.is(200).json()["pagination"]["count"].clone()
    };
    let pbm = flow["policybindingmodel_ptr_id"].as_str().expect("a key");
    let own = target.as_str().expect("a key");
    assert_eq!(count(&mut admin, &format!("target={pbm}")).await, 3);
    assert_eq!(count(&mut admin, &format!("target={own}")).await, 0);
    assert_eq!(
        count(&mut admin, &format!("target_in={own},{pbm}")).await,
        3
    );
    assert_eq!(count(&mut admin, "policy__isnull=true").await, 2);
    assert_eq!(count(&mut admin, "policy__isnull=false").await, 1);
    assert_eq!(count(&mut admin, "search=d").await, 1);
    let one = format!("{CONDITIONS}{}/", made["pk"].as_str().expect("a key"));
    let patched = admin.change("PATCH", &one, &json!({"negate": true})).await;
    assert_eq!(patched.is(200).json()["negate"], true);
    let unbound = "/api/v3/policies/all/?bindings__isnull=true&name=d";
    let unbound = admin.get(unbound).await.is(200).json();
    assert_eq!(unbound["pagination"]["count"], 0);
    let used = format!(
        "/api/v3/policies/dummy/{}/used_by/",
        policy.as_str().expect("a key")
    );
    let used = admin.get(&used).await.is(200).json();
    assert_eq!(used[0]["action"], "cascade");
    admin.change("DELETE", &one, &json!({})).await.is(204);
}

#[actix_web::test]
async fn a_prompt_names_the_stages_that_ask_for_it() {
    let server = Server::new().await;
    let mut admin = administrator(&server).await;
    let body = json!({
        "name": "lang", "field_key": "lang", "label": "Language", "type": "dropdown",
        "placeholder": "return ['en', 'de']", "placeholder_expression": false, "order": 3,
    });
    let prompt = admin.post(PROMPTS, &body).await.is(201).json();
    fits("Prompt", &prompt);
    assert_eq!(prompt["required"], true);
    assert_eq!(prompt["prompt_stages_obj"], json!([]));
    let stage = json!({"name": "ask", "fields": [prompt["pk"]]});
    let stage = admin
        .post("/api/v3/stages/prompt/stages/", &stage)
        .await
        .is(201)
        .json();
    let one = format!("{PROMPTS}{}/", prompt["pk"].as_str().expect("a key"));
    let shown = admin.get(&one).await.is(200).json();
    assert_eq!(shown["prompt_stages_obj"], json!([stage]));
    let used = admin.get(&format!("{one}used_by/")).await.is(200).json();
    assert_eq!(used[0]["action"], "cascade_many");
    let found = admin
        .get(&format!("{PROMPTS}?type=dropdown&search=langu"))
        .await;
    assert_eq!(found.is(200).json()["pagination"]["count"], 1);
    let patched = admin
        .change("PATCH", &one, &json!({"type": "nothing"}))
        .await;
    let text = "\"nothing\" is not a valid choice.";
    assert_eq!(patched.is(400).json(), json!({"type": [text]}));
    let none = admin
        .post(
            "/api/v3/stages/prompt/stages/",
            &json!({"name": "x", "fields": []}),
        )
        .await;
    assert_eq!(
        none.is(400).json(),
        json!({"fields": ["This list may not be empty."]})
    );
}

#[actix_web::test]
async fn a_preview_shows_a_prompt_that_is_not_there() {
    let server = Server::new().await;
    let mut admin = administrator(&server).await;
    let body = json!({
        "field_key": "key", "label": "Label", "type": "text", "placeholder": "here",
        "initial_value": "x", "order": 7,
    });
    let path = format!("{PROMPTS}preview/");
    let shown = admin.post(&path, &body).await.is(200).json();
    let field = json!({
        "field_key": "key", "label": "Label", "type": "text", "required": true,
        "placeholder": "here", "initial_value": "x", "order": 7, "sub_text": "", "choices": null,
    });
    assert_eq!(
        shown,
        json!({"component": "ak-stage-prompt", "fields": [field]})
    );
    let missing = admin
        .post(&path, &json!({"label": "L"}))
        .await
        .is(400)
        .json();
    assert_eq!(missing["field_key"], json!(["This field is required."]));
    let kept = admin.get(PROMPTS).await.is(200).json();
    assert_eq!(kept["pagination"]["count"], 0);
}

#[actix_web::test]
async fn an_invitation_names_whoever_made_it_and_its_flow() {
    let server = Server::new().await;
    let mut admin = administrator(&server).await;
    let flow = admin
        .get("/api/v3/flows/instances/login/")
        .await
        .is(200)
        .json();
    let body =
        json!({"name": "in", "flow": flow["pk"], "single_use": true, "fixed_data": {"a": 1}});
    let made = admin.post(INVITATIONS, &body).await.is(201).json();
    fits("Invitation", &made);
    assert_eq!(made["created_by"]["username"], "akadmin");
    assert_eq!(made["flow_obj"], flow);
    assert_eq!(made["fixed_data"], json!({"a": 1}));
    assert_eq!(
        made["expires"], "2026-01-02T00:00:00Z",
        "one without an end gets one"
    );
    for query in [
        "created_by__username=akadmin",
        "flow__slug=login",
        "search=akadm",
        "name=in",
    ] {
        let found = admin
            .get(&format!("{INVITATIONS}?{query}"))
            .await
            .is(200)
            .json();
        assert_eq!(found["pagination"]["count"], 1, "{query}");
    }
    let none = admin
        .get(&format!("{INVITATIONS}?created_by__username=bob"))
        .await;
    assert_eq!(none.is(200).json()["pagination"]["count"], 0);
    let bad = admin
        .post(INVITATIONS, &json!({"name": "a b"}))
        .await
        .is(400)
        .json();
    assert!(bad["name"].is_array(), "{bad}");
    let bad = json!({"name": "in", "fixed_data": []});
    let text = "Value must be a dictionary, and not have any duplicate keys.";
    let bad = admin.post(INVITATIONS, &bad).await.is(400).json();
    assert_eq!(bad, json!({"fixed_data": [text]}));
    let one = format!("{INVITATIONS}{}/", made["pk"].as_str().expect("a key"));
    let send = format!("{one}send_email/");
    let nobody = admin.post(&send, &json!({"email_addresses": []})).await;
    assert_eq!(
        nobody.is(400).json(),
        json!({"error": ["No email addresses provided"]})
    );
    let loose = made_without_flow(&mut admin).await;
    let to = json!({"email_addresses": ["a@example.org"]});
    let loose = admin
        .post(&format!("{INVITATIONS}{loose}/send_email/"), &to)
        .await;
    assert_eq!(
        loose.is(400).json(),
        json!({"error": ["Invitation has no associated flow"]})
    );
    let wrong = json!({"email_addresses": ["nobody"]});
    let wrong = admin.post(&send, &wrong).await.is(400).json();
    assert_eq!(
        wrong,
        json!({"email_addresses": ["Enter a valid email address."]})
    );
    admin.change("DELETE", &one, &json!({})).await.is(204);
}

async fn made_without_flow(admin: &mut Browser) -> String {
    let made = super::made(admin, INVITATIONS, &json!({"name": "loose"})).await;
    made.as_str().expect("a key").to_owned()
}

#[actix_web::test]
async fn mappings_and_sources_are_shown_by_all_that_they_are() {
    let server = Server::new().await;
    let mut admin = administrator(&server).await;
    let path = "/api/v3/propertymappings/notification/";
    let body = json!({"name": "sms", "expression": "return {}"});
    let made = admin.post(path, &body).await.is(201).json();
    fits("NotificationWebhookMapping", &made);
    let id = made["pk"].as_str().expect("a key");
    let shown = admin
        .get(&format!("/api/v3/propertymappings/all/{id}/"))
        .await
        .is(200)
        .json();
    fits("PropertyMapping", &shown);
    assert_eq!(shown["verbose_name"], "Webhook Mapping");
    let all = "/api/v3/propertymappings/all/?managed__isnull=true";
    assert_eq!(
        admin.get(all).await.is(200).json()["pagination"]["count"],
        1
    );
    let slug = "github".parse().expect("a slug");
    server
        .put(&Source::new(&server.state.clock, SourceKind::Oauth, slug))
        .await;
    let source = admin
        .get("/api/v3/sources/all/github/")
        .await
        .is(200)
        .json();
    fits("Source", &source);
    assert_eq!(source["component"], "ak-source-oauth-form");
    let settings = admin.get("/api/v3/sources/all/user_settings/").await;
    assert_eq!(settings.is(200).json(), json!([]));
    admin
        .change("DELETE", "/api/v3/sources/all/github/", &json!({}))
        .await
        .is(204);
    admin.get("/api/v3/sources/all/github/").await.is(404);
}

#[actix_web::test]
async fn the_kinds_that_one_can_choose_are_listed_without_those_for_tries() {
    let server = Server::new().await;
    let mut admin = administrator(&server).await;
    for (of, count, first) in [
        (
            "stages",
            Kind::ALL.len() - 1,
            "Authenticator Validation Stage",
        ),
        (
            "policies",
            policy::Kind::ALL.len() - 1,
            "Event Matcher Policy",
        ),
        ("propertymappings", 1, "Webhook Mapping"),
        ("sources", 2, "OAuth Source"),
    ] {
        let path = format!("/api/v3/{of}/all/types/");
        let types = admin.get(&path).await.is(200).json();
        let types = types.as_array().expect("a list");
        assert_eq!(types.len(), count, "{of}");
        assert_eq!(types[0]["name"], first);
        assert!(types.iter().all(|it| it["requires_enterprise"] == false));
        assert!(
            types
                .iter()
                .all(|it| !it["name"].to_string().contains("Dummy"))
        );
    }
    let models = "/api/v3/stages/authenticator/webauthn_device_types/";
    let listed = admin
        .get(&format!("{models}?search=yubikey"))
        .await
        .is(200)
        .json();
    assert!(listed["pagination"]["count"].as_u64() > Some(2), "{listed}");
    let one = listed["results"][0]["aaguid"].as_str().expect("a number");
    let one = admin.get(&format!("{models}{one}/")).await.is(200).json();
    fits("WebAuthnDeviceType", &one);
    let nil = uuid::Uuid::nil();
    admin.get(&format!("{models}{nil}/")).await.is(200);
    admin.get(&format!("{models}x/")).await.is(404);
    let info = admin.get("/api/v3/policies/all/cache_info/").await;
    assert_eq!(info.is(200).json(), json!({"count": 0}));
    let clear = "/api/v3/policies/all/cache_clear/";
    admin.post(clear, &json!({})).await.is(204);
}

#[actix_web::test]
async fn whoever_may_do_nothing_sees_no_stage_and_makes_none() {
    let server = Server::new().await;
    let alice = server.user("alice", "correct horse").await;
    let mut alice = server.program(&alice).await;
    for path in [
        "/api/v3/stages/all/",
        "/api/v3/stages/captcha/",
        "/api/v3/policies/all/",
        CONDITIONS,
        PROMPTS,
        INVITATIONS,
        "/api/v3/propertymappings/all/",
        "/api/v3/stages/authenticator/webauthn_device_types/",
        "/api/v3/policies/all/cache_info/",
    ] {
        alice.get(path).await.is(403);
    }
    let body = json!({"name": "d"});
    alice.post("/api/v3/stages/deny/", &body).await.is(403);
    alice
        .post(&format!("{PROMPTS}preview/"), &body)
        .await
        .is(403);
    let mut nobody = server.browser();
    nobody.get("/api/v3/stages/all/types/").await.is(403);
}
