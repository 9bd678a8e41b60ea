//! Consents that are asked for, remembered and forgotten.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Bench, Visitor};
use crate::directory::User;
use crate::directory::consent::{UserConsent, consents_of};
use crate::flow::Context;
use crate::flow::context::{Value as Known, key};
use crate::stage::Kind;

async fn bench(settings: Value) -> (Bench, User) {
    let bench = Bench::new();
    let stages = [(Kind::Dummy, json!({})), (Kind::Consent, settings)];
    bench.flow("consent", &stages).await;
    let ann = bench.user("ann", "x").await;
    (bench, ann)
}

/// Comes to the stage for an application that wants these permissions.
async fn comes<'a>(bench: &'a Bench, user: &User, wanted: &[&str]) -> Visitor<'a> {
    let wanted: Vec<_> = wanted
        .iter()
        .map(|id| json!({"name": format!("Name of {id}"), "id": id}))
        .collect();
    let mut context = Context::default();
    context.set(key::PENDING_USER, Some(Known::User(user.uuid)));
    let application = json!({"pk": "7", "name": "App"});
    context.set("application", Some(Known::Json(application)));
    context.set("consent_permissions", Some(Known::Json(json!(wanted))));
    context.set(
        "consent_header",
        Some(Known::text("You are about to sign in")),
    );
    let mut visitor = bench.visitor("consent");
    visitor.begins_in(context).await.answers(json!({})).await;
    visitor
}

async fn agrees(visitor: &mut Visitor<'_>) {
    visitor.sees("ak-stage-consent");
    let token = visitor.body()["token"].clone();
    visitor
        .answers(json!({ "token": token }))
        .await
        .is_sent_to("/");
}

async fn stored(bench: &Bench, user: &User) -> Vec<UserConsent> {
    let found = consents_of(bench.journal.as_ref(), user.uuid).await;
    let found = found.expect("a read").into_iter();
    found.map(|it| it.value).collect()
}

fn ids(visitor: &Visitor<'_>, field: &str) -> Vec<String> {
    let listed = visitor.body()[field].as_array().expect("a list");
    let id = |it: &Value| it["id"].as_str().map(str::to_owned);
    listed.iter().filter_map(id).collect()
}

#[actix::test]
async fn a_wrong_token_is_refused_and_the_next_question_has_another() {
    let (bench, ann) = bench(json!({"mode": "permanent"})).await;
    let mut visitor = comes(&bench, &ann, &["foo"]).await;
    visitor.shows("header_text", "You are about to sign in");
    visitor.shows("pending_user", "ann");
    let first = visitor.body()["token"].clone();
    visitor.opens().await;
    visitor.shows("token", first.clone());
    visitor.answers(json!({"token": "x"})).await;
    visitor.with_error("token", "invalid");
    let errors = &visitor.body()["response_errors"]["token"][0]["string"];
    assert_eq!(*errors, "Invalid consent token, re-showing prompt");
    assert_ne!(visitor.body()["token"], first);
    visitor.answers(json!({ "token": first })).await;
    visitor.with_error("token", "invalid");
    visitor.answers(json!({})).await.sees("ak-stage-consent");
    visitor
        .answers(json!({"component": "ak-stage-consent"}))
        .await;
    visitor.with_error("token", "required");
    assert!(stored(&bench, &ann).await.is_empty());
    bench.check().await;
}

#[actix::test]
async fn a_consent_that_is_asked_for_every_time_is_not_stored() {
    let (bench, ann) = bench(json!({"mode": "always_require"})).await;
    for _ in 0..2 {
        agrees(&mut comes(&bench, &ann, &["foo"]).await).await;
    }
    assert!(stored(&bench, &ann).await.is_empty());
    bench.check().await;
}

#[actix::test]
async fn without_an_application_or_a_user_nothing_is_stored() {
    let (bench, ann) = bench(json!({"mode": "permanent"})).await;
    let mut visitor = bench.visitor("consent");
    visitor
        .begins_with(json!({}))
        .await
        .answers(json!({}))
        .await;
    assert_eq!(visitor.body().get("header_text"), None);
    agrees(&mut visitor).await;
    let mut visitor = bench.visitor("consent");
    let known = json!({"application": {"pk": "7", "name": "App"}});
    visitor.begins_with(known).await.answers(json!({})).await;
    agrees(&mut visitor).await;
    assert!(stored(&bench, &ann).await.is_empty());
    bench.check().await;
}

#[actix::test]
async fn a_permanent_consent_is_asked_for_again_only_for_what_is_new() {
    let (bench, ann) = bench(json!({"mode": "permanent"})).await;
    agrees(&mut comes(&bench, &ann, &["foo"]).await).await;
    let kept = stored(&bench, &ann).await;
    assert_eq!(
        (kept[0].permissions.as_str(), kept[0].expires),
        ("foo", None)
    );
    comes(&bench, &ann, &["foo"]).await.is_sent_to("/");

    let mut visitor = comes(&bench, &ann, &["foo", "bar"]).await;
    assert_eq!(ids(&visitor, "permissions"), ["foo"]);
    assert_eq!(ids(&visitor, "additional_permissions"), ["bar"]);
    visitor.opens().await.sees("ak-stage-consent");
    assert_eq!(
        ids(&visitor, "additional_permissions"),
        ["bar"],
        "it is still asked"
    );
    agrees(&mut visitor).await;
    let kept = stored(&bench, &ann).await;
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].permissions, "foo bar");
    comes(&bench, &ann, &["bar", "foo"]).await.is_sent_to("/");

    let mut visitor = comes(&bench, &ann, &["bar"]).await;
    assert_eq!(ids(&visitor, "permissions"), ["bar"]);
    agrees(&mut visitor).await;
    assert_eq!(
        stored(&bench, &ann).await[0].permissions,
        "bar",
        "the rest is dropped"
    );
    bench.check().await;
}

#[actix::test]
async fn a_consent_ends_and_is_swept_away() {
    let settings = json!({"mode": "expiring", "consent_expire_in": "seconds=10"});
    let (bench, ann) = bench(settings).await;
    agrees(&mut comes(&bench, &ann, &["foo"]).await).await;
    comes(&bench, &ann, &["foo"]).await.is_sent_to("/");
    bench.clock.advance(Duration::from_secs(11));
    agrees(&mut comes(&bench, &ann, &["foo"]).await).await;
    assert_eq!(stored(&bench, &ann).await.len(), 1, "the same one anew");
    bench.clock.advance(Duration::from_secs(11));
    bench.executions.sweep().await.expect("a sweep");
    assert!(stored(&bench, &ann).await.is_empty());
    bench.check().await;
}
