//! Flows and their bindings through the API.

use super::*;
const FLOWS: &str = "/api/v3/flows/instances/";
const BINDINGS: &str = "/api/v3/flows/bindings/";

/// A program with a token of a superuser.
async fn administrator(server: &Server) -> Browser {
    let admin = crate::directory::user_by_username(&*server.state.journal, "akadmin").await;
    let admin = admin.expect("a journal").expect("the administrator").value;
    server.program(&admin).await
}

#[actix_web::test]
async fn a_flow_is_made_shown_changed_and_removed() {
    let server = Server::new().await;
    let mut admin = administrator(&server).await;
    let body = json!({"name": "A", "slug": "a", "title": "T", "designation": "enrollment"});
    let made = admin.post(FLOWS, &body).await.is(201).json();
    assert_eq!(made["layout"], "stacked");
    assert_eq!(made["denied_action"], "message_continue");
    assert_eq!(made["export_url"], "/api/v3/flows/instances/a/export/");
    assert_eq!(made["stages"], json!([]));
    let again = admin.post(FLOWS, &body).await.is(400).json();
    assert!(again["slug"].is_array(), "{again}");
    let bad = json!({"name": "A", "slug": "a b", "title": "T", "designation": "enrollment"});
    let bad = admin.post(FLOWS, &bad).await.is(400).json();
    assert!(bad["slug"].is_array(), "{bad}");
    let one = format!("{FLOWS}a/");
    let patched = admin.change("PATCH", &one, &json!({"title": "U"})).await;
    assert_eq!(patched.is(200).json()["title"], "U");
    let put = admin.change("PUT", &one, &json!({"title": "V"})).await;
    assert_eq!(
        put.is(400).json(),
        json!({
            "name": ["This field is required."],
            "slug": ["This field is required."],
            "designation": ["This field is required."],
        })
    );
    let found = admin
        .get(&format!("{FLOWS}?search=u&designation=enrollment"))
        .await;
    assert_eq!(found.is(200).json()["pagination"]["count"], 1);
    let none = admin.get(&format!("{FLOWS}?designation=x")).await;
    assert_eq!(
        none.is(400).json(),
        json!({"designation": ["Select a valid choice. x is not one of the available choices."]})
    );
    admin.change("DELETE", &one, &json!({})).await.is(204);
    let gone = admin.get(&one).await.is(404).json();
    assert_eq!(gone["detail"], "No Flow matches the given query.");
}

#[actix_web::test]
async fn a_binding_shows_its_stage_and_keeps_its_place_to_itself() {
    let server = Server::new().await;
    let mut admin = administrator(&server).await;
    let flow = admin.get(&format!("{FLOWS}login/")).await.is(200).json();
    let stage = flow["stages"][0].clone();
    let body = json!({"target": flow["pk"], "stage": stage, "order": 7});
    let made = admin.post(BINDINGS, &body).await.is(201).json();
    assert_eq!(
        made["stage_obj"]["component"],
        "ak-stage-identification-form"
    );
    assert_eq!(made["re_evaluate_policies"], true);
    let again = admin.post(BINDINGS, &body).await.is(400).json();
    let text = "The fields target, stage, order must make a unique set.";
    assert_eq!(again, json!({"non_field_errors": [text]}));
    let neither = json!({
        "target": flow["pk"], "stage": stage, "order": 8, "re_evaluate_policies": false,
    });
    let neither = admin.post(BINDINGS, &neither).await.is(400).json();
    let text = "Either evaluation on plan or evaluation on run must be enabled";
    assert_eq!(neither, json!({"non_field_errors": [text]}));
    let target = flow["pk"].as_str().expect("a key");
    let listed = admin.get(&format!("{BINDINGS}?target={target}")).await;
    assert_eq!(listed.is(200).json()["pagination"]["count"], 4);
    let used = format!("{FLOWS}login/used_by/");
    let used = admin.get(&used).await.is(200).json();
    assert_eq!(used.as_array().map(Vec::len), Some(4));
    assert_eq!(used[0]["action"], "cascade");
}

#[actix_web::test]
async fn whoever_may_not_see_flows_is_told_so_or_sees_none() {
    let server = Server::new().await;
    let alice = server.user("alice", "correct horse").await;
    let mut alice = server.program(&alice).await;
    let refused = alice.get(FLOWS).await.is(403).json();
    let text = "You do not have permission to perform this action.";
    assert_eq!(refused["detail"], text);
    alice.get(&format!("{FLOWS}login/")).await.is(404);
    let body = json!({"name": "A", "slug": "a", "title": "T", "designation": "enrollment"});
    alice.post(FLOWS, &body).await.is(403);
    let mut nobody = server.browser();
    let refused = nobody.get(FLOWS).await.is(403).json();
    let text = "Authentication credentials were not provided.";
    assert_eq!(refused["detail"], text);
}

#[actix_web::test]
async fn a_change_is_noted_with_whoever_made_it() {
    let server = Server::new().await;
    let mut admin = administrator(&server).await;
    let one = format!("{FLOWS}login/");
    admin
        .change("PATCH", &one, &json!({"title": "U"}))
        .await
        .is(200);
    let flow = admin.get(&one).await.is(200).json();
    let id = flow["pk"].as_str().expect("a key").parse().expect("a key");
    let stream = object::stream::<Flow>(id);
    let history = crate::directory::change::history(&*server.state.journal, stream).await;
    let history = history.expect("a journal");
    let change = history.last().and_then(|it| it.change.clone());
    let change = change.expect("a note");
    assert!(change.author.user.is_some() && change.author.token.is_some());
    let request = change.author.request.expect("a request");
    assert_eq!(request, "PATCH /api/v3/flows/instances/login/");
    assert!(history[0].change.is_none());
}
