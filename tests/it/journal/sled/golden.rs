//! Journals of every released format open for ever.
//!
//! `tests/golden/journal/` (format 1) and `journal-2/` are never edited. A new format gets a directory of
//! its own beside them, written by the ignored test below.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::StreamExt as _;
use gatelog::journal::sled::{SledJournal, export};
use gatelog::journal::{Durability, Journal, KeyId, Position, Write};
use uuid::Uuid;

use super::super::contract::{LAMP, append, append_under, delete, in_room, lamp, put, run};
use super::recovery::{commit, copy};
use super::{Disk, close};

const EXPORT: &str = "log/000000000001.export.gz";

/// Those of every format, the latest one last.
const ALL: [&str; 2] = ["journal", "journal-2"];

/// What a frame's format and a packed body make a difference to.
const USUAL: &str = r#"{"execution":"00000000-0000-0000-0000-000000000004","client":{"address":"127.0.0.1","user_agent":"Mozilla/5.0"},"observations":[{"saw":"object","kind":"flow","id":"5b4b7d3e-9a53-4c52-8f6e-5f2f6f0f6c11","version":1},{"saw":"object","kind":"flow","id":"5b4b7d3e-9a53-4c52-8f6e-5f2f6f0f6c11","version":1},{"saw":"found","kind":"policy_binding","lookup":"target","value":"5b4b7d3e9a534c528f6e5f2f6f0f6c11","objects":[]}],"at":"1970-01-01T00:00:00Z","later":"2026-11-27T10:54:34.649940917Z"}"#;

fn golden_of(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

pub(super) fn golden() -> PathBuf {
    golden_of(ALL[0])
}

/// Puts the first golden journal onto a disk.
pub(super) fn restore(disk: &Disk) {
    restore_from(disk, ALL[0]);
}

fn restore_from(disk: &Disk, name: &str) {
    copy(&golden_of(name), &disk.path(""));
    // What comes out of a repository may be read by everybody; a root key may not.
    let private = fs::Permissions::from_mode(0o600);
    fs::set_permissions(disk.path("secret.key"), private).expect("is ours");
}

#[tokio::test]
async fn golden_journals_of_every_format_open_and_say_what_they_said() {
    for name in ALL {
        opens_and_says_what_it_said(name).await;
    }
}

async fn opens_and_says_what_it_said(name: &str) {
    let disk = Disk::new();
    restore_from(&disk, name);
    let journal = disk.open();
    let expected = fs::read_to_string(golden_of(name).join("records.txt")).expect("reads");
    assert_eq!(records(&journal).await, expected);
    let hall = journal
        .scan(LAMP, in_room("hall"), None, 10)
        .await
        .expect("reads");
    assert_eq!(hall.len(), 1);
    assert_eq!(*hall[0].body, *b"second in hall");
    disk.clock.advance(Duration::from_secs(9));
    let lease = journal.lease("timers", Duration::from_secs(1)).await;
    assert_eq!(lease.expect("is given").epoch, 2);
    let writes = vec![append(run(1), 2, "and it goes on")];
    commit(&journal, Durability::Durable, writes)
        .await
        .expect("is allowed");
    close(journal);
    assert!(disk.verify().is_sound(), "{:?}", disk.verify().findings);
}

#[tokio::test]
#[ignore = "writes the golden journal of a new format; run it by hand, once"]
async fn write_the_golden_journal() {
    let disk = Disk::new();
    let journal = disk.open();
    let (kept, gone) = (KeyId(Uuid::from_u128(50)), KeyId(Uuid::from_u128(51)));
    let make = |id| Write::CreateKey {
        id,
        under: KeyId::SYSTEM,
    };
    let add = Write::Add {
        counter: b"hits".to_vec(),
        delta: 3,
        min: 0,
        max: 10,
        expires: None,
    };
    for writes in [
        vec![
            append(run(1), 0, "first"),
            put(lamp(1), 0, "first", "hall"),
            add,
        ],
        vec![
            make(kept),
            make(gone),
            append_under(kept, run(2), 0, "kept"),
        ],
        vec![
            append_under(gone, run(3), 0, "gone"),
            append(run(1), 1, "second"),
        ],
        vec![
            put(lamp(1), 1, "first", "attic"),
            put(lamp(2), 0, "second", "hall"),
        ],
        vec![delete(lamp(1), 2), Write::DestroyKey { id: gone }],
        vec![append(run(4), 0, USUAL)],
    ] {
        commit(&journal, Durability::Durable, writes)
            .await
            .expect("is allowed");
    }
    let lease = journal.lease("timers", Duration::from_secs(1)).await;
    lease.expect("is given");
    let records = records(&journal).await;
    close(journal);
    let mut whole = Vec::new();
    export(&disk.options, &mut whole).expect("exports");
    let golden = golden_of(ALL[ALL.len() - 1]);
    assert!(!golden.exists(), "a golden journal is never overwritten");
    fs::create_dir_all(golden.join("log")).expect("creates");
    fs::write(golden.join(EXPORT), whole).expect("writes");
    fs::write(golden.join("records.txt"), records).expect("writes");
    fs::copy(disk.path("secret.key"), golden.join("secret.key")).expect("copies");
    copy(&disk.path("keys"), &golden.join("keys"));
}

async fn records(journal: &SledJournal) -> String {
    let last = usize::try_from(journal.last().0).expect("small");
    let mut followed = journal.follow(Position(0)).take(last);
    let mut text = String::new();
    while let Some(next) = followed.next().await {
        let (position, envelope) = next.expect("reads");
        let body = envelope
            .body
            .as_deref()
            .map_or("(none)".into(), String::from_utf8_lossy);
        writeln!(
            text,
            "{} {} {} {} {body}",
            position.0, envelope.stream, envelope.version, envelope.at
        )
        .expect("a text can be written to");
    }
    text
}
