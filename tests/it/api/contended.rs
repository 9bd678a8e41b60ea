//! Several who change the same things at the same moment, and changes that would leave nobody in
//! charge.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::program::with_program;
use crate::support::Flow;

#[test]
fn everybody_who_makes_an_account_at_the_same_time_gets_one() {
    with_program(async |_, program| {
        let bodies: Vec<Value> = (0..20)
            .map(|number| json!({ "username": format!("person-{number}"), "name": "A person" }))
            .collect();
        let made = bodies
            .iter()
            .map(|body| program.sends(Method::POST, "/core/users/", body));
        for made in join_all(made).await {
            made.has_status(201);
        }
        let group = json!({ "name": "everybody" });
        let group = program.makes("/core/groups/", &group).await;
        let group = group["pk"].as_str().expect("a key").to_owned();
        let mut groups = Vec::new();
        for number in 0..8 {
            let body = json!({ "name": format!("group-{number}"), "parents": [group] });
            let made = program.makes("/core/groups/", &body).await;
            groups.push(format!(
                "/core/groups/{}/add_user/",
                made["pk"].as_str().expect("a key")
            ));
        }
        let who = json!({ "pk": program.number_of("person-3").await });
        let all = groups.iter().map(|path| program.does(path, &who));
        join_all(all).await;
        let path = format!("/core/users/{}/", who["pk"]);
        let shown = program.gets(&path).await;
        assert_eq!(shown["groups"].as_array().map(Vec::len), Some(8));
    });
}

#[test]
fn nothing_refers_to_what_was_removed_at_the_same_moment() {
    with_program(async |server, program| {
        server.has_flow(&Flow::new("somewhere").dummy("something"));
        let flow = program.gets("/flows/instances/somewhere/").await;
        for number in 0..8 {
            let body = json!({ "name": format!("stage-{number}") });
            let stage = program.makes("/stages/dummy/", &body).await;
            let path = format!("/stages/dummy/{}/", stage["pk"].as_str().expect("a key"));
            let binding =
                json!({ "target": flow["pk"], "stage": stage["pk"], "order": number + 5 });
            let nothing = Value::Null;
            let removes = program.sends(Method::DELETE, &path, &nothing);
            let binds = program.sends(Method::POST, "/flows/bindings/", &binding);
            let answers = tokio::join!(removes, binds);
            answers.0.has_status(204);
        }
        let bindings = program.gets("/flows/bindings/?page_size=100").await;
        let bindings = bindings["results"].as_array().expect("a list").clone();
        assert!(bindings.iter().all(|it| it["stage_obj"].is_object()));
        let ours = bindings.iter().filter(|it| it["target"] == flow["pk"]);
        assert_eq!(ours.count(), 1, "only the one that was there before");
    });
}

#[test]
fn the_last_superuser_stays_one_whatever_is_asked() {
    with_program(async |_, program| {
        let found = program.gets("/core/groups/?is_superuser=true").await;
        let group = found["results"][0]["pk"].as_str().expect("a key");
        let group = format!("/core/groups/{group}/");
        let user = format!("/core/users/{}/", program.number_of("akadmin").await);
        let who = json!({ "pk": program.number_of("akadmin").await });
        for (method, path, body) in [
            (Method::DELETE, group.clone(), json!(null)),
            (Method::PATCH, group.clone(), json!({ "users": [] })),
            (
                Method::PATCH,
                group.clone(),
                json!({ "is_superuser": false }),
            ),
            (Method::POST, format!("{group}remove_user/"), who),
            (Method::PATCH, user.clone(), json!({ "groups": [] })),
            (Method::PATCH, user.clone(), json!({ "is_active": false })),
            (Method::DELETE, user.clone(), json!(null)),
        ] {
            let refused = program.sends(method, &path, &body).await;
            let text = refused.has_status(400).json().to_string();
            assert!(text.contains("last active superuser"), "{path}: {text}");
        }
        program.gets(&user).await;
        // With another one, the first may go.
        let body = json!({ "username": "other", "name": "Other" });
        program.makes("/core/users/", &body).await;
        let other = json!({ "pk": program.number_of("other").await });
        program.does(&format!("{group}add_user/"), &other).await;
        let nobody = json!({ "groups": [] });
        program.changes(&user, &nobody).await;
        program
            .is_refused(Method::GET, &user, &json!({}), 404)
            .await;
    });
}

#[test]
fn a_page_of_another_site_begins_no_flow_by_the_api() {
    with_program(async |server, program| {
        let person = server.person();
        let number = program.number_of(&person.username).await;
        let group = program.gets("/core/groups/?is_superuser=true").await;
        let group = group["results"][0]["pk"].as_str().expect("a key");
        let path = format!("/core/groups/{group}/add_user/");
        program.does(&path, &json!({ "pk": number })).await;
        server.has_flow(&Flow::new("acts").stage("user_delete", "goodbye", json!({})));
        let mut visitor = server.visitor();
        visitor.logs_in(&person).await;
        let path = "/api/v3/flows/instances/acts/execute/";
        for site in ["cross-site", "same-site"] {
            for destination in ["image", "document"] {
                let headers = [("sec-fetch-site", site), ("sec-fetch-dest", destination)];
                let refused = visitor.sends(Method::GET, path, &headers, String::new());
                refused.await.has_status(403);
            }
        }
        visitor.gets("/api/v3/core/users/me/").await.has_status(200);
    });
}
