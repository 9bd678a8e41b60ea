//! The server is killed between any two requests of a login: nobody loses their place.

use serde_json::{Value, json};

use crate::support::{Answer, Flow, Person, TestServer, Visitor, with_server};

/// A login with a stage of every kind that asks, before and after the session starts.
fn long() -> Flow {
    let flow = Flow::new("long").identification_and_password();
    flow.dummy("long-between")
        .stage(
            "user_login",
            "long-login",
            json!({ "remember_me_offset": "days=7" }),
        )
        .dummy("long-after")
        .dummy("long-last")
}

/// What is answered, in order; the last answer ends the flow.
fn answers(person: &Person) -> Vec<Value> {
    vec![
        json!({ "uid_field": person.username }),
        json!({ "password": "not-the-password" }),
        json!({ "password": person.password }),
        json!({}),
        json!({ "remember_me": true }),
        json!({}),
        json!({}),
    ]
}

/// Kills the server behind an answer; the same challenge comes back, byte by byte.
async fn killed(server: &mut TestServer, visitor: &mut Visitor, shown: &Answer) {
    let mut shown = shown.clone();
    if shown.json().get("response_errors").is_some() {
        // The complaint belongs to the answer, not to the challenge.
        shown = visitor.looks().await;
    }
    server.kill().await;
    let again = visitor.looks().await;
    assert_eq!(again.text, shown.text);
    let id = |answer: &Answer| answer.header("x-gatelog-challenge").to_owned();
    assert_eq!(id(&again), id(&shown));
}

#[test]
fn a_login_goes_on_wherever_the_server_was_killed() {
    with_server(async |server| {
        server.has_flow(&long());
        let alice = server.person();
        let answers = answers(&alice);
        for position in 0..answers.len() {
            let mut visitor = server.visitor();
            let mut shown = visitor.opens_with("long", "next=%2Fwelcome").await;
            for (at, answer) in answers.iter().enumerate() {
                if at == position {
                    killed(server, &mut visitor, &shown).await;
                }
                shown = visitor.answers(answer.clone()).await;
            }
            shown.is_redirected_to("/welcome");
            let me = visitor.gets("/api/v3/core/users/me/").await;
            assert_eq!(me.json()["user"]["username"], alice.username);
        }
    });
}

#[test]
fn a_login_goes_on_when_the_server_is_killed_after_every_request() {
    with_server(async |server| {
        server.has_flow(&long());
        let alice = server.person();
        let mut visitor = server.visitor();
        let mut shown = visitor.opens("long").await;
        for answer in answers(&alice) {
            killed(server, &mut visitor, &shown).await;
            shown = visitor.answers(answer).await;
        }
        shown.is_redirected_to("/");
        server.kill().await;
        let me = visitor.gets("/api/v3/core/users/me/").await;
        assert_eq!(me.json()["user"]["username"], alice.username);
    });
}

#[test]
fn a_login_with_the_password_beside_the_name_goes_on_too() {
    with_server(async |server| {
        let alice = server.person();
        server.apply(
            "version: 1\nentries:\n\
             - model: authentik_stages_password.passwordstage\n  id: password\n  \
             identifiers: {name: one-page-password}\n  \
             attrs: {backends: [authentik.core.auth.InbuiltBackend]}\n\
             - model: authentik_stages_identification.identificationstage\n  id: who\n  \
             identifiers: {name: one-page-who}\n  attrs:\n    user_fields: [username]\n    \
             password_stage: !KeyOf password\n\
             - model: authentik_flows.flow\n  id: flow\n  identifiers: {slug: one-page}\n  \
             attrs: {name: One, title: One, designation: authentication}\n\
             - model: authentik_flows.flowstagebinding\n  identifiers: {target: !KeyOf flow, \
             stage: !KeyOf who, order: 0}\n\
             - model: authentik_flows.flowstagebinding\n  identifiers: {target: !KeyOf flow, \
             stage: !Find [authentik_stages_user_login.userloginstage, \
             [name, default-authentication-login]], order: 1}\n",
        );
        let mut visitor = server.visitor();
        let shown = visitor.opens("one-page").await;
        shown.with("password_fields", true);
        killed(server, &mut visitor, &shown).await;
        let wrong = json!({ "uid_field": alice.username, "password": "not-the-password" });
        let shown = visitor.answers(wrong).await;
        shown.with_error("non_field_errors", "invalid");
        killed(server, &mut visitor, &shown).await;
        let right = json!({ "uid_field": alice.username, "password": alice.password });
        visitor.answers(right).await.is_redirected_to("/");
    });
}

#[test]
fn a_refusal_and_an_end_are_not_undone_by_a_kill() {
    with_server(async |server| {
        let alice = server.person();
        server.has_flow(&Flow::new("closed").stage("deny", "closed-deny", json!({})));
        let mut visitor = server.visitor();
        visitor.opens("closed").await.is_denied("Unknown error");
        visitor.logs_in(&alice).await;
        server.kill().await;
        visitor.gets("/api/v3/core/users/me/").await.has_status(200);
        visitor
            .opens("default-invalidation-flow")
            .await
            .is_redirected_to("/");
        server.kill().await;
        visitor.gets("/api/v3/core/users/me/").await.has_status(403);
    });
}
