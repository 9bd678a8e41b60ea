//! Streams, commits and leases.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use gatelog::journal::{Error, Hash, StreamId, Version};
use uuid::Uuid;

use super::{Subject, append, delete, lamp, named, put, run};

pub(in super::super) async fn records_come_back_as_they_were_written(subject: Subject) {
    subject.does(vec![append(run(1), 0, "one")]).await;
    subject.clock.advance(Duration::from_nanos(1_500_000_001));
    subject.does(vec![append(run(1), 1, "two")]).await;

    let read = subject.journal.read(run(1), Version(0)).await;
    let read = read.expect("the journal can be read");
    assert_eq!(read.len(), 2);
    assert_eq!(read[0].body.as_deref(), Some(&b"one"[..]));
    assert_eq!(read[1].body.as_deref(), Some(&b"two"[..]));
    assert_eq!(read[1].stream, run(1));
    assert_eq!(read[1].version, Version(2));
    assert_eq!(read[1].at, subject.clock.now());
    assert_eq!(read[1].schema, 1);
    assert_eq!(read[1].correlation, Uuid::from_u128(7));

    let later = subject.journal.read(run(1), Version(1)).await;
    assert_eq!(later.expect("the journal can be read"), read[1..]);
    let none = subject.journal.read(run(1), Version(2)).await;
    assert_eq!(none.expect("the journal can be read"), []);
    let unknown = subject.journal.read(run(9), Version(0)).await;
    assert_eq!(unknown.expect("the journal can be read"), []);
}

pub(in super::super) async fn another_expected_version_is_a_conflict_that_names_both(
    subject: Subject,
) {
    subject.does(vec![append(run(1), 0, "one")]).await;
    for wrong in [0, 2] {
        let refused = subject.commit(vec![append(run(1), wrong, "no")]).await;
        let Err(Error::Conflict {
            stream,
            expected,
            actual,
        }) = refused
        else {
            panic!("it is a conflict, not {refused:?}");
        };
        assert_eq!(stream, run(1));
        assert_eq!((expected, actual), (Version(wrong), Version(1)));
    }
}

pub(in super::super) async fn each_record_names_the_hash_of_the_one_before(subject: Subject) {
    let empty = subject.journal.head(run(1)).await;
    assert_eq!(
        empty.expect("the journal can be read"),
        (Version::NONE, Hash::default())
    );
    let mut hashes = Vec::new();
    for version in 0..3 {
        subject.does(vec![append(run(1), version, "same")]).await;
        let (head, hash) = subject
            .journal
            .head(run(1))
            .await
            .expect("the journal can be read");
        assert_eq!(head, Version(version + 1));
        hashes.push(hash);
    }
    let read = subject.journal.read(run(1), Version(0)).await;
    let read: Vec<Hash> = read
        .expect("the journal can be read")
        .iter()
        .map(|envelope| envelope.hash)
        .collect();
    assert_eq!(read, hashes);
    assert!(hashes[0] != hashes[1] && hashes[1] != hashes[2]);
}

pub(in super::super) async fn two_writes_of_one_commit_follow_each_other(subject: Subject) {
    subject
        .does(vec![append(run(1), 0, "one"), append(run(1), 1, "two")])
        .await;
    let (head, _) = subject
        .journal
        .head(run(1))
        .await
        .expect("the journal can be read");
    assert_eq!(head, Version(2));

    let gap = vec![append(run(1), 2, "three"), append(run(1), 2, "again")];
    let refused = subject.commit(gap).await;
    assert!(
        matches!(refused, Err(Error::Conflict { actual, .. }) if actual == Version(3)),
        "{refused:?}"
    );
}

pub(in super::super) async fn a_commit_with_one_wrong_write_changes_nothing(subject: Subject) {
    subject
        .does(vec![
            append(run(1), 0, "one"),
            put(lamp(1), 0, "reading", "study"),
        ])
        .await;
    let wrong = [
        vec![append(run(2), 0, "new"), append(run(1), 0, "stale")],
        vec![append(run(2), 0, "new"), put(lamp(2), 0, "reading", "hall")],
        vec![put(lamp(1), 1, "bed", "hall"), delete(lamp(2), 1)],
    ];
    for commit in wrong {
        let refused = subject.commit(commit).await;
        assert!(
            matches!(refused, Err(Error::Conflict { .. } | Error::Taken { .. })),
            "{refused:?}"
        );
    }
    let heads = [(run(1), 1), (run(2), 0), (lamp(1), 1), (lamp(2), 0)];
    for (stream, version) in heads {
        let (head, _) = subject
            .journal
            .head(stream)
            .await
            .expect("the journal can be read");
        assert_eq!(head, Version(version), "{stream}");
    }
    assert_eq!(
        subject.found(named("reading")).await.as_deref(),
        Some(&b"reading in study"[..])
    );
    assert_eq!(subject.found(named("bed")).await, None);
}

pub(in super::super) async fn a_commit_above_the_limit_is_refused(subject: Subject) {
    let limit = 4 << 20;
    let half = "x".repeat(limit / 2);
    let both = vec![append(run(1), 0, &half), append(run(2), 0, &half)];
    let refused = subject.commit(both).await;
    assert!(
        matches!(refused, Err(Error::TooLarge { size, limit: said }) if size > said && said == limit),
        "{refused:?}"
    );
    let (head, _) = subject
        .journal
        .head(run(1))
        .await
        .expect("the journal can be read");
    assert_eq!(head, Version::NONE);
}

pub(in super::super) async fn large_bodies_come_back_whole(subject: Subject) {
    let sizes = [0, 1, 32 << 10, (32 << 10) + 1, 200_000, (4 << 20) - 1024];
    for (version, size) in (0..).zip(sizes) {
        let body: String = ('a'..='z').cycle().take(size).collect();
        subject.does(vec![append(run(1), version, &body)]).await;
        let read = subject.journal.read(run(1), Version(version)).await;
        let read = read.expect("the journal can be read");
        assert_eq!(read.len(), 1);
        assert!(
            read[0].body.as_deref() == Some(body.as_bytes()),
            "the body of {size} bytes differs"
        );
    }
}

pub(in super::super) async fn streams_are_listed_newest_first_and_in_pages(subject: Subject) {
    for id in [3, 1, 2, 5, 4] {
        subject.does(vec![append(run(id), 0, "x")]).await;
    }
    subject.does(vec![put(lamp(9), 0, "a", "b")]).await;
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page = subject.journal.streams(super::RUN, before, 2).await;
        let page = page.expect("the journal can be read");
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        seen.extend(page);
    }
    let expected: Vec<StreamId> = (1..=5).rev().map(run).collect();
    assert_eq!(seen, expected);
}

pub(in super::super) async fn of_many_writers_exactly_one_wins_each_version(subject: Subject) {
    const WRITERS: usize = 8;
    const WINS: usize = 10;
    let subject = Arc::new(subject);
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let subject = Arc::clone(&subject);
            std::thread::spawn(move || {
                tokio::runtime::Builder::new_current_thread()
                    .build()
                    .expect("a runtime can be made")
                    .block_on(append_until_won(&subject, writer, WINS))
            })
        })
        .collect();
    let mut won = BTreeSet::new();
    for writer in writers {
        for version in writer.join().expect("no writer fails") {
            assert!(won.insert(version), "two writers won {version}");
        }
    }
    let all: BTreeSet<Version> = (1..=(WRITERS * WINS) as u64).map(Version).collect();
    assert_eq!(won, all);
    let read = subject.journal.read(run(1), Version(0)).await;
    assert_eq!(read.expect("the journal can be read").len(), WRITERS * WINS);
}

/// Appends as `writer`, reloading after each conflict; returns the versions that it won.
async fn append_until_won(subject: &Subject, writer: usize, wins: usize) -> Vec<Version> {
    let mut won = Vec::new();
    let mut expected = Version::NONE;
    while won.len() < wins {
        let body = format!("{writer}");
        match subject
            .commit(vec![append(run(1), expected.0, &body)])
            .await
        {
            Ok(_) => {
                expected = expected.next();
                won.push(expected);
            }
            Err(Error::Conflict { actual, .. }) => expected = actual,
            Err(other) => panic!("{other}"),
        }
    }
    won
}

pub(in super::super) async fn a_lease_is_renewed_and_after_its_end_taken_over(subject: Subject) {
    let ttl = Duration::from_secs(10);
    let first = subject.journal.lease("courier", ttl).await;
    let first = first.expect("the lease is free");
    assert_eq!(first.expires, subject.clock.now() + ttl);

    subject.clock.advance(Duration::from_secs(9));
    let renewed = subject.journal.lease("courier", ttl).await;
    let renewed = renewed.expect("the lease is ours");
    assert_eq!(renewed.epoch, first.epoch);
    assert_eq!(renewed.expires, subject.clock.now() + ttl);

    subject.clock.advance(ttl);
    let taken = subject.journal.lease("courier", ttl).await;
    let taken = taken.expect("the lease has run out");
    assert!(taken.epoch > renewed.epoch);

    let other = subject.journal.lease("timers", ttl).await;
    assert_eq!(other.expect("another lease is free").name, "timers");
}

pub(in super::super) async fn a_commit_fenced_with_a_lost_lease_is_refused(subject: Subject) {
    let ttl = Duration::from_secs(10);
    let old = subject.journal.lease("courier", ttl).await;
    let old = old.expect("the lease is free");
    let fenced = |lease, expected| {
        let mut commit = subject.commit_of(vec![append(run(1), expected, "x")]);
        commit.fence = Some(lease);
        subject.journal.commit(commit)
    };
    fenced(old.clone(), 0).await.expect("the lease is held");

    subject.clock.advance(ttl);
    let new = subject.journal.lease("courier", ttl).await;
    let new = new.expect("the lease has run out");
    let refused = fenced(old, 1).await;
    assert!(
        matches!(&refused, Err(Error::LeaseLost { name }) if name == "courier"),
        "{refused:?}"
    );
    fenced(new, 1).await.expect("the new lease is held");
}
