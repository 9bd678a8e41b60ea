//! Counters.

use std::time::Duration;

use gatelog::journal::Write;
use jiff::Timestamp;

use super::Subject;

fn add(counter: &str, delta: i64, expires: Option<Timestamp>) -> Write {
    Write::Add {
        counter: counter.into(),
        delta,
        min: -5,
        max: 10,
        expires,
    }
}

async fn value(subject: &Subject, counter: &str) -> i64 {
    let now = subject.clock.now();
    let value = subject.journal.counter(counter.as_bytes(), now).await;
    value.expect("the journal can be read")
}

pub(in super::super) async fn a_counter_is_the_sum_within_its_bounds(subject: Subject) {
    assert_eq!(value(&subject, "alice").await, 0);
    subject
        .does(vec![add("alice", 3, None), add("alice", 4, None)])
        .await;
    assert_eq!(value(&subject, "alice").await, 7);
    assert_eq!(value(&subject, "bob").await, 0);
    subject.does(vec![add("alice", 100, None)]).await;
    assert_eq!(value(&subject, "alice").await, 10);
    subject.does(vec![add("alice", i64::MIN, None)]).await;
    assert_eq!(value(&subject, "alice").await, -5);
}

pub(in super::super) async fn a_counter_is_forgotten_when_it_expires(subject: Subject) {
    let minute = Duration::from_mins(1);
    let end = subject.clock.now() + minute;
    subject.does(vec![add("alice", 3, Some(end))]).await;
    subject.clock.advance(minute / 2);
    // A later write neither moves the end nor takes it away.
    subject.does(vec![add("alice", 3, None)]).await;
    assert_eq!(value(&subject, "alice").await, 6);
    subject.clock.advance(minute / 2);
    assert_eq!(value(&subject, "alice").await, 0);
    let end = subject.clock.now() + minute;
    subject.does(vec![add("alice", 2, Some(end))]).await;
    assert_eq!(value(&subject, "alice").await, 2);
    subject.clock.advance(minute);
    assert_eq!(value(&subject, "alice").await, 0);
}

pub(in super::super) async fn additions_never_conflict(subject: Subject) {
    let commits = (0..20).map(|_| subject.commit(vec![add("alice", 1, None)]));
    for done in futures_util::future::join_all(commits).await {
        done.expect("an addition is always allowed");
    }
    assert_eq!(value(&subject, "alice").await, 10);
}
