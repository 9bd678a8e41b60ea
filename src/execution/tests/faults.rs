//! What becomes of an answer when the journal fails: never lost once acknowledged, never taken
//! twice.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Bench, Visitor, login_stages};
use crate::execution::{Error, Request, State};
use crate::journal::faulty::{Fault, Faulty};
use crate::stage::Kind;
use crate::world::record::KIND;

fn dummies(count: usize) -> Vec<(Kind, Value)> {
    vec![(Kind::Dummy, json!({})); count]
}

fn faulty() -> (Bench, Arc<Faulty>) {
    let bench = Bench::new();
    let faulty = Faulty::over(Arc::clone(&bench.journal), Some(KIND));
    let bench = Bench::over(faulty.clone(), bench.clock.clone());
    (bench, faulty)
}

#[actix::test]
async fn a_conflict_over_another_object_is_tried_again_twelve_times() {
    let (bench, journal) = faulty();
    bench.flow("three", &dummies(3)).await;
    let mut visitor = bench.visitor("three");
    visitor.opens().await;
    let before = journal.commits();
    journal.fail([Fault::OtherMoved; 12]);
    visitor.answers(json!({})).await.shows("name", "three-1");
    assert_eq!(journal.commits(), before + 13);

    journal.fail([Fault::OtherMoved; 13]);
    let refused = visitor.tries(json!({})).await;
    assert!(matches!(refused, Err(Error::Busy)), "{refused:?}");
    assert_eq!(journal.commits(), before + 26);
    visitor.opens().await.shows("name", "three-1");
    visitor.answers(json!({})).await.shows("name", "three-2");
    bench.check().await;
}

#[actix::test]
async fn a_wrong_password_is_counted_once_however_often_it_is_judged() {
    let (bench, journal) = faulty();
    bench.user("alice", "correct horse").await;
    bench.flow("login", &login_stages()).await;
    let mut visitor = bench.visitor("login");
    visitor.opens().await;
    visitor.answers(json!({"uid_field": "alice"})).await;
    // Counted each time that it is judged, these would be more than an account gets.
    for _ in 0..3 {
        journal.fail([Fault::OtherMoved; 12]);
        let wrong = visitor.answers(json!({"password": "wrong"})).await;
        wrong.sees("ak-stage-password");
    }
    let right = visitor.answers(json!({"password": "correct horse"})).await;
    right.is_sent_to("/");
    bench.check().await;
}

#[actix::test]
async fn an_answer_that_was_not_written_may_be_given_again() {
    let (bench, journal) = faulty();
    bench.flow("three", &dummies(3)).await;
    let mut visitor = bench.visitor("three");
    visitor.opens().await;
    journal.fail([Fault::Before]);
    let failed = visitor.tries(json!({})).await;
    assert!(matches!(failed, Err(Error::Journal(_))), "{failed:?}");
    visitor.answers(json!({})).await.shows("name", "three-1");
    bench.check().await;
}

#[actix::test]
async fn an_answer_that_was_written_unnoticed_is_not_taken_again() {
    let (bench, journal) = faulty();
    bench.flow("two", &dummies(2)).await;
    let mut visitor = bench.visitor("two").with_query("next=/x");
    visitor.opens().await;
    journal.fail([Fault::After]);
    assert!(visitor.tries(json!({})).await.is_err());
    // The browser sends it again, and gets what it has missed.
    visitor.answers(json!({})).await.shows("name", "two-1");
    // Also when it was the last one.
    journal.fail([Fault::After]);
    assert!(visitor.tries(json!({})).await.is_err());
    visitor.answers(json!({})).await.is_sent_to("/x");
    bench.check().await;
}

#[actix::test]
async fn a_beginning_that_fails_can_be_begun_again() {
    let (bench, journal) = faulty();
    bench.flow("two", &dummies(2)).await;
    let mut visitor = bench.visitor("two");
    visitor.opens().await;
    let mut other = visitor.tab("two", "next=/other");
    for fault in [Fault::Before, Fault::After, Fault::OtherMoved] {
        journal.fail([fault]);
        let _either = other.tries_to_open().await;
        other.opens().await.shows("name", "two-0");
    }
    bench.check().await;
}

#[actix::test]
async fn a_conflict_over_the_execution_itself_makes_the_answer_a_stale_one() {
    let (bench, journal) = faulty();
    bench.flow("three", &dummies(3)).await;
    let mut visitor = bench.visitor("three");
    visitor.opens().await;
    journal.fail([Fault::Moved]);
    visitor.answers(json!({})).await.shows("name", "three-0");
    visitor.without_errors();
    visitor.answers(json!({})).await.shows("name", "three-1");
    bench.check().await;
}

#[actix::test]
async fn two_servers_on_one_journal_take_one_answer() {
    let here = Bench::new();
    here.flow("three", &dummies(3)).await;
    let there = Bench::over(Arc::clone(&here.journal), here.clock.clone());
    let mut first = here.visitor("three");
    first.opens().await;
    let mut second = there.visitor("three");
    second.session = first.session;
    second.opens().await.shows("name", "three-0");
    first.answers(json!({})).await.shows("name", "three-1");
    // The other server still has the execution as it was.
    second.answers(json!({})).await.shows("name", "three-1");
    second.answers(json!({})).await.shows("name", "three-2");
    first.answers(json!({})).await.shows("name", "three-2");
    second.answers(json!({})).await.is_sent_to("/");
    there.check().await;
}

#[actix::test]
async fn a_stage_that_panics_fails_one_request_and_no_more() {
    let (bench, journal) = faulty();
    bench.flow("two", &dummies(2)).await;
    let mut visitor = bench.visitor("two");
    visitor.opens().await;
    journal.fail([Fault::Panic]);
    assert!(visitor.tries(json!({})).await.is_err());
    visitor.opens().await.shows("name", "two-0");
    visitor.answers(json!({})).await.shows("name", "two-1");
    bench.check().await;
}

/// Answers until it is acknowledged, as a browser does whose user is patient.
async fn insist(visitor: &mut Visitor<'_>) {
    for _ in 0..20 {
        if visitor.tries(json!({})).await.is_ok() {
            return;
        }
    }
    panic!("no answer is taken any more");
}

fn faults() -> impl Strategy<Value = Vec<Fault>> {
    let fault = prop_oneof![
        Just(Fault::None),
        Just(Fault::OtherMoved),
        Just(Fault::Before),
        Just(Fault::After),
    ];
    prop::collection::vec(fault, 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn each_acknowledged_answer_is_one_step(faults in faults()) {
        actix::System::new().block_on(async move {
            let (bench, journal) = faulty();
            bench.flow("many", &dummies(6)).await;
            let mut visitor = bench.visitor("many");
            visitor.opens().await;
            journal.fail(faults);
            for step in 1..6 {
                insist(&mut visitor).await;
                visitor.shows("name", format!("many-{step}"));
            }
            insist(&mut visitor).await;
            visitor.is_sent_to("/");
            bench.check().await;
        });
    }
}

#[actix::test]
async fn where_an_execution_stands_is_told_without_reading_it_from_the_journal() {
    let (bench, journal) = faulty();
    bench.flow("two", &dummies(2)).await;
    let mut visitor = bench.visitor("two");
    visitor.opens().await;
    let sid = visitor.session_object().await.value.sid;
    let own = Request {
        sid: Some(sid),
        ..visitor.request()
    };
    let mut watching = bench.executions.watch(own).await.expect("its own");
    let streams = bench.journal.streams(KIND, None, 1).await;
    let id = streams.expect("the execution")[0].id;
    journal.damage(id);
    let first = watching.look().await.expect("its actor knows");
    assert_eq!(first.state, State::Asks);
    assert_eq!(watching.look().await.expect("it is known"), first);
    visitor.answers(json!({})).await.shows("name", "two-1");
    let second = watching.look().await.expect("its actor knows");
    assert_ne!(second.challenge, first.challenge);
}
