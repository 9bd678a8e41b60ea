//! Accounts: made, found, changed and removed.

use super::*;

#[actix_web::test]
async fn an_account_is_made_found_changed_and_removed() {
    let server = Server::new().await;
    let (_, mut admin) = server.root().await;
    let bare = admin.post(USERS, &json!({"username": "carol"})).await;
    assert_eq!(
        bare.is(400).json(),
        json!({"name": ["This field is required."]})
    );
    let body = json!({"username": "carol", "name": "", "email": "c@example.com",
        "path": "staff/north", "attributes": {"team": {"name": "a"}}});
    let made = admin.post(USERS, &body).await.is(201).json();
    assert_eq!(made["type"], "internal");
    assert_eq!(made["groups_obj"], json!([]));
    assert_eq!(made["last_login"], Value::Null);
    assert!(made.get("password").is_none());
    let again = admin.post(USERS, &body).await.is(400).json();
    assert_eq!(again, json!({"username": ["This field must be unique."]}));
    let group = admin
        .post(GROUPS, &json!({"name": "north"}))
        .await
        .is(201)
        .json();
    let carol = one(USERS, &made["pk"]);
    let patch = json!({"groups": [group["pk"]]});
    let changed = admin.change("PATCH", &carol, &patch).await.is(200).json();
    assert_eq!(changed["groups_obj"][0]["name"], "north");
    let at = changed["date_joined"]
        .as_str()
        .expect("a moment")
        .to_owned();
    for (query, count) in [
        ("username=carol", 1),
        ("search=c@example", 1),
        ("path=staff", 0),
        ("path_startswith=staff", 1),
        ("groups_by_name=north", 1),
        ("groups_by_name=south&groups_by_name=north", 1),
        ("groups_by_name=south", 0),
        (
            &format!("groups_by_pk={}", group["pk"].as_str().expect("a key")),
            1,
        ),
        ("is_superuser=true", 1),
        ("is_superuser=false", 1),
        ("last_login__isnull=true", 2),
        ("last_login__isnull=false", 0),
        ("type=external&type=internal", 2),
        ("type=external", 0),
        ("attributes=%7B%22team%22:%7B%22name%22:%22a%22%7D%7D", 1),
        ("attributes=%7B%22team%22:%7B%22name%22:%22b%22%7D%7D", 0),
        (&format!("date_joined={at}&username=carol"), 1),
        (&format!("date_joined__lt={at}&username=carol"), 0),
        ("date_joined__gt=2000-01-01T00:00:00Z", 2),
    ] {
        let found = admin.get(&format!("{USERS}?{query}")).await.is(200).json();
        assert_eq!(found["pagination"]["count"], count, "{query}");
    }
    let plain = admin
        .get(&format!("{carol}?include_groups=false"))
        .await
        .is(200)
        .json();
    assert_eq!(plain["groups_obj"], Value::Null);
    assert_eq!(plain["roles_obj"], json!([]));
    let paths = admin.get(&one(USERS, "paths")).await.is(200).json();
    assert_eq!(paths, json!({"paths": ["staff/north", "users"]}));
    for (patch, problem) in [
        (
            json!({"path": "/a"}),
            json!({"path": ["No leading or trailing slashes allowed."]}),
        ),
        (
            json!({"type": "internal_service_account"}),
            json!({"type": ["Setting a user to internal service account is not allowed."]}),
        ),
        (
            json!({"email": "x"}),
            json!({"email": ["Enter a valid email address."]}),
        ),
    ] {
        let refused = admin.change("PATCH", &carol, &patch).await.is(400).json();
        assert_eq!(refused, problem);
    }
    admin.change("DELETE", &carol, &json!({})).await.is(204);
    let gone = admin.get(&carol).await.is(404).json();
    assert_eq!(gone["detail"], "No User matches the given query.");
}

#[actix_web::test]
async fn a_user_who_is_removed_or_shut_out_can_do_nothing_any_more() {
    let server = Server::new().await;
    let (root, mut admin) = server.root().await;
    let alice = server.user("alice", "correct horse").await;
    let mut program = server.program(&alice).await;
    let mut browser = server.browser();
    browser.logs_in("alice", "correct horse").await.is(200);
    browser.get(ME).await.is(200);
    let path = one(USERS, alice.pk);
    let shut = admin
        .change("PATCH", &path, &json!({"is_active": false}))
        .await;
    assert_eq!(shut.is(200).json()["is_active"], false);
    let sessions = sessions_of(&*server.state.journal, alice.uuid).await;
    assert!(sessions.expect("a read").is_empty());
    browser.get(ME).await.is(403);
    program.get(ME).await.is(403);
    let back = json!({"is_active": true, "username": "alice", "name": "Alice"});
    admin.change("PUT", &path, &back).await.is(200);
    program.get(ME).await.is(200);
    browser.get(ME).await.is(403);
    let consent = UserConsent {
        id: server.state.clock.opaque_id(),
        user: alice.uuid,
        application: "app".to_owned(),
        permissions: "a b".to_owned(),
        expires: None,
    };
    server.put(&consent).await;
    let consents = "/api/v3/core/user_consent/";
    let seen = program.get(consents).await.is(200).json();
    assert_eq!(seen["results"][0]["permissions"], "a b");
    assert_eq!(seen["results"][0]["application"]["name"], "app");
    assert_eq!(seen["results"][0]["user"]["username"], "alice");
    let mut other = server
        .program(&server.user("bob", "correct horse").await)
        .await;
    let none = other.get(consents).await.is(200).json();
    assert_eq!(none["pagination"]["count"], 0);
    other
        .change(
            "DELETE",
            &one(consents, &seen["results"][0]["pk"]),
            &json!({}),
        )
        .await
        .is(404);
    admin.change("DELETE", &path, &json!({})).await.is(204);
    program.get(ME).await.is(403);
    let left = admin.get(consents).await.is(200).json();
    assert_eq!(left["pagination"]["count"], 0);
    for (method, body) in [
        ("DELETE", json!({})),
        ("PATCH", json!({"is_active": false})),
    ] {
        let refused = admin.change(method, &one(USERS, root.pk), &body).await;
        refused.is(400).shows("This is the last active superuser.");
    }
}
