//! What expressions see of the world, and what they do to it.

mod calls;
mod others;
mod plan;
mod queries;
mod saving;
mod users;

use serde_json::json;

use super::bench::Bench;

#[actix::test]
async fn what_is_returned_passes_if_python_takes_it_for_true() {
    let bench = Bench::new().await;
    assert!(bench.asks("text", "return 'test'", None).await.passes());
    assert!(!bench.asks("bare", "True", None).await.passes());
    let told = bench.asks("message", "ak_message('some message'); return False", None);
    let told = told.await;
    assert!(!told.passes());
    assert_eq!(told.messages(), ["some message"]);
    let told = bench.asks("zero", "return 1 / 0", None).await;
    assert_eq!(told.error(), "division by zero");
    let told = bench.asks("syntax", ";", None).await;
    assert!(
        told.error().contains("yntax") || told.error().contains("xpected"),
        "{told:?}"
    );
    let log = bench
        .prints("log", "print('a', 1)\nreturn True", None)
        .await;
    assert_eq!(log, "a 1");
    bench.check().await;
}

#[actix::test]
async fn a_stage_that_does_not_pass_is_left_out() {
    let bench = Bench::new().await;
    let laid = bench.dummies("skip").await;
    let policy = bench.expression("never", "return False").await;
    bench.bind(laid.bindings[0].pbm, &policy).await;
    let mut visitor = bench.visitor("skip");
    visitor.opens().await.is_at("skip-1");
    visitor.answers(json!({})).await.is_sent_to("/");
    bench.check().await;
}

#[actix::test]
async fn whoever_wants_to_be_left_out_does_not_fail_and_leaves_nothing() {
    let bench = Bench::new().await;
    let source = "ak_create_event('seen')\nraise SkipObject('not for me')";
    let told = bench.asks("skipped", source, None).await;
    assert!(!told.passes());
    assert_eq!(told.messages(), ["not for me"]);
    assert!(bench.custom_events().await.is_empty());
    bench.check().await;
}
