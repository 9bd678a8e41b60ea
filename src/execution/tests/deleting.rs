//! Users who are deleted by a flow.

use serde_json::json;

use super::{Bench, Visitor, login_stages};
use crate::directory::consent::{UserConsent, consents_of};
use crate::directory::token::{Intent, Token, tokens_of};
use crate::directory::{User, session::sessions_of};
use crate::flow::Context;
use crate::flow::context::{Value as Known, key};
use crate::journal::Version;
use crate::journal::object;
use crate::stage::Kind;

async fn bench(stages: &[(Kind, serde_json::Value)]) -> Bench {
    let bench = Bench::new();
    bench.flow("login", &login_stages()).await;
    bench.flow("leave", stages).await;
    bench
}

async fn logs_in<'a>(bench: &'a Bench, name: &str) -> Visitor<'a> {
    let mut visitor = bench.visitor("login");
    visitor.opens().await;
    visitor.answers(json!({ "uid_field": name })).await;
    visitor.answers(json!({"password": "old"})).await;
    visitor.is_sent_to("/");
    visitor.tab("leave", "")
}

#[actix::test]
async fn nobody_is_deleted_where_nobody_is_known() {
    let bench = bench(&[(Kind::UserDelete, json!({}))]).await;
    bench
        .visitor("leave")
        .opens()
        .await
        .is_denied("Unknown error");
    let identifier = "nobody".to_owned();
    let stranger = Known::Stranger { identifier };
    let mut context = Context::default();
    context.set(key::PENDING_USER, Some(stranger));
    bench
        .flow(
            "leave-later",
            &[(Kind::Dummy, json!({})), (Kind::UserDelete, json!({}))],
        )
        .await;
    let mut visitor = bench.visitor("leave-later");
    visitor.begins_in(context).await.answers(json!({})).await;
    visitor.is_denied("Unknown error");
    bench.check().await;
}

#[actix::test]
async fn whoever_is_logged_in_is_gone_with_all_that_is_theirs() {
    let consent = (Kind::Consent, json!({"mode": "always_require"}));
    let bench = bench(&[consent, (Kind::UserDelete, json!({}))]).await;
    let ann = bench.user("ann-who-leaves", "old").await;
    let token = Token::new(
        &bench.clock,
        "hers".parse().expect("a slug"),
        Intent::Api,
        ann.uuid,
    );
    let consent = UserConsent {
        id: bench.clock.opaque_id(),
        user: ann.uuid,
        application: "app".to_owned(),
        permissions: String::new(),
        expires: None,
    };
    bench
        .write(vec![
            object::put(&token, Version::NONE),
            object::put(&consent, Version::NONE),
        ])
        .await;
    let elsewhere = logs_in(&bench, "ann-who-leaves").await;
    let mut visitor = logs_in(&bench, "ann-who-leaves").await;
    visitor.opens().await.sees("ak-stage-consent");
    visitor.shows("pending_user", "ann-who-leaves");
    let typed = visitor.body()["token"].clone();
    let before = visitor.session_object().await.value;
    visitor
        .answers(json!({ "token": typed }))
        .await
        .is_sent_to("/");

    let objects = bench.journal.as_ref();
    assert!(bench.stored::<User>(ann.uuid).await.is_none());
    assert!(
        tokens_of(objects, ann.uuid)
            .await
            .expect("a read")
            .is_empty()
    );
    assert!(
        consents_of(objects, ann.uuid)
            .await
            .expect("a read")
            .is_empty()
    );
    assert!(
        sessions_of(objects, ann.uuid)
            .await
            .expect("a read")
            .is_empty()
    );
    let other = elsewhere.session.expect("a session");
    assert!(
        bench
            .stored::<crate::directory::Session>(other)
            .await
            .is_none()
    );
    let after = visitor.session_object().await.value;
    assert_eq!((after.id, after.user), (before.id, None));
    assert_eq!(after.generation, before.generation + 1);
    let trail = bench.trail().await;
    assert!(!trail.contains("ann-who-leaves"), "{trail}");
    visitor.opens().await.sees("ak-stage-consent");
    visitor.shows("pending_user", "");
    bench.check().await;
}

#[actix::test]
async fn the_user_who_goes_through_the_flow_is_deleted_also_in_anothers_session() {
    let bench = bench(&[(Kind::Dummy, json!({})), (Kind::UserDelete, json!({}))]).await;
    let ann = bench.user("ann", "old").await;
    let bob = bench.user("bob", "old").await;
    let mut visitor = logs_in(&bench, "bob").await;
    let mut context = Context::default();
    context.set(key::PENDING_USER, Some(Known::User(ann.uuid)));
    visitor.begins_in(context).await;
    visitor.answers(json!({})).await.is_sent_to("/");
    assert!(bench.stored::<User>(ann.uuid).await.is_none());
    assert!(bench.stored::<User>(bob.uuid).await.is_some());
    assert_eq!(visitor.session_object().await.value.user, None);
    bench.check().await;
}

#[actix::test]
async fn what_comes_after_a_deletion_is_shown_and_an_answer_to_it_begins_anew() {
    let stages = [(Kind::UserDelete, json!({})), (Kind::Dummy, json!({}))];
    let bench = bench(&stages).await;
    let ann = bench.user("ann", "old").await;
    let mut visitor = logs_in(&bench, "ann").await;
    visitor.opens().await.sees("ak-stage-dummy");
    assert!(bench.stored::<User>(ann.uuid).await.is_none());
    visitor.answers(json!({})).await.is_denied("Unknown error");
    bench.check().await;
}

#[actix::test]
async fn nobody_is_logged_in_for_the_stages_after_a_deletion() {
    let stages = [(Kind::UserDelete, json!({})), (Kind::UserDelete, json!({}))];
    let bench = bench(&stages).await;
    bench.user("ann", "old").await;
    let mut visitor = logs_in(&bench, "ann").await;
    visitor.opens().await.is_denied("Unknown error");
    bench.check().await;
}
