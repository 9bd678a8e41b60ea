//! Somebody is invited: from the operator's command to the login of a new user.

use serde_json::json;

use crate::support::{Flow, Person, TestServer, text_of, with_server};

/// A flow that takes an invitation, asks once, makes a user and logs them in.
fn join() -> Flow {
    Flow::new("join")
        .stage("invitation", "join-invitation", json!({}))
        .dummy("join-ask")
        .stage("user_write", "join-write", json!({}))
        .stage("user_login", "join-login", json!({}))
}

/// Makes an invitation for somebody; the path of its link.
fn invites(server: &TestServer, person: &Person, further: &[&str]) -> String {
    let data = json!({
        "username": person.username, "name": person.name, "email": person.mail,
        "password": person.password, "attributes.team": "a",
    });
    let data = data.to_string();
    let mut command = vec!["invitation", "create", "friends", "--flow", "join"];
    command.extend_from_slice(&["--fixed-data", &data]);
    command.extend_from_slice(further);
    let made = server.gatelog(&command);
    let path = made.succeeds().stdout.trim().to_owned();
    assert!(path.starts_with("/if/flow/join/?itoken="), "{path}");
    path
}

#[test]
fn whoever_is_invited_gets_an_account_and_is_logged_in_and_nobody_comes_after_them() {
    with_server(async |server| {
        server.has_flow(&join());
        let ann = Person::new(server.canaries());
        let path = invites(server, &ann, &["--single-use", "--expires", "3d"]);
        let visitor = server.visitor();
        let form = visitor.form_at(&path).await;
        let listed = server.gatelog(&["invitation", "list"]);
        listed.succeeds().prints("friends");

        // Such as a program that looks into mails.
        let second = server.visitor();
        let seen = second.form_at(&path).await;

        server.kill().await;
        visitor.submits(&form).await.leads_to("/");
        let home = visitor.gets("/").await;
        home.has_status(200);
        assert!(text_of(&home.text).contains(&ann.username));
        let mut again = server.visitor();
        again.logs_in(&ann).await;
        second.submits(&seen).await;
        let page = second.gets(&path).await;
        let text = text_of(&page.text);
        assert!(text.contains("Invalid invite/invite not found"), "{text}");

        let page = server.visitor().gets(&path).await;
        let text = text_of(&page.text);
        assert!(text.contains("Invalid invite/invite not found"), "{text}");
        assert!(
            server
                .gatelog(&["invitation", "list", "--json"])
                .values()
                .is_empty()
        );
    });
}

#[test]
fn an_invitation_is_taken_back() {
    with_server(async |server| {
        server.has_flow(&join());
        let ann = Person::new(server.canaries());
        let path = invites(server, &ann, &[]);
        let (_, key) = path.split_once("itoken=").expect("a key");
        server.gatelog(&["invitation", "delete", key]).succeeds();
        let mut visitor = server.visitor();
        let query = format!("itoken={key}");
        let refused = visitor.opens_with("join", &query).await;
        refused.is_denied("Invalid invite/invite not found");
        let gone = server.gatelog(&["invitation", "delete", key]);
        assert_ne!(gone.code, Some(0));
    });
}

#[test]
fn an_invitation_of_a_blueprint_is_the_same_each_time_and_lets_in() {
    with_server(async |server| {
        server.has_flow(&join());
        let key = "0f5c3a52-7a1c-4f0e-9d1a-5f6f0a3f2b11";
        let yaml = format!(
            "version: 1\nentries:\n- model: authentik_stages_invitation.invitation\n  \
             identifiers:\n    pk: {key}\n  attrs:\n    name: friends\n    expires: null\n    \
             flow: !Find [authentik_flows.flow, [slug, join]]\n    fixed_data:\n      username: \
             invited-by-file\n"
        );
        server.apply(&yaml);
        let list = || server.gatelog(&["invitation", "list", "--json"]).values();
        let first = list();
        server.apply(&yaml);
        assert_eq!(list(), first);
        assert_eq!(first[0]["pk"], key);
        assert!(first[0]["expires"].is_string(), "it always ends");
        let mut visitor = server.visitor();
        visitor.opens_with("join", &format!("itoken={key}")).await;
        visitor.answers(json!({})).await.is_redirected_to("/");
    });
}

#[test]
fn what_an_invitation_may_not_be_is_told() {
    with_server(async |server| {
        for wrong in [
            &["a b"][..],
            &["friends", "--flow", "nowhere"],
            &["friends", "--expires", "yesterday"],
            &["friends", "--fixed-data", "[]"],
        ] {
            let mut command = vec!["invitation", "create"];
            command.extend_from_slice(wrong);
            assert_ne!(server.gatelog(&command).code, Some(0), "{wrong:?}");
        }
        assert!(
            server
                .gatelog(&["invitation", "list", "--json"])
                .values()
                .is_empty()
        );
    });
}

/// A prompt of this type whose key is also its name.
fn prompt(key: &str, kind: &str) -> String {
    format!(
        "- model: authentik_stages_prompt.prompt\n  id: {key}\n  identifiers:\n    name: \
         {key}\n  attrs:\n    field_key: {key}\n    label: {key}\n    type: {kind}\n"
    )
}

/// A stage of the flow `join`.
fn stage(order: u32, kind: &str, attrs: &str) -> String {
    format!(
        "- model: authentik_stages_{kind}\n  id: s{order}\n  identifiers:\n    name: \
         join-{order}\n  attrs:\n    {attrs}\n\
         - model: authentik_flows.flowstagebinding\n  identifiers:\n    target: !Find \
         [authentik_flows.flow, [slug, join]]\n    stage: !KeyOf s{order}\n    order: \
         {order}\n"
    )
}

#[test]
fn whoever_signs_up_gets_what_they_typed_but_not_what_their_invitation_fixes() {
    with_server(async |server| {
        let first = Flow::new("join").stage("invitation", "join-invitation", json!({}));
        server.has_flow(&first);
        let mut yaml = "version: 1\nentries:\n".to_owned();
        for (key, kind) in [
            ("username", "username"),
            ("email", "email"),
            ("password", "password"),
        ] {
            yaml.push_str(&prompt(key, kind));
        }
        for (order, kind, attrs) in [
            (
                10,
                "prompt.promptstage",
                "fields: [!KeyOf username, !KeyOf email, !KeyOf password]",
            ),
            (
                20,
                "user_write.userwritestage",
                "user_creation_mode: always_create",
            ),
            (30, "user_login.userloginstage", "session_duration: hours=1"),
        ] {
            yaml.push_str(&stage(order, kind, attrs));
        }
        server.apply(&yaml);
        let ann = Person::new(server.canaries());
        let mut typed = ann.clone();
        typed.mail = Person::new(server.canaries()).mail;
        let data = json!({ "email": ann.mail }).to_string();
        let create = [
            "invitation",
            "create",
            "a",
            "--flow",
            "join",
            "--fixed-data",
            &data,
        ];
        let made = server.gatelog(&create);
        let path = made.succeeds().stdout.trim().to_owned();
        let (_, query) = path.split_once('?').expect("a query");

        let mut visitor = server.visitor();
        let asked = visitor.opens_with("join", query).await;
        asked.sees("ak-stage-prompt");
        let body = json!({
            "username": typed.username, "email": typed.mail, "password": typed.password,
            "is_superuser": true, "type": "internal", "groups": ["authentik Admins"],
        });
        visitor.answers(body).await.is_redirected_to("/");
        let me = visitor.gets("/api/v3/core/users/me/").await.json();
        assert_eq!(me["user"]["email"], ann.mail.as_str(), "it was fixed");
        assert_eq!(me["user"]["username"], ann.username.as_str());
        assert_eq!(me["user"]["is_superuser"], false);
        assert_eq!(me["user"]["type"], "external", "no prompt asked for it");
        server.visitor().logs_in(&ann).await;
    });
}
