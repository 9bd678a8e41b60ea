//! Whoever writes themselves, passwords, and many at once.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::{Bench, Visitor, login_stages};
use super::{FAILED, TYPED, bench, bench_with, count, user, writes_of};
use crate::directory::user::{has_usable_password, users};
use crate::execution::{unfinished, vault};
use crate::flow::Context;
use crate::flow::context::{Value as Known, key};
use crate::stage::Kind;

/// Puts a secret into the vault of the execution that the visitor has under way.
async fn keeps(visitor: &Visitor<'_>, handle: Uuid, secret: &str) {
    let bench = visitor.bench;
    let session = visitor.session.expect("a session");
    let found = unfinished::of_session(bench.journal.as_ref(), session).await;
    let execution = found.expect("a read")[0].value.execution;
    let kept = vec![(handle, secret.into())];
    let (before, after) = (BTreeSet::new(), BTreeSet::from([handle]));
    let writes = vault::writes(
        bench.journal.as_ref(),
        execution,
        kept,
        (&before, &after),
        false,
    );
    bench.write(writes.await.expect("a read")).await;
}

/// Logs in and comes to the stage in the same browser.
async fn logged_in(bench: &Bench, data: Value) -> Visitor<'_> {
    bench.flow("login", &login_stages()).await;
    let mut visitor = bench.visitor("login");
    visitor.opens().await;
    visitor.answers(json!({"uid_field": "ann"})).await;
    visitor.answers(json!({"password": "old"})).await;
    visitor.is_sent_to("/");
    let mut tab = visitor.tab("write", "");
    tab.begins_with(json!({ "prompt_data": data })).await;
    tab
}

#[actix::test]
async fn whoever_is_logged_in_is_written_where_nobody_else_is_known() {
    let bench = bench(json!({})).await;
    let ann = bench.user("ann", "old").await;
    let mut visitor = logged_in(&bench, json!({"username": "foo"})).await;
    let before = visitor.session_object().await.value.generation;
    visitor.answers(json!({})).await.is_sent_to("/");
    assert_eq!(user(&bench, "foo").await.uuid, ann.uuid);
    let after = visitor.session_object().await.value.generation;
    assert_eq!(after, before, "a name is no password");
    bench.check().await;
}

#[actix::test]
async fn a_new_user_beside_whoever_is_logged_in_leaves_them_alone() {
    let bench = bench(json!({"user_creation_mode": "always_create"})).await;
    bench.user("ann", "old").await;
    let data = json!({"username": "foo", "password": "x"});
    let mut visitor = logged_in(&bench, data).await;
    let before = visitor.session_object().await.value.generation;
    visitor.answers(json!({})).await.is_sent_to("/");
    assert_eq!(count(&bench).await, 2);
    let after = visitor.session_object().await.value.generation;
    assert_eq!(after, before, "it is another's password");
    bench.check().await;
}

#[actix::test]
async fn whoever_changes_their_password_gets_another_cookie() {
    let bench = bench(json!({"user_creation_mode": "never_create"})).await;
    bench.user("ann", "old").await;
    let mut visitor = logged_in(&bench, json!({"password": TYPED})).await;
    let before = visitor.session_object().await.value;
    visitor.answers(json!({})).await.is_sent_to("/");
    let after = visitor.session_object().await.value;
    assert_eq!(after.generation, before.generation + 1);
    assert_eq!(after.user, before.user);
    assert_ne!(after.sid.expose_secret(), before.sid.expose_secret());
    bench.check().await;
}

#[actix::test]
async fn a_password_of_the_vault_is_hashed_and_written_nowhere_in_clear() {
    let bench = bench_with(json!({}), &[(Kind::UserLogin, json!({}))]).await;
    let handle = Uuid::from_u128(7);
    let data = BTreeMap::from([
        ("username".to_owned(), Known::text("ann")),
        ("password".to_owned(), Known::Secret(handle)),
    ]);
    let mut context = Context::default();
    context.set(key::PROMPT_DATA, Some(Known::map(data)));
    let mut visitor = bench.visitor("write");
    visitor.begins_in(context).await;
    keeps(&visitor, handle, TYPED).await;
    visitor.answers(json!({})).await.is_sent_to("/");
    let ann = user(&bench, "ann").await;
    assert!(has_usable_password(&ann));
    let session = visitor.session_object().await.value;
    assert_eq!(session.user, Some(ann.uuid), "made and logged in at once");
    assert!(!bench.trail().await.contains(TYPED));
    bench.check().await;
    bench.flow("login", &login_stages()).await;
    let mut again = bench.visitor("login");
    again.opens().await;
    again.answers(json!({"uid_field": "ann"})).await;
    again
        .answers(json!({"password": TYPED}))
        .await
        .is_sent_to("/");
}

#[actix::test]
async fn an_empty_password_changes_nothing() {
    let bench = bench(json!({})).await;
    let ann = bench.user("ann", "old").await;
    writes_of(&bench, &ann, json!({"password": ""}))
        .await
        .is_sent_to("/");
    let written = user(&bench, "ann").await;
    assert_eq!(
        written.password.expose_secret(),
        ann.password.expose_secret()
    );
    bench.check().await;
}

#[actix::test]
async fn a_secret_does_not_become_an_attribute() {
    let bench = bench(json!({})).await;
    let handle = Uuid::from_u128(7);
    let data = BTreeMap::from([
        ("username".to_owned(), Known::text("ann")),
        ("attributes.pin".to_owned(), Known::Secret(handle)),
    ]);
    let mut context = Context::default();
    context.set(key::PROMPT_DATA, Some(Known::map(data)));
    let mut visitor = bench.visitor("write");
    visitor.begins_in(context).await;
    keeps(&visitor, handle, TYPED).await;
    visitor.answers(json!({})).await.sees("ak-stage-flow-error");
    assert_eq!(count(&bench).await, 0);
    bench.check().await;
}

#[actix::test]
async fn of_many_who_want_one_name_at_once_one_gets_it_and_the_others_are_refused() {
    let bench = bench(json!({})).await;
    let mut visitors = Vec::new();
    for _ in 0..8 {
        let mut visitor = bench.visitor("write");
        visitor
            .begins_with(json!({"prompt_data": {"username": "ann"}}))
            .await;
        visitors.push(visitor);
    }
    let answers = visitors
        .iter_mut()
        .map(|visitor| visitor.answers(json!({})));
    join_all(answers).await;
    let denied = visitors
        .iter()
        .filter(|visitor| visitor.body()["component"] == "ak-stage-access-denied");
    let denied: Vec<_> = denied.collect();
    assert_eq!(denied.len(), 7);
    for visitor in denied {
        visitor.is_denied(FAILED);
    }
    assert_eq!(count(&bench).await, 1);
    bench.check().await;
}

#[actix::test]
async fn many_who_sign_up_at_once_all_get_in_with_numbers_of_their_own() {
    let bench = bench(json!({})).await;
    let mut visitors = Vec::new();
    for number in 0..24 {
        let mut visitor = bench.visitor("write");
        let name = format!("user-{number}");
        visitor
            .begins_with(json!({"prompt_data": {"username": name}}))
            .await;
        visitors.push(visitor);
    }
    let answers = visitors
        .iter_mut()
        .map(|visitor| visitor.answers(json!({})));
    join_all(answers).await;
    for visitor in &visitors {
        visitor.is_sent_to("/");
    }
    let all = users(bench.journal.as_ref()).await.expect("a read");
    let pks: BTreeSet<i64> = all.iter().map(|user| user.value.pk).collect();
    assert_eq!(pks, (1..=24).collect());
    bench.check().await;
}
