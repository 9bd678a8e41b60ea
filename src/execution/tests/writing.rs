//! Users who are made and changed by a flow. Rows of `docs/stages.md`.

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Bench, Visitor};
use crate::directory::command::prepare;
use crate::directory::user::{UserType, has_usable_password, user_by_username, users};
use crate::directory::{Group, User};
use crate::flow::Context;
use crate::flow::context::{Value as Known, key};
use crate::journal::Version;
use crate::journal::object;
use crate::stage::Kind;

mod oneself;

const FAILED: &str = "Failed to update user. Please try again later.";
const TYPED: &str = "tK7#pQ2vXz9!mW4r";

/// A flow that asks once, writes a user, and has further stages.
async fn bench_with(settings: Value, further: &[(Kind, Value)]) -> Bench {
    let bench = Bench::new();
    prepare(bench.journal.as_ref(), &bench.clock)
        .await
        .expect("an installation");
    let mut stages = vec![(Kind::Dummy, json!({})), (Kind::UserWrite, settings)];
    stages.extend_from_slice(further);
    bench.flow("write", &stages).await;
    bench
}

async fn bench(settings: Value) -> Bench {
    bench_with(settings, &[]).await
}

/// Comes to the stage with this prompt data.
async fn writes(bench: &Bench, data: Value) -> Visitor<'_> {
    let mut visitor = bench.visitor("write");
    visitor.begins_with(json!({ "prompt_data": data })).await;
    visitor.answers(json!({})).await;
    visitor
}

async fn user(bench: &Bench, name: &str) -> User {
    let found = user_by_username(bench.journal.as_ref(), name).await;
    found.expect("a read").expect("the user exists").value
}

/// How many there are.
async fn count(bench: &Bench) -> usize {
    let all = users(bench.journal.as_ref()).await;
    all.expect("a read").len()
}

async fn group(bench: &Bench, name: &str) -> Uuid {
    let group = Group::new(&bench.clock, name);
    bench.write(vec![object::put(&group, Version::NONE)]).await;
    group.pk
}

/// Somebody who goes through the flow already.
async fn writes_of<'a>(bench: &'a Bench, of: &User, data: Value) -> Visitor<'a> {
    let mut context = Context::default();
    context.set(key::PENDING_USER, Some(Known::User(of.uuid)));
    context.set(key::PROMPT_DATA, Some(Known::Json(data)));
    let mut visitor = bench.visitor("write");
    visitor.begins_in(context).await.answers(json!({})).await;
    visitor
}

#[actix::test]
async fn a_new_user_has_what_was_typed_and_the_groups_of_stage_and_context() {
    let bench = Bench::new();
    prepare(bench.journal.as_ref(), &bench.clock)
        .await
        .expect("an installation");
    let own = group(&bench, "own").await;
    let other = group(&bench, "other").await;
    let settings = json!({
        "create_users_as_inactive": true,
        "create_users_group": own,
        "user_path_template": "goauthentik.io/%(slug)s",
    });
    let stages = [(Kind::Dummy, json!({})), (Kind::UserWrite, settings)];
    bench.flow("write", &stages).await;
    let mut context = Context::default();
    let data = json!({
        "username": "ann", "name": "Ann", "email": "ann@example.com",
        "password": TYPED, "component": "ak-stage-prompt",
    });
    context.set(key::PROMPT_DATA, Some(Known::Json(data)));
    context.set("groups", Some(Known::List(vec![Known::Group(other)])));
    let source = json!({ "source": { "name": "fake_source" } });
    context.set(
        "goauthentik.io/sources/connection",
        Some(Known::Json(source)),
    );
    let mut visitor = bench.visitor("write");
    visitor.begins_in(context).await.answers(json!({})).await;
    visitor.is_sent_to("/");
    let ann = user(&bench, "ann").await;
    assert_eq!(
        (ann.name.as_str(), ann.email.as_str()),
        ("Ann", "ann@example.com")
    );
    assert_eq!(ann.groups, [own, other]);
    assert!(!ann.is_active && has_usable_password(&ann));
    assert_eq!(ann.user_type, UserType::External);
    assert_eq!(ann.path, "goauthentik.io/%(slug)s", "nothing is expanded");
    assert_eq!(
        Value::Object(ann.attributes),
        json!({"goauthentik.io/user/sources": ["fake_source"]})
    );
    bench.check().await;
}

#[actix::test]
async fn type_and_path_are_those_of_the_context_and_only_for_a_new_user() {
    let bench = bench(json!({"user_type": "internal"})).await;
    for (name, known, user_type, path) in [
        ("a", json!({}), UserType::Internal, "users"),
        (
            "b",
            json!({"user_type": "service_account", "user_path": "x/y"}),
            UserType::ServiceAccount,
            "x/y",
        ),
        (
            "c",
            json!({"user_type": "internal_service_account"}),
            UserType::ServiceAccount,
            "users",
        ),
        (
            "d",
            json!({"user_type": "king"}),
            UserType::Internal,
            "users",
        ),
    ] {
        let mut known = known;
        known["prompt_data"] = json!({ "username": name });
        let mut visitor = bench.visitor("write");
        visitor.begins_with(known).await.answers(json!({})).await;
        visitor.is_sent_to("/");
        let made = user(&bench, name).await;
        assert_eq!((made.user_type, made.path.as_str()), (user_type, path));
        assert!(!has_usable_password(&made), "nobody set one");
    }
    let ann = bench.user("ann", "x").await;
    writes_of(&bench, &ann, json!({"name": "Ann"}))
        .await
        .is_sent_to("/");
    assert_eq!(user(&bench, "ann").await.user_type, ann.user_type);
    bench.check().await;
}

#[actix::test]
async fn attributes_go_where_their_keys_lead() {
    let bench = bench(json!({})).await;
    let ann = bench.user("ann", "x").await;
    let data = json!({
        "attributes": {"foo": "bar", "some": {"old": 1}},
        "attributes.some.custom-attribute": "test",
        "attributes.some_custom_attribute": "2026-01-02T03:04:05Z",
        "attributes_under.score": [0, "", false, "x"],
        "some_ignored_attribute": "bar",
    });
    writes_of(&bench, &ann, data).await.is_sent_to("/");
    let written = user(&bench, "ann").await;
    let expected = json!({
        "foo": "bar",
        "some": {"old": 1, "custom-attribute": "test"},
        "some_custom_attribute": "2026-01-02T03:04:05Z",
        "under": {"score": [0, "", false, "x"]},
    });
    assert_eq!(Value::Object(written.attributes), expected);
    assert!(
        bench
            .trail()
            .await
            .contains("attributes.some.custom-attribute")
    );
    bench.check().await;
}

#[actix::test]
async fn a_source_is_listed_once() {
    let bench = bench(json!({})).await;
    let ann = bench.user("ann", "x").await;
    for source in [json!({"name": "one"}), json!("one"), json!("two")] {
        let mut context = Context::default();
        context.set(key::PENDING_USER, Some(Known::User(ann.uuid)));
        context.set(key::PROMPT_DATA, Some(Known::Json(json!({}))));
        context.set(
            "goauthentik.io/sources/connection",
            Some(Known::Json(json!({ "source": source }))),
        );
        let mut visitor = bench.visitor("write");
        visitor.begins_in(context).await.answers(json!({})).await;
        visitor.is_sent_to("/");
    }
    let sources = &user(&bench, "ann").await.attributes["goauthentik.io/user/sources"];
    assert_eq!(*sources, json!(["one", "two"]));
    bench.check().await;
}

#[actix::test]
async fn what_the_server_looks_after_cannot_be_typed() {
    let bench = bench(json!({})).await;
    let ann = bench.user("ann", "x").await;
    let data = json!({
        "id": "00000000000000000000000000000007", "pk": "7", "uuid": Uuid::nil(),
        "groups": ["admins"], "is_superuser": true, "last_login": "2000-01-01T00:00:00Z",
        "last_updated": "2000-01-01T00:00:00Z", "uid": "x", "avatar": "x",
        "name": "Ann", "is_active": false, "path": "p", "type": "service_account",
        "date_joined": "2000-01-01T00:00:00Z",
        "password_change_date": "2001-01-01T00:00:00",
    });
    writes_of(&bench, &ann, data).await.is_sent_to("/");
    let written = user(&bench, "ann").await;
    assert_eq!((written.pk, written.uuid), (ann.pk, ann.uuid));
    assert!(written.groups.is_empty() && !written.is_active);
    assert_eq!(
        written.password.expose_secret(),
        ann.password.expose_secret()
    );
    assert_eq!(written.last_updated, bench.clock.now());
    assert_eq!((written.name.as_str(), written.path.as_str()), ("Ann", "p"));
    assert_eq!(written.user_type, UserType::ServiceAccount);
    assert_eq!(written.date_joined.to_string(), "2000-01-01T00:00:00Z");
    assert_eq!(
        written.password_change_date.to_string(),
        "2001-01-01T00:00:00Z"
    );
    let fields =
        r#""fields":["date_joined","is_active","name","password_change_date","path","type"]"#;
    assert!(bench.trail().await.contains(fields));
    bench.check().await;
}

#[actix::test]
async fn what_cannot_be_stored_is_refused_without_saying_why() {
    let bench = bench(json!({})).await;
    bench.user("ann", "x").await;
    for (data, message) in [
        (json!({"username": "ann"}), FAILED),
        (json!({"username": "x".repeat(151)}), FAILED),
        (json!({"username": "b", "email": "x".repeat(255)}), FAILED),
        (json!({"username": "b\nc"}), FAILED),
        (json!({"username": "b", "name": "\u{1b}[2J"}), FAILED),
        (json!({"username": "b", "attributes": "x"}), FAILED),
        (json!({"username": "b", "attributes.x": "\0"}), FAILED),
        (json!({"username": "b", "name": null}), FAILED),
        (json!({"username": "b", "type": "king"}), FAILED),
        (json!({"username": "b", "is_active": "perhaps"}), FAILED),
        (json!({"username": "b", "date_joined": "soon"}), FAILED),
        (json!({"username": "b", "password": 1}), FAILED),
        (
            json!({"username": "b", "password_from_hash": "plain"}),
            FAILED,
        ),
        (json!({"username": ""}), "Unknown error"),
        (json!({"username": "  "}), "Unknown error"),
        (json!({"name": "nobody"}), "Unknown error"),
        (json!("text"), "No Pending data."),
    ] {
        writes(&bench, data).await.is_denied(message);
    }
    let mut visitor = bench.visitor("write");
    visitor
        .begins_with(json!({}))
        .await
        .answers(json!({}))
        .await;
    visitor.is_denied("No Pending data.");
    let mut known = json!({"prompt_data": {"username": "b"}});
    known["groups"] = json!([Uuid::from_u128(7)]);
    let mut visitor = bench.visitor("write");
    visitor.begins_with(known).await.answers(json!({})).await;
    visitor.is_denied(FAILED);
    assert_eq!(count(&bench).await, 1);
    bench.check().await;
}

#[actix::test]
async fn relations_and_what_is_no_object_are_errors_of_the_flow() {
    let bench = bench(json!({})).await;
    for data in [
        json!({"username": "b", "roles": []}),
        json!({"username": "b", "sources": []}),
        json!({"username": "b", "attributes": {"x": "text"}, "attributes.x.y": 1}),
    ] {
        writes(&bench, data).await.sees("ak-stage-flow-error");
    }
    assert_eq!(count(&bench).await, 0);
    bench.check().await;
}

#[actix::test]
async fn somebody_who_only_seems_to_exist_is_never_made() {
    for mode in ["never_create", "create_when_required"] {
        let bench = bench(json!({ "user_creation_mode": mode })).await;
        let mut context = Context::default();
        let identifier = "nobody".to_owned();
        context.set(key::PENDING_USER, Some(Known::Stranger { identifier }));
        context.set(
            key::PROMPT_DATA,
            Some(Known::Json(json!({"username": "nobody"}))),
        );
        let mut visitor = bench.visitor("write");
        visitor.begins_in(context).await.answers(json!({})).await;
        visitor.is_denied(FAILED);
        assert_eq!(count(&bench).await, 0);
        bench.check().await;
    }
}

#[actix::test]
async fn a_stage_that_never_makes_anybody_needs_somebody() {
    let bench = bench(json!({"user_creation_mode": "never_create"})).await;
    writes(&bench, json!({"username": "b"}))
        .await
        .is_denied("No user found and can't create new user.");
    bench.check().await;
}
