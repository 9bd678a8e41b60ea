//! Timers: each fires once, at its moment or as soon as the server is up again, and never for
//! something that is over.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::links::{asks, bench, confirms, link};
use super::{Bench, Visitor};
use crate::execution::timers::{self, Timer};
use crate::execution::{Cancel, Request};
use crate::flow::event::Event;
use crate::flow::input::Canceller;
use crate::replay;
use crate::world::record::KIND;

/// A little more than a mailed link is good.
const LONG: Duration = Duration::from_mins(32);

async fn running(bench: &Bench) -> Vec<Timer> {
    let all = timers::next(bench.journal.as_ref(), None, usize::MAX).await;
    all.expect("timers")
}

/// How often timers were set, and how often they fired, in every execution by itself.
async fn set_and_fired(bench: &Bench) -> Vec<(usize, usize)> {
    let streams = bench.journal.streams(KIND, None, usize::MAX).await;
    let mut all = Vec::new();
    for stream in streams.expect("streams") {
        let entries = replay::entries(bench.journal.as_ref(), stream.id).await;
        let entries = entries.expect("entries");
        let events: Vec<&Event> = replay::events(&entries).into_iter().collect();
        let count = |is: fn(&Event) -> bool| events.iter().filter(|it| is(it)).count();
        all.push((
            count(|it| matches!(it, Event::TimerSet { .. })),
            count(|it| matches!(it, Event::TimerFired { .. })),
        ));
    }
    all
}

async fn cancels(visitor: &Visitor<'_>) {
    let Request {
        session,
        client,
        correlation,
        ..
    } = visitor.request();
    let session = session.expect("a session");
    let (all, by) = (Cancel::All, Canceller::Visitor);
    let executions = &visitor.bench.executions;
    let cancelled = executions.cancel(session, all, by, &client, correlation);
    cancelled.await.expect("it is cancelled");
}

async fn passes(bench: &Bench, time: Duration) {
    bench.clock.advance(time);
    bench.executions.fire_due().await.expect("they fire");
}

#[actix::test]
async fn a_link_that_nobody_confirms_runs_out_once() {
    let (bench, _) = bench().await;
    let mut visitor = asks(&bench, "bob").await;
    assert_eq!(running(&bench).await.len(), 1);
    passes(&bench, Duration::from_mins(1)).await;
    assert_eq!(set_and_fired(&bench).await, [(1, 0)]);
    passes(&bench, LONG).await;
    assert_eq!(set_and_fired(&bench).await, [(1, 1)]);
    assert!(running(&bench).await.is_empty());
    passes(&bench, LONG).await;
    assert_eq!(set_and_fired(&bench).await, [(1, 1)]);
    // The visitor is where they were, and may ask for another.
    visitor.opens().await;
    visitor.sees("ak-stage-email");
    visitor.answers(json!({})).await;
    assert_eq!(running(&bench).await.len(), 1);
    bench.check().await;
}

#[actix::test]
async fn a_link_that_is_confirmed_does_not_run_out() {
    let (bench, _) = bench().await;
    asks(&bench, "bob").await;
    let query = link(&bench).await;
    let mut confirming = bench.visitor(super::links::SLUG).with_query(&query);
    confirms(&mut confirming).await;
    confirming.sees("ak-stage-dummy");
    assert!(running(&bench).await.is_empty());
    passes(&bench, LONG).await;
    assert!(
        set_and_fired(&bench)
            .await
            .iter()
            .all(|(_, fired)| *fired == 0)
    );
    bench.check().await;
}

#[actix::test]
async fn what_was_due_while_the_server_was_down_fires_when_it_is_up_again() {
    let (mut bench, _) = bench().await;
    asks(&bench, "bob").await;
    bench.clock.advance(LONG);
    bench.restart();
    bench.executions.resume().await.expect("it resumes");
    assert_eq!(set_and_fired(&bench).await, [(1, 1)]);
    bench.restart();
    bench.executions.resume().await.expect("it resumes");
    assert_eq!(set_and_fired(&bench).await, [(1, 1)]);
    bench.check().await;
}

#[actix::test]
async fn nothing_fires_for_an_execution_that_is_over() {
    let (bench, _) = bench().await;
    let visitor = asks(&bench, "bob").await;
    cancels(&visitor).await;
    assert!(running(&bench).await.is_empty());
    passes(&bench, LONG).await;
    assert_eq!(set_and_fired(&bench).await, [(1, 0)]);
    bench.check().await;
}

#[actix::test]
async fn an_execution_that_a_timer_woke_goes_back_to_sleep() {
    let (mut bench, _) = bench().await;
    asks(&bench, "bob").await;
    bench.restart();
    passes(&bench, LONG).await;
    let streams = bench.journal.streams(KIND, None, usize::MAX).await;
    let id: Uuid = streams.expect("streams")[0].id;
    for _ in 0..100 {
        let awake = bench.executions.snapshot(id).await.expect("a snapshot");
        if awake.is_none() {
            return;
        }
        actix::clock::sleep(Duration::from_millis(50)).await;
    }
    panic!("it stays in memory although nobody is there");
}

/// Something that happens to the server or to one of its visitors.
#[derive(Clone, Debug)]
enum Step {
    Asks,
    Resends,
    Cancels,
    Passes(u64),
    Restarts,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::Asks),
        2 => Just(Step::Resends),
        1 => Just(Step::Cancels),
        4 => (0u64..40).prop_map(Step::Passes),
        2 => Just(Step::Restarts),
    ];
    prop::collection::vec(step, 1..20)
}

async fn lives_through(steps: Vec<Step>) {
    let (mut bench, _) = bench().await;
    let mut sessions: Vec<Option<Uuid>> = Vec::new();
    for step in steps {
        let tab = |session: Option<Uuid>| {
            let mut visitor: Visitor<'_> = bench.visitor(super::links::SLUG);
            visitor.session = session;
            visitor
        };
        match step {
            Step::Asks => sessions.push(asks(&bench, "bob").await.session),
            Step::Resends => {
                if let Some(session) = sessions.last() {
                    tab(*session).answers(json!({})).await;
                }
            }
            Step::Cancels => {
                if let Some(session) = sessions.pop() {
                    cancels(&tab(session)).await;
                }
            }
            Step::Passes(minutes) => passes(&bench, Duration::from_mins(minutes)).await,
            Step::Restarts => {
                bench.restart();
                bench.executions.resume().await.expect("it resumes");
            }
        }
        // Nothing that is due is left running, and none fires that was not set.
        let now = bench.clock.now();
        bench.executions.fire_due().await.expect("they fire");
        assert!(running(&bench).await.iter().all(|timer| timer.due > now));
        for (set, fired) in set_and_fired(&bench).await {
            assert!(fired <= set);
        }
    }
    passes(&bench, LONG * 2).await;
    assert!(running(&bench).await.is_empty());
    bench.check_if_any().await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn timers_are_neither_lost_nor_doubled(steps in steps()) {
        actix::System::new().block_on(lives_through(steps));
    }
}
