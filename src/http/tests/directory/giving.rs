//! What nobody can give themselves or others.

use super::*;

/// What somebody who looks after people may have.
const HELP: &[&str] = &[
    "authentik_core.view_user",
    "authentik_core.add_user",
    "authentik_core.change_user",
    "authentik_core.delete_user",
    "authentik_core.reset_user_password",
    "authentik_core.view_group",
    "authentik_core.add_group",
    "authentik_core.change_group",
    "authentik_core.delete_group",
    "authentik_core.add_user_to_group",
    "authentik_core.remove_user_from_group",
    "authentik_core.view_token",
    "authentik_core.add_token",
    "authentik_core.change_token",
    "authentik_core.view_token_key",
    "authentik_core.set_token_key",
    "authentik_rbac.view_role",
    "authentik_rbac.change_role",
    "authentik_rbac.assign_role_permissions",
    "authentik_rbac.unassign_role_permissions",
];

#[actix_web::test]
async fn whoever_looks_after_people_gives_nobody_what_they_lack() {
    let server = Server::new().await;
    let (root, mut admin) = server.root().await;
    let chiefs = server.administrators().await.pk;
    let help = server.role("help", HELP).await;
    let strong = server
        .role("strong", &["authentik_flows.change_flow"])
        .await;
    let helper = server.holder("helper", &help).await;
    let strongman = server.holder("strongman", &strong).await;
    let alice = server.user("alice", "correct horse").await;
    let mut plain = Group::new(&server.state.clock, "plain");
    plain.attributes.insert("a".to_owned(), 1.into());
    server.put(&plain).await;
    let tokens = admin.get(TOKENS).await.is(200).json();
    let key = &tokens["results"][0];
    assert_eq!(key["user"], root.pk);
    let token = one(TOKENS, key["identifier"].as_str().expect("a slug"));
    let mut program = server.program(&helper).await;
    let assign =
        |role: &Role| one(&format!("{PERMISSIONS}assigned_by_roles/"), role.pk) + "assign/";
    let (groups, roles) = (json!({"groups": [chiefs]}), json!({"roles": [strong.pk]}));
    let (admins, mine) = (one(GROUPS, chiefs), one(USERS, helper.pk));
    let (roots, alices) = (one(USERS, root.pk), one(USERS, alice.pk));
    let me = json!({"pk": helper.pk});
    let password = json!({"password": "battery staple"});
    let encoded = password::hash(&"battery staple".into(), &server.state.clock);
    let encoded = json!({"password": secrecy::ExposeSecret::expose_secret(&encoded)});
    let new = |more: &Value| {
        let mut body = json!({"username": "new", "name": "New"});
        body.as_object_mut()
            .expect("fields")
            .extend(more.as_object().expect("fields").clone());
        body
    };
    let above = json!({"parents": [chiefs]});
    let up = json!({"is_superuser": true});
    for (method, path, body, status) in [
        ("PATCH", mine.clone(), groups.clone(), 403),
        ("PATCH", mine.clone(), roles.clone(), 403),
        ("PATCH", alices.clone(), groups.clone(), 403),
        ("PATCH", alices.clone(), roles.clone(), 403),
        ("POST", USERS.to_owned(), new(&groups), 403),
        ("POST", USERS.to_owned(), new(&roles), 403),
        ("POST", format!("{admins}add_user/"), me.clone(), 403),
        (
            "POST",
            format!("{admins}remove_user/"),
            json!({"pk": root.pk}),
            403,
        ),
        ("PATCH", admins.clone(), json!({"users": [helper.pk]}), 403),
        ("PATCH", admins.clone(), json!({"name": "x"}), 403),
        ("DELETE", admins.clone(), json!({}), 403),
        ("PATCH", one(GROUPS, plain.pk), up.clone(), 400),
        (
            "POST",
            GROUPS.to_owned(),
            json!({"name": "n", "is_superuser": true}),
            400,
        ),
        (
            "POST",
            GROUPS.to_owned(),
            json!({"name": "n", "is_superuser": "yes"}),
            400,
        ),
        (
            "POST",
            GROUPS.to_owned(),
            json!({"name": "n", "parents": [chiefs], "users": [helper.pk]}),
            403,
        ),
        (
            "POST",
            GROUPS.to_owned(),
            json!({"name": "n", "roles": [strong.pk]}),
            403,
        ),
        ("PATCH", one(GROUPS, plain.pk), above, 403),
        ("PATCH", one(GROUPS, plain.pk), roles.clone(), 403),
        ("POST", one(ROLES, strong.pk) + "add_user/", me.clone(), 403),
        (
            "POST",
            assign(&help),
            json!({"permissions": ["authentik_flows.change_flow"]}),
            403,
        ),
        (
            "PATCH",
            roots.clone(),
            json!({"email": "helper@example.com"}),
            403,
        ),
        ("PATCH", roots.clone(), json!({"is_active": false}), 403),
        ("DELETE", roots.clone(), json!({}), 403),
        (
            "POST",
            format!("{roots}set_password/"),
            password.clone(),
            403,
        ),
        (
            "POST",
            format!("{roots}set_password_hash/"),
            encoded.clone(),
            403,
        ),
        ("POST", format!("{roots}recovery/"), json!({}), 403),
        ("POST", format!("{roots}recovery_email/"), json!({}), 403),
        (
            "POST",
            one(USERS, strongman.pk) + "set_password/",
            password.clone(),
            403,
        ),
        ("PATCH", token.clone(), json!({"description": "x"}), 403),
        ("GET", format!("{token}view_key/"), json!({}), 403),
        (
            "POST",
            format!("{token}set_key/"),
            json!({"key": "mine"}),
            403,
        ),
        ("POST", ROLES.to_owned(), json!({"name": "n"}), 403),
        // And what they are there for.
        (
            "PATCH",
            alices.clone(),
            json!({"name": "A", "groups": [plain.pk]}),
            200,
        ),
        ("POST", format!("{alices}set_password/"), password, 204),
        ("POST", format!("{alices}set_password_hash/"), encoded, 204),
        (
            "POST",
            format!("{alices}set_password_hash/"),
            json!({"password": "md5$x"}),
            400,
        ),
        ("POST", one(GROUPS, plain.pk) + "add_user/", me.clone(), 204),
        (
            "POST",
            one(GROUPS, plain.pk) + "add_user/",
            json!({"pk": 999}),
            404,
        ),
        (
            "POST",
            assign(&help),
            json!({"permissions": ["authentik_core.view_user"]}),
            200,
        ),
    ] {
        let answer = program.change(method, &path, &body).await;
        assert_eq!(
            answer.status, status,
            "{method} {path} {body}: {}",
            answer.body
        );
    }
    let minted = json!({"identifier": "minted", "user": root.pk, "intent": "api"});
    let minted = program.post(TOKENS, &minted).await.is(201).json();
    assert_eq!(
        minted["user"], helper.pk,
        "for themselves, whatever was asked"
    );
    let moved = json!({"user": root.pk, "description": "d"});
    let moved = program
        .change("PATCH", &one(TOKENS, "minted"), &moved)
        .await;
    assert_eq!(moved.is(200).json()["user"], helper.pk);
    let journal = &*server.state.journal;
    for user in [&helper, &alice] {
        let may = granted(journal, &server.now(user).await)
            .await
            .expect("a read");
        assert!(!may.is_superuser() && !may.may("authentik_flows.change_flow"));
    }
    let service = json!({"name": "robot", "create_group": true});
    let made = program
        .post(&one(USERS, "service_account"), &service)
        .await
        .is(200)
        .json();
    let robot = user_by_username(journal, "robot")
        .await
        .expect("a read")
        .expect("there")
        .value;
    assert_eq!(made["user_pk"], robot.pk);
    assert_eq!(robot.path, "goauthentik.io/service-accounts");
    assert!(
        made["group_pk"].is_string() && made["token"].as_str().is_some_and(|it| it.len() == 60)
    );
    let taken = program
        .post(&one(USERS, "service_account"), &service)
        .await
        .is(400)
        .json();
    assert_eq!(taken, json!({"name": ["This field must be unique."]}));
}
