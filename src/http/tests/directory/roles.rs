//! Roles, permissions on single objects, and what is one's own.

use super::*;

#[actix_web::test]
async fn people_without_permissions_see_only_what_is_theirs() {
    let server = Server::new().await;
    let (_, mut admin) = server.root().await;
    let alice = server.user("alice", "correct horse").await;
    let mut program = server.program(&alice).await;
    for path in [
        USERS,
        GROUPS,
        ROLES,
        PERMISSIONS,
        "/api/v3/core/brands/",
        "/api/v3/policies/reputation/scores/",
        &one(USERS, "paths"),
        &format!("{PERMISSIONS}roles/"),
        &format!("{PERMISSIONS}assigned_by_roles/?model=x"),
    ] {
        let refused = program.get(path).await;
        refused
            .is(403)
            .shows("You do not have permission to perform this action.");
    }
    program.get(&one(USERS, alice.pk)).await.is(404);
    let body = json!({"identifier": "mine", "expiring": false, "expires": "2999-01-01T00:00:00Z"});
    let made = program.post(TOKENS, &body).await.is(201).json();
    assert_eq!(
        (&made["intent"], &made["expiring"]),
        (&json!("api"), &json!(true))
    );
    assert!(
        made["expires"].as_str().is_some_and(|at| at < "2900"),
        "{made}"
    );
    assert!(made.get("key").is_none());
    let key = program
        .get(&one(TOKENS, "mine/view_key"))
        .await
        .is(200)
        .json();
    assert_eq!(key["key"].as_str().map(str::len), Some(60));
    program
        .post(&one(TOKENS, "mine/set_key"), &json!({"key": "k"}))
        .await
        .is(403);
    for intent in ["recovery", "verification", "x"] {
        let body = json!({"identifier": "other", "intent": intent});
        let refused = program.post(TOKENS, &body).await.is(400).json();
        assert_eq!(
            refused,
            json!({"intent": [format!("Invalid intent {intent}")]})
        );
    }
    let seen = program.get(TOKENS).await.is(200).json();
    assert_eq!(
        seen["pagination"]["count"], 2,
        "and the one that the program has"
    );
    let theirs = json!({"identifier": "theirs", "expiring": false});
    let theirs = admin.post(TOKENS, &theirs).await.is(201).json();
    assert_eq!(theirs["expiring"], false);
    program.get(&one(TOKENS, "theirs")).await.is(404);
    program.get(&one(TOKENS, "theirs/view_key")).await.is(404);
    let set = admin
        .post(&one(TOKENS, "theirs/set_key"), &json!({"key": "s3cret"}))
        .await;
    set.is(204);
    let twice = admin
        .post(&one(TOKENS, "mine/set_key"), &json!({"key": "s3cret"}))
        .await;
    assert_eq!(
        twice.is(400).json(),
        json!({"key": ["This field must be unique."]})
    );
    let mut by_key = server
        .browser()
        .with_header("authorization", "Bearer s3cret");
    by_key.get(ME).await.is(200).shows("akadmin");
    program
        .change("DELETE", &one(TOKENS, "mine"), &json!({}))
        .await
        .is(204);
    server.state.clock.advance(Duration::from_hours(25));
    let left = by_key.get(TOKENS).await.is(200).json();
    assert_eq!(
        left["pagination"]["count"], 1,
        "those that ended are not there"
    );
}

#[actix_web::test]
async fn a_permission_on_one_object_shows_and_opens_that_one() {
    let server = Server::new().await;
    let (_, mut admin) = server.root().await;
    let alice = server.user("alice", "correct horse").await;
    let bob = server.user("bob", "correct horse").await;
    let role = admin
        .post(ROLES, &json!({"name": "some"}))
        .await
        .is(201)
        .json();
    let role = role["pk"].as_str().expect("a key").to_owned();
    let assign = format!("{PERMISSIONS}assigned_by_roles/{role}/assign/");
    let on_bob = json!({"permissions": ["authentik_core.view_user", "authentik_core.change_user"],
        "model": "authentik_core.user", "object_pk": bob.pk.to_string()});
    let given = admin.post(&assign, &on_bob).await.is(200).json();
    assert_eq!(given.as_array().map(Vec::len), Some(2));
    for (body, field) in [
        (json!({}), "permissions"),
        (
            json!({"permissions": ["authentik_core.view_usr"]}),
            "permissions",
        ),
        (
            json!({"permissions": ["authentik_core.view_user"], "model": "authentik_core.user"}),
            "object_pk",
        ),
        (
            json!({"permissions": ["authentik_core.view_user"], "model": "authentik_core.user", "object_pk": "99"}),
            "object_pk",
        ),
        (
            json!({"permissions": ["authentik_core.view_user"], "model": "authentik_flows.flow", "object_pk": bob.uuid}),
            "object_pk",
        ),
    ] {
        let refused = admin.post(&assign, &body).await.is(400).json();
        assert!(refused[field].is_array(), "{body}: {refused}");
    }
    admin
        .post(
            &format!("{ROLES}{role}/add_user/"),
            &json!({"pk": alice.pk}),
        )
        .await
        .is(204);
    let mut program = server.program(&alice).await;
    let me = program.get(ME).await.is(200).json();
    assert_eq!(me["user"]["roles"], json!([{"name": "some", "pk": role}]));
    let seen = program.get(USERS).await.is(200).json();
    assert_eq!(seen["results"][0]["username"], "bob");
    assert_eq!(seen["pagination"]["count"], 1);
    let bobs = one(USERS, bob.pk);
    program
        .change("PATCH", &bobs, &json!({"name": "B"}))
        .await
        .is(200);
    program.change("DELETE", &bobs, &json!({})).await.is(403);
    program.get(&one(USERS, alice.pk)).await.is(404);
    let by_role = admin
        .get(&format!("{ROLES}?users={}", alice.pk))
        .await
        .is(200)
        .json();
    assert_eq!(by_role["pagination"]["count"], 1);
    let held = format!(
        "{PERMISSIONS}assigned_by_roles/?model=authentik_core.user&object_pk={}",
        bob.pk
    );
    let held = admin.get(&held).await.is(200).json();
    assert_eq!(
        held["results"][0]["object_permissions"][0]["codename"],
        "change_user"
    );
    let listed = admin
        .get(&format!("{PERMISSIONS}roles/?uuid={role}"))
        .await
        .is(200)
        .json();
    assert_eq!(listed["results"][0]["object_description"], "bob");
    let known = admin
        .get(&format!("{PERMISSIONS}?codename=export_flow"))
        .await
        .is(200)
        .json();
    let export = &known["results"][0];
    assert_eq!(export["app_label"], "authentik_flows");
    let same = admin
        .get(&one(PERMISSIONS, &export["id"]))
        .await
        .is(200)
        .json();
    assert_eq!(&same, export);
    let unassign = format!("{PERMISSIONS}assigned_by_roles/{role}/unassign/");
    admin.change("PATCH", &unassign, &on_bob).await.is(204);
    program.get(USERS).await.is(403);
    let group = json!({"name": "g", "roles": [role], "users": [alice.pk]});
    let group = admin.post(GROUPS, &group).await.is(201).json();
    assert_eq!(group["users_obj"][0]["username"], "alice");
    assert_eq!(group["roles_obj"][0]["name"], "some");
    let all = json!({"permissions": ["authentik_core.view_user"]});
    admin.post(&assign, &all).await.is(200);
    admin
        .post(
            &format!("{ROLES}{role}/remove_user/"),
            &json!({"pk": alice.pk}),
        )
        .await
        .is(204);
    program.get(&one(USERS, alice.pk)).await.is(200);
    for (query, count) in [
        (format!("users={}", alice.pk), 0),
        (format!("users={}&inherited=true", alice.pk), 1),
        (
            format!("groups={}", group["pk"].as_str().expect("a key")),
            1,
        ),
        ("managed__isnull=false".to_owned(), 0),
    ] {
        let found = admin.get(&format!("{ROLES}?{query}")).await.is(200).json();
        assert_eq!(found["pagination"]["count"], count, "{query}");
    }
    let used = admin
        .get(&format!("{ROLES}{role}/used_by/"))
        .await
        .is(200)
        .json();
    assert_eq!(used[0]["model_name"], "group");
    admin
        .change("DELETE", &format!("{ROLES}{role}/"), &json!({}))
        .await
        .is(204);
    program.get(USERS).await.is(403);
}

#[actix_web::test]
async fn a_role_forgets_what_goes_and_a_managed_one_keeps_its_name() {
    let server = Server::new().await;
    let (_, mut admin) = server.root().await;
    let alice = server.user("alice", "correct horse").await;
    let mut role = Role::of_one(&server.state.clock, &alice);
    role.objects.insert(OnObject {
        model: "authentik_core.user".to_owned(),
        pk: alice.pk.to_string(),
        permission: "authentik_core.view_user".to_owned(),
    });
    server.put(&role).await;
    let path = one(ROLES, role.pk);
    let renamed = admin.change("PATCH", &path, &json!({"name": "x"})).await;
    renamed.is(400).shows("keeps its name");
    let taken = json!({"name": "ak-managed-role--user-77"});
    admin.post(ROLES, &taken).await.is(400).shows("looks after");
    admin
        .change("DELETE", &one(USERS, alice.pk), &json!({}))
        .await
        .is(204);
    admin.get(&path).await.is(404);
}
