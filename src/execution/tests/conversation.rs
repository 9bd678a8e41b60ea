//! Tabs, doubled and stale answers, restarts, ends.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Bench, login_stages};
use crate::catalog::Flow;
use crate::flow::input::Canceller;
use crate::flow::model::Authentication;
use crate::journal::object;
use crate::stage::Kind;

use crate::execution::Cancel;

fn dummies(count: usize) -> Vec<(Kind, Value)> {
    vec![(Kind::Dummy, json!({})); count]
}

#[actix::test]
async fn a_look_does_not_advance_and_an_answer_does() {
    let bench = Bench::new();
    bench.flow("two", &dummies(2)).await;
    let mut visitor = bench.visitor("two");
    visitor
        .opens()
        .await
        .sees("ak-stage-dummy")
        .shows("name", "two-0");
    visitor.opens().await.shows("name", "two-0");
    visitor.answers(json!({})).await.shows("name", "two-1");
    visitor.answers(json!({})).await.is_sent_to("/");
    bench.check().await;
}

#[actix::test]
async fn a_restart_of_the_server_shows_the_very_same_challenge() {
    let mut bench = Bench::new();
    bench.flow("login", &login_stages()).await;
    bench.user("alice", "correct horse").await;
    let (session, before) = {
        let mut alice = bench.visitor("login");
        alice
            .answers(json!({"uid_field": "alice"}))
            .await
            .sees("ak-stage-password");
        (alice.session, alice.body().clone())
    };
    bench.restart();
    let mut alice = bench.visitor("login");
    alice.session = session;
    alice.opens().await;
    assert_eq!(*alice.body(), before);
    alice
        .answers(json!({"password": "correct horse"}))
        .await
        .is_sent_to("/");
    bench.check().await;
}

#[actix::test]
async fn two_tabs_with_another_next_do_not_disturb_each_other() {
    let bench = Bench::new();
    bench.flow("login", &login_stages()).await;
    bench.flow("other", &dummies(2)).await;
    bench.user("alice", "correct horse").await;
    let mut first = bench.visitor("login").with_query("next=%2Fa");
    first.opens().await;
    let mut second = first.tab("login", "next=%2Fb");
    let mut third = first.tab("other", "");
    second.opens().await.sees("ak-stage-identification");
    third.opens().await;
    first
        .answers(json!({"uid_field": "alice"}))
        .await
        .sees("ak-stage-password");
    third.answers(json!({})).await.shows("name", "other-1");
    second.opens().await.sees("ak-stage-identification");
    first
        .answers(json!({"password": "correct horse"}))
        .await
        .is_sent_to("/a");
    second.answers(json!({"uid_field": "alice"})).await;
    second
        .answers(json!({"password": "correct horse"}))
        .await
        .is_sent_to("/b");
    third.answers(json!({})).await.is_sent_to("/");
    bench.check().await;
}

#[actix::test]
async fn a_stale_tabs_answer_reaches_no_other_stage() {
    let bench = Bench::new();
    bench.flow("login", &login_stages()).await;
    bench.user("alice", "correct horse").await;
    let mut first = bench.visitor("login");
    first.opens().await;
    let mut second = first.tab("login", "");
    second.opens().await;
    first
        .answers(json!({"uid_field": "alice"}))
        .await
        .sees("ak-stage-password");
    // By component, by field names, and by the challenge's id.
    let stale = json!({"component": "ak-stage-identification", "uid_field": "alice"});
    second
        .answers(stale)
        .await
        .sees("ak-stage-password")
        .without_errors();
    second
        .answers(json!({"uid_field": "alice"}))
        .await
        .without_errors();
    let mut request = second.request();
    request.challenge = Some("00000000000000000000000000000000-1".to_owned());
    let reply = bench
        .executions
        .answer(request, json!({"password": "x"}))
        .await;
    assert_eq!(reply.expect("a reply").body.get("response_errors"), None);
    bench.check().await;
}

#[actix::test]
async fn a_doubled_answer_has_one_effect() {
    let bench = Bench::new();
    bench.flow("three", &dummies(3)).await;
    let mut visitor = bench.visitor("three");
    visitor.opens().await;
    // Both are on their way before either is answered, from a client that sends no component.
    let (one, two) = (visitor.request(), visitor.request());
    let (one, two) = tokio::join!(
        bench.executions.answer(one, json!({})),
        bench.executions.answer(two, json!({})),
    );
    assert_eq!(one.expect("a reply").body["name"], "three-1");
    assert_eq!(two.expect("a reply").body["name"], "three-1");
    visitor.opens().await.shows("name", "three-1");
    bench.check().await;
}

#[actix::test]
async fn a_doubled_last_answer_leads_to_the_same_place_twice() {
    let bench = Bench::new();
    bench.flow("one", &dummies(1)).await;
    let mut visitor = bench.visitor("one").with_query("next=/x");
    visitor.opens().await;
    let (one, two) = (visitor.request(), visitor.request());
    let (one, two) = tokio::join!(
        bench.executions.answer(one, json!({})),
        bench.executions.answer(two, json!({})),
    );
    assert_eq!(one.expect("a reply").body["to"], "/x");
    assert_eq!(two.expect("a reply").body["to"], "/x");
    bench.check().await;
}

#[actix::test]
async fn an_unsafe_next_is_refused_at_the_end() {
    let bench = Bench::new();
    bench.flow("empty", &[]).await;
    for next in [
        "http://x.example/",
        "//x",
        "///x",
        "/\\x",
        "https:x",
        "javascript:alert(1)",
    ] {
        let query = format!("next={}", crate::flow::query::encode(next));
        let mut visitor = bench.visitor("empty").with_query(&query);
        visitor.opens().await.sees("ak-stage-access-denied");
        visitor.shows("error_message", "Invalid next URL");
    }
    bench.visitor("empty").opens().await.is_sent_to("/");
    bench
        .visitor("empty")
        .with_query("next=")
        .opens()
        .await
        .is_sent_to("/");
    bench
        .visitor("empty")
        .with_query("next=%2Funique")
        .opens()
        .await
        .is_sent_to("/unique");
    bench.check().await;
}

#[actix::test]
async fn deny_denies_and_a_restart_for_ever_ends() {
    let bench = Bench::new();
    bench
        .flow("deny", &[(Kind::Deny, json!({"deny_message": "foo"}))])
        .await;
    let mut visitor = bench.visitor("deny");
    visitor
        .opens()
        .await
        .sees("ak-stage-access-denied")
        .shows("error_message", "foo");
    visitor.shows("pending_user", "");

    let flow = bench.flow("loop", &[(Kind::Deny, json!({}))]).await;
    let bindings = crate::catalog::binding::bindings_of(bench.journal.as_ref(), flow.pk).await;
    let mut binding = bindings.expect("a read").remove(0);
    binding.value.invalid_response_action =
        crate::flow::model::InvalidResponseAction::RestartWithContext;
    bench
        .write(vec![object::put(&binding.value, binding.version)])
        .await;
    bench
        .visitor("loop")
        .opens()
        .await
        .sees("ak-stage-access-denied");
    bench.check().await;
}

#[actix::test]
async fn a_requirement_that_is_not_met_ends_the_execution() {
    let bench = Bench::new();
    let mut flow: Flow = bench.flow("members", &dummies(1)).await;
    flow.authentication = Authentication::RequireAuthenticated;
    bench
        .write(vec![object::put(&flow, crate::journal::Version(1))])
        .await;
    let mut visitor = bench.visitor("members");
    visitor.opens().await.sees("ak-stage-access-denied");
    visitor.shows("error_message", "Flow does not apply to current user.");
    visitor
        .tab("members", "next=/x")
        .opens()
        .await
        .is_sent_to("/x");
    bench.check().await;
}

#[actix::test]
async fn a_stage_that_fails_shows_an_error_and_keeps_its_place() {
    let bench = Bench::new();
    bench
        .flow("broken", &[(Kind::Dummy, json!({"throw_error": true}))])
        .await;
    let mut visitor = bench.visitor("broken");
    visitor.opens().await.sees("ak-stage-flow-error");
    assert_eq!(
        visitor.body().get("error"),
        None,
        "an anonymous visitor reads the error"
    );
    visitor.opens().await.sees("ak-stage-flow-error");
    bench.check().await;
}

#[actix::test]
async fn cancelling_one_leaves_the_others() {
    let bench = Bench::new();
    bench.flow("two", &dummies(2)).await;
    let mut first = bench.visitor("two").with_query("next=/a");
    first.answers(json!({})).await.shows("name", "two-1");
    let mut second = first.tab("two", "next=/b");
    second.answers(json!({})).await.shows("name", "two-1");
    let request = first.request();
    let session = first.session.expect("a session");
    let which = Cancel::Next("/a".to_owned());
    let cancelled = bench.executions.cancel(
        session,
        which,
        Canceller::Visitor,
        &request.client,
        request.correlation,
    );
    cancelled.await.expect("cancelled");
    first.opens().await.shows("name", "two-0");
    second.opens().await.shows("name", "two-1");
    bench.check().await;
}

#[actix::test]
async fn an_execution_that_nobody_comes_back_to_expires() {
    let bench = Bench::new();
    bench.flow("two", &dummies(2)).await;
    let mut visitor = bench.visitor("two");
    visitor.answers(json!({})).await.shows("name", "two-1");
    bench.clock.advance(Duration::from_hours(23));
    bench.executions.sweep().await.expect("a sweep");
    visitor.opens().await.shows("name", "two-1");
    bench.clock.advance(Duration::from_hours(2));
    bench.executions.sweep_oldest().await.expect("a sweep");
    visitor.opens().await.shows("name", "two-0");
    bench.check().await;
}

#[actix::test]
async fn a_flow_keeps_the_stages_it_began_with_and_ends_when_it_is_deleted() {
    let bench = Bench::new();
    let flow = bench.flow("two", &dummies(2)).await;
    let mut visitor = bench.visitor("two");
    visitor.opens().await;
    let name = "two-0";
    let stage = crate::catalog::stage::stage_by_name(bench.journal.as_ref(), name).await;
    let mut stage = stage.expect("a read").expect("the stage");
    stage
        .value
        .settings
        .insert("throw_error".to_owned(), true.into());
    bench
        .write(vec![object::put(&stage.value, stage.version)])
        .await;
    visitor.opens().await.sees("ak-stage-dummy");
    bench
        .write(vec![object::delete::<Flow>(
            flow.pk,
            crate::journal::Version(1),
        )])
        .await;
    visitor.opens().await.sees("ak-stage-access-denied");
    bench.check().await;
}
