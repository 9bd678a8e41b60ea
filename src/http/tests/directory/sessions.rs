//! Sessions, passwords and ways back in.

use super::*;

#[actix_web::test]
async fn a_session_that_is_ended_logs_its_browser_out() {
    let server = Server::new().await;
    let (_, mut admin) = server.root().await;
    let alice = server.user("alice", "correct horse").await;
    server.user("bob", "correct horse").await;
    let mut browsers = Vec::new();
    for name in ["alice", "alice", "bob"] {
        let mut browser = server.browser();
        browser.logs_in(name, "correct horse").await.is(200);
        browsers.push(browser);
    }
    let own = browsers[0].get(SESSIONS).await.is(200).json();
    assert_eq!(own["pagination"]["count"], 2);
    let current = own["results"].as_array().expect("a list").iter();
    let current: Vec<_> = current.filter(|it| it["current"] == true).collect();
    assert_eq!(current.len(), 1);
    assert_eq!(current[0]["user"], alice.pk);
    assert_eq!(current[0]["user_agent"]["string"], "browser/1");
    let all = admin
        .get(&format!("{SESSIONS}?user__username=bob"))
        .await
        .is(200)
        .json();
    assert_eq!(all["pagination"]["count"], 1);
    let bobs = one(SESSIONS, all["results"][0]["uuid"].as_str().expect("a key"));
    browsers[0].get(&bobs).await.is(404);
    admin.change("DELETE", &bobs, &json!({})).await.is(204);
    admin.get(&bobs).await.is(404);
    browsers[2].get(ME).await.is(403);
    // Another site has no part in it.
    let mine = one(SESSIONS, current[0]["uuid"].as_str().expect("a key"));
    browsers[0]
        .change("DELETE", &mine, &json!({}))
        .await
        .is(403)
        .shows("CSRF");
    let bulk = format!("{SESSIONS}bulk_delete/?user_pks={}", alice.pk);
    let mut program = server.program(&alice).await;
    program.change("DELETE", &bulk, &json!({})).await.is(403);
    let ended = admin
        .change("DELETE", &bulk, &json!({}))
        .await
        .is(200)
        .json();
    assert_eq!(ended, json!({"deleted": 2}));
    browsers[0].get(ME).await.is(403);
    browsers[1].get(ME).await.is(403);
}

#[actix_web::test]
async fn a_password_that_is_set_ends_every_session_but_ones_own() {
    let server = Server::new().await;
    let role = server
        .role(
            "reset",
            &[
                "authentik_core.view_user",
                "authentik_core.reset_user_password",
            ],
        )
        .await;
    let alice = server.holder("alice", &role).await;
    let mut elsewhere = server.browser();
    elsewhere.logs_in("alice", "correct horse").await.is(200);
    let mut here = server.browser();
    here.logs_in("alice", "correct horse").await.is(200);
    let before = here.session().cloned();
    let stolen = here.clone();
    let csrf = here.csrf();
    let mut acting = here.with_header("x-authentik-csrf", &csrf);
    let path = one(USERS, alice.pk) + "set_password/";
    let empty = acting
        .post(&path, &json!({"password": ""}))
        .await
        .is(400)
        .json();
    assert_eq!(empty, json!({"password": ["This field may not be blank."]}));
    acting
        .post(&path, &json!({"password": " battery staple "}))
        .await
        .is(204);
    assert_ne!(acting.session().cloned(), before);
    acting.get(ME).await.is(200);
    elsewhere.get(ME).await.is(403);
    stolen.clone().get(ME).await.is(403);
    let mut fresh = server.browser();
    let end = fresh
        .logs_in("alice", " battery staple ")
        .await
        .is(200)
        .json();
    assert_eq!(end["to"], "/", "blanks belong to it");
}

#[actix_web::test]
async fn a_way_back_into_an_account_needs_a_flow_that_lets_them_in() {
    let server = Server::new().await;
    let (_, mut admin) = server.root().await;
    let alice = server.user("alice", "correct horse").await;
    let path = one(USERS, alice.pk);
    let none = admin
        .post(&format!("{path}recovery/"), &json!({}))
        .await
        .is(400)
        .json();
    assert_eq!(none, json!({"non_field_errors": ["No recovery flow set."]}));
    let wrong = json!({"token_duration": "soon"});
    let wrong = admin
        .post(&format!("{path}recovery/"), &wrong)
        .await
        .is(400)
        .json();
    assert!(wrong["token_duration"].is_array(), "{wrong}");
    let stage = json!({"email_stage": alice.uuid});
    let none = admin
        .post(&format!("{path}recovery_email/"), &stage)
        .await
        .is(400)
        .json();
    assert_eq!(
        none,
        json!({"non_field_errors": ["User does not have an email address set."]})
    );
    admin
        .change("PATCH", &path, &json!({"email": "a@example.com"}))
        .await
        .is(200);
    let none = admin
        .post(&format!("{path}recovery_email/"), &stage)
        .await
        .is(400)
        .json();
    assert_eq!(
        none,
        json!({"non_field_errors": ["Email stage not found."]})
    );
    server.put(&server.brand()).await;
    let brands = "/api/v3/core/brands/";
    let second = json!({"domain": "b.example", "default": true});
    let second = admin.post(brands, &second).await.is(400).json();
    assert_eq!(
        second,
        json!({"default": ["Only a single brand can be set as default."]})
    );
    let shown = admin.get(brands).await.is(200).json();
    let brand = one(
        brands,
        shown["results"][0]["brand_uuid"].as_str().expect("a key"),
    );
    let stages = [(Kind::UserLogin, json!({}))];
    let flow = server.flow("recover", Designation::Recovery, &stages).await;
    let patch = json!({"flow_recovery": flow.pk});
    admin.change("PATCH", &brand, &patch).await.is(200);
    let path = format!("{path}recovery/");
    let made = admin
        .post(&path, &json!({"token_duration": "hours=1"}))
        .await
        .is(200)
        .json();
    let link = made["link"].as_str().expect("a link");
    assert!(link.contains("/if/flow/recover/?flow_token="), "{link}");
}
