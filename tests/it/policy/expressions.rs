//! What expressions see of the world, and what they do to it.

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
    assert_eq!(
        bench.asks("zero", "return 1 / 0", None).await.error(),
        "division by zero"
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
