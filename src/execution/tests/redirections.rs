//! Redirect stages that lead into another flow, in which the same execution goes on.

use serde_json::json;

use super::Bench;
use crate::catalog::Flow;
use crate::flow::Context;
use crate::flow::context::{Value as Known, key};
use crate::flow::model::{Authentication, Designation};
use crate::journal::Version;
use crate::journal::object;
use crate::stage::Kind;

/// A flow that leads into the flow `target`.
async fn leads(bench: &Bench, slug: &str, target: &Flow, keep_context: bool) -> Flow {
    let settings = json!({
        "mode": "flow", "target_flow": target.pk, "keep_context": keep_context,
    });
    let stages = [(Kind::Dummy, json!({})), (Kind::Redirect, settings)];
    bench.flow(slug, &stages).await
}

async fn required(bench: &Bench, slug: &str, requirement: Authentication) -> Flow {
    let mut flow = bench.flow(slug, &[(Kind::Dummy, json!({}))]).await;
    flow.authentication = requirement;
    flow.designation = Designation::Enrollment;
    bench.write(vec![object::put(&flow, Version(1))]).await;
    flow
}

#[actix::test]
async fn the_visitor_is_sent_to_the_other_flow_and_goes_on_there() {
    let bench = Bench::new();
    let target = required(&bench, "target", Authentication::RequireRedirect).await;
    leads(&bench, "first", &target, true).await;
    let mut visitor = bench.visitor("first").with_query("test=foo&next=%2Fhome");
    visitor.opens().await;
    visitor.answers(json!({})).await;
    visitor.is_sent_to("/if/flow/target/?test=foo&next=%2Fhome");
    assert!(visitor.body().contains_key("flow_info"));
    let mut there = visitor.tab("target", "test=foo&next=%2Fhome");
    there.opens().await;
    there.sees("ak-stage-dummy");
    there.answers(json!({})).await;
    there.is_sent_to("/home");
    // The former address begins the former flow anew.
    visitor.opens().await;
    visitor.sees("ak-stage-dummy");
    bench.check().await;
}

#[actix::test]
async fn nobody_gets_into_it_who_was_not_led_there() {
    let bench = Bench::new();
    required(&bench, "target", Authentication::RequireRedirect).await;
    let mut visitor = bench.visitor("target");
    visitor.opens().await;
    visitor.sees("ak-stage-access-denied");
    bench.check().await;
}

#[actix::test]
async fn what_was_learnt_is_kept_or_forgotten_as_the_stage_says() {
    let bench = Bench::new();
    let ann = bench.user("ann", "pw").await;
    let login = bench.flow("target", &[(Kind::UserLogin, json!({}))]).await;
    for (slug, keep, seen) in [
        ("keeps", true, "xak-flow-redirect"),
        ("forgets", false, "ak-stage-access-denied"),
    ] {
        leads(&bench, slug, &login, keep).await;
        let mut visitor = bench.visitor(slug);
        visitor.opens().await;
        let mut context = Context::default();
        context.set(key::PENDING_USER, Some(Known::User(ann.uuid)));
        let begun = bench.executions.begin_anew(visitor.request(), context);
        assert!(begun.await.expect("it begins").is_some());
        visitor.answers(json!({})).await;
        visitor.is_sent_to("/if/flow/target/");
        let mut there = visitor.tab("target", "");
        there.opens().await;
        there.sees(seen);
    }
    bench.check().await;
}

#[actix::test]
async fn a_flow_that_is_not_for_the_visitor_lets_them_not_in() {
    let bench = Bench::new();
    let target = required(&bench, "target", Authentication::RequireAuthenticated).await;
    leads(&bench, "first", &target, true).await;
    let mut visitor = bench.visitor("first");
    visitor.opens().await;
    visitor.answers(json!({})).await;
    visitor
        .sees("ak-stage-access-denied")
        .shows("error_message", "Flow does not apply to current user.");
    bench.check().await;
}

#[actix::test]
async fn what_a_policy_says_counts_before_the_settings() {
    let bench = Bench::new();
    let other = bench.flow("other", &[(Kind::Dummy, json!({}))]).await;
    let target = bench.flow("target", &[(Kind::Dummy, json!({}))]).await;
    leads(&bench, "first", &target, true).await;
    for (told, to) in [
        ("ak-flow://other", "/if/flow/other/".to_owned()),
        ("ak-flow://nowhere", "/if/flow/target/".to_owned()),
        (
            "https://elsewhere.example/x",
            "https://elsewhere.example/x".to_owned(),
        ),
    ] {
        let mut visitor = bench.visitor("first");
        visitor.opens().await;
        let mut context = Context::default();
        context.set(key::REDIRECT_STAGE_TARGET, Some(Known::text(told)));
        let begun = bench.executions.begin_anew(visitor.request(), context);
        assert!(begun.await.expect("it begins").is_some());
        visitor.answers(json!({})).await;
        visitor.is_sent_to(&to);
    }
    assert_ne!(other.pk, target.pk);
    bench.check().await;
}

#[actix::test]
async fn a_deleted_flow_is_no_target() {
    let bench = Bench::new();
    let target = bench.flow("target", &[(Kind::Dummy, json!({}))]).await;
    leads(&bench, "first", &target, true).await;
    bench
        .write(vec![object::delete::<Flow>(target.pk, Version(1))])
        .await;
    let mut visitor = bench.visitor("first");
    visitor.opens().await;
    visitor.answers(json!({})).await;
    visitor.sees("ak-stage-access-denied").shows(
        "error_message",
        "No target found for Redirect stage. The stage's target_flow may have been deleted.",
    );
    bench.check().await;
}

#[actix::test]
async fn flows_that_lead_to_each_other_end() {
    let bench = Bench::new();
    let one = bench.flow("one", &[]).await;
    let settings = |target: &Flow| json!({"mode": "flow", "target_flow": target.pk});
    let two = bench.flow("two", &[(Kind::Redirect, settings(&one))]).await;
    let back = [(Kind::Redirect, settings(&two))];
    // The first one was made before the second was known.
    let three = bench.flow("three", &back).await;
    let mut slug = "three".to_owned();
    let mut visitor = bench.visitor(&slug);
    visitor.opens().await;
    visitor.is_sent_to("/if/flow/two/");
    for _ in 0..3 {
        let to = visitor.body()["to"]
            .as_str()
            .expect("an address")
            .to_owned();
        slug = to
            .trim_start_matches("/if/flow/")
            .trim_end_matches('/')
            .to_owned();
        visitor = visitor.tab(&slug, "");
        visitor.opens().await;
        if visitor.body()["to"] == "/" {
            break;
        }
    }
    visitor.is_sent_to("/");
    assert_eq!(slug, "one");
    assert_ne!(three.pk, two.pk);
    bench.check().await;
}

#[actix::test]
async fn one_that_was_begun_there_before_makes_way() {
    let bench = Bench::new();
    let target = bench.flow("target", &[(Kind::Dummy, json!({}))]).await;
    leads(&bench, "first", &target, true).await;
    let mut before = bench.visitor("target");
    before.opens().await;
    before.sees("ak-stage-dummy");
    let mut visitor = before.tab("first", "");
    visitor.opens().await;
    visitor.answers(json!({})).await;
    visitor.is_sent_to("/if/flow/target/");
    let mut there = visitor.tab("target", "");
    there.opens().await;
    there.answers(json!({})).await;
    there.is_sent_to("/");
    bench.check().await;
}

#[actix::test]
async fn a_flow_that_leads_on_at_once_makes_way_for_itself_too() {
    let bench = Bench::new();
    let target = bench.flow("target", &[(Kind::Dummy, json!({}))]).await;
    let settings = json!({"mode": "flow", "target_flow": target.pk});
    bench.flow("at-once", &[(Kind::Redirect, settings)]).await;
    let mut before = bench.visitor("target");
    before.opens().await;
    before.sees("ak-stage-dummy");
    let mut visitor = before.tab("at-once", "");
    visitor.opens().await;
    visitor.is_sent_to("/if/flow/target/");
    let mut there = visitor.tab("target", "");
    there.opens().await;
    there.sees("ak-stage-dummy");
    bench.check().await;
}
