//! Opening again, with and without the state.

use std::fs;
use std::time::Duration;

use futures_util::StreamExt;
use gatelog::journal::sled::{SledJournal, rebuild};
use gatelog::journal::{
    Durability, Envelope, Error, Journal, Key, KeyId, Kind, Object, Position, StreamId, Version,
    Write,
};
use jiff::Timestamp;
use uuid::Uuid;

use super::super::contract::{
    LAMP, RUN, append, append_under, delete, in_room, lamp, named, put, run,
};
use super::{Disk, close};

/// Everything that a journal answers about what [`fill`] wrote.
#[derive(Debug, PartialEq)]
pub(super) struct Answers {
    streams: Vec<(StreamId, Vec<Envelope>)>,
    lamps: Vec<Object>,
    found: Vec<Option<Object>>,
    rooms: Vec<Vec<Object>>,
    revisions: Vec<Option<Object>>,
    counter: i64,
    followed: Vec<(Position, Envelope)>,
}

impl Answers {
    /// What was written, without what keys and hashes make different in every journal.
    pub(super) fn bodies(&self) -> Vec<(Position, StreamId, Option<Vec<u8>>)> {
        let followed = self.followed.iter();
        followed
            .filter(|(_, envelope)| envelope.stream.kind != Kind::new("counter"))
            .map(|(at, envelope)| (*at, envelope.stream, envelope.body.clone()))
            .collect()
    }
}

const HITS: &[u8] = b"hits of 192.0.2.1";

fn add(delta: i64) -> Write {
    Write::Add {
        counter: HITS.to_vec(),
        delta,
        min: 0,
        max: 1_000,
        expires: None,
    }
}

pub(super) async fn commit(
    journal: &SledJournal,
    durability: Durability,
    writes: Vec<Write>,
) -> Result<Position, Error> {
    let commit = gatelog::journal::Commit {
        writes,
        durability,
        fence: None,
        at: Timestamp::from_second(1_700_000_000).expect("in range"),
        correlation: Uuid::from_u128(1),
    };
    journal.commit(commit).await
}

async fn does(journal: &SledJournal, writes: Vec<Write>) -> Position {
    let done = commit(journal, Durability::Durable, writes).await;
    done.expect("the commit is allowed")
}

/// Writes some of everything.
pub(super) async fn fill(journal: &SledJournal) {
    let own = KeyId(Uuid::from_u128(900));
    for version in 0..40 {
        does(journal, vec![append(run(1), version, "a step"), add(2)]).await;
        if version % 4 == 0 {
            let id = u128::from(version / 4);
            let name = format!("lamp {id}");
            does(journal, vec![put(lamp(id), 0, &name, "hall")]).await;
            does(journal, vec![append(run(100 + id), 0, "another run")]).await;
        }
    }
    does(
        journal,
        vec![
            Write::CreateKey {
                id: own,
                under: KeyId::SYSTEM,
            },
            append_under(own, run(2), 0, "kept for a while"),
        ],
    )
    .await;
    does(journal, vec![put(lamp(1), 1, "lamp one", "attic")]).await;
    does(journal, vec![delete(lamp(2), 1)]).await;
    does(
        journal,
        vec![put(lamp(3), 1, &"long ".repeat(20_000), "attic")],
    )
    .await;
    does(journal, vec![Write::DestroyKey { id: own }]).await;
}

pub(super) async fn answers(journal: &SledJournal) -> Answers {
    let fine = "the journal can be read";
    let mut streams = Vec::new();
    for kind in [RUN, LAMP, Kind::new("counter")] {
        for stream in journal.streams(kind, None, usize::MAX).await.expect(fine) {
            let records = journal.read(stream, Version::NONE).await.expect(fine);
            let head = journal.head(stream).await.expect(fine);
            let last = records.last().expect("no stream is empty");
            assert_eq!(head, (last.version, last.hash));
            streams.push((stream, records));
        }
    }
    let mut found = Vec::new();
    for name in [
        "lamp 0",
        "lamp 1",
        "lamp one",
        "lamp 2",
        &"long ".repeat(20_000),
    ] {
        found.push(journal.find(LAMP, named(name)).await.expect(fine));
    }
    let mut rooms = Vec::new();
    for room in ["hall", "attic", "cellar"] {
        let room = journal.scan(LAMP, in_room(room), None, usize::MAX).await;
        rooms.push(room.expect(fine));
    }
    let mut revisions = Vec::new();
    for (id, version) in [(1, 1), (1, 2), (2, 1), (2, 2), (3, 2), (9, 9)] {
        let revision = journal.get_at(lamp(id), Version(version)).await;
        revisions.push(revision.expect(fine));
    }
    let last = usize::try_from(journal.last().0).expect("small");
    let followed = journal.follow(Position(0)).take(last);
    Answers {
        streams,
        lamps: journal.list(LAMP, None, usize::MAX).await.expect(fine),
        found,
        rooms,
        revisions,
        counter: journal
            .counter(HITS, Timestamp::UNIX_EPOCH)
            .await
            .expect(fine),
        followed: followed.map(|next| next.expect(fine)).collect().await,
    }
}

#[tokio::test]
async fn everything_is_there_after_opening_again() {
    let disk = Disk::new();
    let journal = disk.open();
    fill(&journal).await;
    let before = answers(&journal).await;
    assert_eq!(before.counter, 80);
    close(journal);
    assert!(disk.verify().is_sound(), "{:?}", disk.verify().findings);
    let journal = disk.open();
    assert_eq!(answers(&journal).await, before);
    drop(journal);
    assert!(!disk.path("state.broken-1").exists(), "nothing was rebuilt");
}

#[tokio::test]
async fn a_missing_state_is_rebuilt_to_the_same_answers() {
    let disk = Disk::with_small_segments();
    let journal = disk.open();
    fill(&journal).await;
    let lease = journal.lease("timers", Duration::from_secs(5)).await;
    let before = answers(&journal).await;
    close(journal);
    fs::remove_dir_all(disk.path("state")).expect("removes");
    disk.clock.advance(Duration::from_secs(10));
    let journal = disk.open();
    assert_eq!(answers(&journal).await, before);
    let again = journal.lease("timers", Duration::from_secs(5)).await;
    let epochs = [lease, again].map(|lease| lease.expect("is given").epoch);
    assert_eq!(epochs, [1, 2], "the epoch never goes back");
    close(journal);
    assert!(disk.verify().is_sound(), "{:?}", disk.verify().findings);
}

#[tokio::test]
async fn a_damaged_state_is_moved_aside_and_rebuilt() {
    let disk = Disk::new();
    let journal = disk.open();
    fill(&journal).await;
    let before = answers(&journal).await;
    close(journal);
    for name in ["db", "conf"] {
        fs::write(disk.path("state").join(name), b"not what sled wrote").expect("writes");
    }
    let journal = disk.open();
    assert_eq!(answers(&journal).await, before);
    assert!(disk.path("state.broken-1").exists());
}

#[tokio::test]
async fn a_state_that_lags_behind_catches_up() {
    let disk = Disk::new();
    let journal = disk.open();
    fill(&journal).await;
    close(journal);
    copy(&disk.path("state"), &disk.path("old"));
    let journal = disk.open();
    for version in 40..60 {
        does(&journal, vec![append(run(1), version, "later"), add(1)]).await;
    }
    does(&journal, vec![delete(lamp(0), 1)]).await;
    let before = answers(&journal).await;
    close(journal);
    fs::remove_dir_all(disk.path("state")).expect("removes");
    fs::rename(disk.path("old"), disk.path("state")).expect("renames");
    let journal = disk.open();
    assert_eq!(answers(&journal).await, before);
    assert!(!disk.path("state.broken-1").exists(), "it was not rebuilt");
}

#[tokio::test]
async fn a_state_ahead_of_the_log_is_rebuilt_once_the_loss_is_accepted() {
    let disk = Disk::new();
    let journal = disk.open();
    does(&journal, vec![append(run(1), 0, "first")]).await;
    close(journal);
    copy(&disk.path("log"), &disk.path("old"));
    let journal = disk.open();
    does(&journal, vec![append(run(1), 1, "second")]).await;
    close(journal);
    fs::remove_dir_all(disk.path("log")).expect("removes");
    fs::rename(disk.path("old"), disk.path("log")).expect("renames");
    let refused = disk.try_open().map(drop).expect_err("the log is too short");
    assert!(refused.to_string().contains("checkpoints"), "{refused}");
    let report = disk.verify();
    assert!(
        report.findings[0].problem.contains("ends at position 1"),
        "{report:?}"
    );
    fs::remove_file(disk.path("checkpoints")).expect("removes");
    disk.try_open()
        .map(drop)
        .expect_err("nobody accepted the loss");
    rebuild(&disk.options, &disk.keyring()).expect("it accepts the loss");
    let journal = disk.open();
    let (version, _) = journal.head(run(1)).await.expect("reads");
    assert_eq!(version, Version(1));
    assert!(disk.path("state.broken-1").exists());
}

#[tokio::test]
async fn rebuilding_on_request_keeps_the_old_state_beside() {
    let disk = Disk::new();
    let journal = disk.open();
    fill(&journal).await;
    let before = answers(&journal).await;
    let last = journal.last();
    close(journal);
    let rebuilt = rebuild(&disk.options, &disk.keyring()).expect("rebuilds");
    assert_eq!(rebuilt, last);
    assert!(disk.path("state.broken-1").exists());
    assert_eq!(answers(&disk.open()).await, before);
}

#[tokio::test]
async fn a_state_that_cannot_be_rebuilt_stays_as_it_was() {
    let mut disk = Disk::new();
    disk.options.remove_exported = true;
    disk.options.segment_records = 8;
    let journal = disk.open();
    fill(&journal).await;
    let before = answers(&journal).await;
    close(journal);
    // The archive finishes what it exports before the journal is closed.
    let exports = fs::read_dir(disk.path("log")).expect("lists");
    let export = exports
        .map(|it| it.expect("an entry").path())
        .find(|it| it.extension().is_some_and(|it| it == "gz"))
        .expect("a closed segment");
    let good = fs::read(&export).expect("reads");
    let mut bad = good.clone();
    let middle = bad.len() / 2;
    bad[middle] ^= 1;
    fs::write(&export, bad).expect("writes");
    rebuild(&disk.options, &disk.keyring()).expect_err("the log is damaged");
    assert!(!disk.path("state.broken-1").exists(), "it was put back");
    fs::write(&export, good).expect("writes");
    assert_eq!(answers(&disk.open()).await, before);
}

#[tokio::test]
async fn a_second_opening_is_refused_while_the_first_lasts() {
    let disk = Disk::new();
    let journal = disk.open();
    let refused = disk.try_open().map(drop).expect_err("it is open");
    assert!(matches!(&refused, Error::Unavailable(why) if why.contains("another process")));
    drop(journal);
    disk.open();
}

#[tokio::test]
async fn a_closed_journal_refuses_and_its_followers_end() {
    let disk = Disk::new();
    let journal = disk.open();
    does(&journal, vec![append(run(1), 0, "first")]).await;
    let followed = journal.follow(Position(0));
    journal.close().expect("closes");
    assert!(followed.collect::<Vec<_>>().await.len() <= 1);
    let refused = commit(
        &journal,
        Durability::Durable,
        vec![append(run(1), 1, "late")],
    )
    .await;
    assert!(matches!(refused, Err(Error::Unavailable(_))));
}

#[tokio::test]
async fn a_key_that_was_destroyed_stays_destroyed_when_the_state_is_rebuilt() {
    let disk = Disk::new();
    let journal = disk.open();
    fill(&journal).await;
    let gone = journal.read(run(2), Version::NONE).await.expect("reads");
    assert_eq!(gone[0].body, None);
    close(journal);
    fs::remove_dir_all(disk.path("state")).expect("removes");
    let journal = disk.open();
    assert!(!journal.keyring().contains(KeyId(Uuid::from_u128(900))));
    let key = Key::new("name", "lamp one");
    assert!(journal.find(LAMP, key).await.expect("reads").is_some());
}

pub(crate) fn copy(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).expect("creates");
    for entry in fs::read_dir(from).expect("lists") {
        let entry = entry.expect("lists");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copies");
        }
    }
}
