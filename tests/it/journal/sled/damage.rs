//! Flipped bytes, missing files: nothing goes unnoticed.

use std::fs;
use std::path::{Path, PathBuf};

use gatelog::journal::sled::{Report, SledJournal, rebuild};
use gatelog::journal::{Durability, Error, Journal, Position, Version};

use super::super::contract::{append, put, run};
use super::recovery::{Answers, answers, commit, copy, fill};
use super::{Disk, close};

/// A small journal with closed segments, exports and a state.
async fn small() -> (Disk, Answers) {
    filled(Disk::with_small_segments()).await
}

async fn filled(disk: Disk) -> (Disk, Answers) {
    let journal = disk.open();
    for version in 0..6 {
        let writes = vec![
            append(run(1), version, "a step"),
            append(run(2 + u128::from(version)), 0, &"x".repeat(3_000)),
            put(super::super::contract::lamp(1), version, "lamp", "hall"),
        ];
        let done = commit(&journal, Durability::Durable, writes).await;
        done.expect("the commit is allowed");
    }
    let answers = answers(&journal).await;
    close(journal);
    (disk, answers)
}

/// Every byte in a long run, some of them in a short one.
fn sample(length: usize, short: usize) -> impl Iterator<Item = usize> {
    let long = std::env::var("GATELOG_LONG").is_ok_and(|value| value == "1");
    let count = if long { length } else { short.min(length) };
    // A prime step visits all kinds of places without following any layout.
    (0..count).map(move |n| if long { n } else { (n * 7_919 + 13) % length })
}

fn flip(path: &Path, at: usize) -> Vec<u8> {
    let good = fs::read(path).expect("reads");
    let mut bad = good.clone();
    bad[at] ^= 0x20;
    fs::write(path, bad).expect("writes");
    good
}

/// The bytes of a sled file that are in use; the rest is padding that nobody reads.
fn used(path: &Path) -> Vec<usize> {
    let bytes = fs::read(path).expect("reads");
    (0..bytes.len()).filter(|at| bytes[*at] != 0).collect()
}

#[tokio::test]
async fn a_flipped_byte_anywhere_in_a_log_is_noticed_or_changes_nothing() {
    let (disk, before) = small().await;
    let db = disk.path("log").join(last_segment(&disk)).join("db");
    assert!(disk.verify().is_sound());
    let used = used(&db);
    let saved = tempfile::tempdir().expect("a temporary directory");
    copy(&disk.path(""), saved.path());
    let mut noticed = 0;
    let mut tried = 0;
    for at in sample(used.len(), 60) {
        flip(&db, used[at]);
        let report = disk.verify();
        if report.is_sound() {
            let journal = disk.open();
            assert_eq!(
                answers(&journal).await,
                before,
                "byte {} was flipped",
                used[at]
            );
        } else {
            noticed += 1;
        }
        tried += 1;
        restore(&disk, saved.path());
    }
    assert!(
        noticed * 2 > tried,
        "{noticed} of {tried} flips were noticed"
    );
}

#[tokio::test]
async fn a_log_that_lost_what_was_on_the_disk_is_refused_also_without_a_checkpoint() {
    let (disk, before) = small().await;
    let saved = tempfile::tempdir().expect("a temporary directory");
    copy(&disk.path(""), saved.path());
    let journal = disk.open();
    let writes = vec![append(run(99), 0, "a step")];
    let done = commit(&journal, Durability::Durable, writes).await;
    done.expect("the commit is allowed");
    close(journal);
    fs::remove_dir_all(disk.path("log")).expect("it goes");
    copy(&saved.path().join("log"), &disk.path("log"));
    fs::remove_file(disk.path("checkpoints")).expect("it goes");

    let error = disk.try_open().map(drop).expect_err("records are missing");
    assert!(error.to_string().contains("journal rebuild"), "{error}");
    rebuild(&disk.options, &disk.keyring()).expect("it accepts the loss");
    assert_eq!(answers(&disk.open()).await, before);
}

#[tokio::test]
async fn every_flipped_byte_of_an_exported_segment_is_noticed() {
    let (mut disk, _) = small().await;
    disk.options.remove_exported = true;
    let journal = disk.open();
    wait_until_exported(&disk);
    close(journal);
    assert!(disk.verify().is_sound(), "{:?}", disk.verify().findings);
    let export = disk.path("log/000000000001.export.gz");
    let length = fs::read(&export).expect("reads").len();
    for at in sample(length, 60) {
        let good = flip(&export, at);
        let report = disk.verify();
        assert!(!report.is_sound(), "byte {at} of {length} was flipped");
        fs::write(&export, good).expect("writes");
    }
}

#[tokio::test]
async fn removed_checkpoints_show_in_the_count_of_records_that_none_vouches_for() {
    let (disk, _) = small().await;
    assert_eq!(disk.verify().after_checkpoints, 0);
    fs::remove_file(disk.path("checkpoints")).expect("removes");
    let report = disk.verify();
    assert!(report.records > 0);
    assert_eq!(report.after_checkpoints, report.records);
}

#[tokio::test]
async fn every_flipped_byte_of_the_checkpoints_is_noticed() {
    let (disk, _) = small().await;
    let path = disk.path("checkpoints");
    let length = fs::read(&path).expect("reads").len();
    for at in sample(length - 1, 40) {
        let good = flip(&path, at);
        assert!(
            !disk.verify().is_sound(),
            "byte {at} of {length} was flipped"
        );
        fs::write(&path, good).expect("writes");
    }
}

#[tokio::test]
async fn a_flipped_byte_of_the_state_is_noticed_or_changes_nothing() {
    let (disk, before) = small().await;
    let db = disk.path("state/db");
    let used = used(&db);
    let saved = tempfile::tempdir().expect("a temporary directory");
    copy(&disk.path(""), saved.path());
    for at in sample(used.len(), 25) {
        flip(&db, used[at]);
        let report = disk.verify();
        // Whatever the report says, a start gives the right answers or says what is wrong.
        if report.is_sound() {
            let journal = disk.open();
            assert_eq!(
                answers(&journal).await,
                before,
                "byte {} was flipped",
                used[at]
            );
        }
        restore(&disk, saved.path());
    }
}

#[tokio::test]
async fn the_first_damaged_record_is_named() {
    let (disk, _) = filled(Disk::new()).await;
    let path = disk.path("log").join(last_segment(&disk));
    tamper(&path, 12, |record| {
        let at = record.len() - 5;
        record[at] ^= 1;
    });
    let report = disk.verify();
    let first = &report.findings[0];
    assert_eq!(first.position, Some(Position(12)));
    // Each commit of `small` writes three records; the twelfth is the lamp's fourth.
    let lamp = super::super::contract::lamp(1);
    assert_eq!(first.record, Some((lamp, Version(4))), "{first}");
    assert!(first.path.starts_with(disk.path("log")), "{first}");
    assert_eq!(report.records, 11);

    let journal = disk.open();
    let error = journal.get_at(lamp, Version(4)).await.expect_err("damaged");
    assert!(
        matches!(error, Error::Corrupt { stream, version, .. } if stream == lamp && version.0 == 4)
    );
    let error = journal.read(lamp, Version(2)).await.expect_err("damaged");
    assert!(error.to_string().contains("version 4"), "{error}");
    assert!(journal.read(lamp, Version(4)).await.is_ok());
}

#[tokio::test]
async fn a_record_that_was_taken_out_is_named() {
    let (disk, _) = filled(Disk::new()).await;
    let path = disk.path("log").join(last_segment(&disk));
    remove(&path, 13);
    let report = disk.verify();
    let first = &report.findings[0];
    assert_eq!(first.position, Some(Position(13)), "{first}");
    assert_eq!(first.record, Some((run(1), Version(5))), "{first}");
    let journal = disk.open();
    let error = journal
        .read(run(1), Version::NONE)
        .await
        .expect_err("damaged");
    assert!(
        matches!(error, Error::Corrupt { stream, version, .. } if stream == run(1) && version.0 == 5)
    );
}

#[tokio::test]
async fn an_open_segment_that_cannot_be_opened_is_named_with_the_remedy() {
    let (disk, _) = small().await;
    let path = disk.path("log").join(last_segment(&disk));
    fs::write(path.join("conf"), b"not what sled wrote").expect("writes");
    for entry in fs::read_dir(&path).expect("lists") {
        let file = entry.expect("lists").path();
        if file.to_string_lossy().contains("snap.") {
            fs::remove_file(file).expect("removes");
        }
    }
    fs::write(path.join("db"), vec![0xff; 600_000]).expect("writes");
    match disk.try_open() {
        Err(error) => {
            let text = error.to_string();
            assert!(text.contains(&*path.to_string_lossy()), "{text}");
            assert!(
                text.contains("restore") || text.contains("backup"),
                "{text}"
            );
        }
        Ok(_) => panic!("a log that is gone is not taken for an empty one"),
    }
    assert!(!disk.verify().is_sound());
}

#[tokio::test]
async fn a_running_journal_is_verified_too() {
    let disk = Disk::with_small_segments();
    let journal = disk.open();
    fill(&journal).await;
    let report: Report = journal.verify(&[]).expect("the disk can be read");
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!(report.records, journal.last().0);
    let writing = tokio::spawn(write_on(journal));
    let journal = writing.await.expect("no panic");
    assert!(journal.verify(&[]).expect("reads").is_sound());
}

async fn write_on(journal: SledJournal) -> SledJournal {
    let (journal, verifying) = {
        let journal = std::sync::Arc::new(journal);
        let other = std::sync::Arc::clone(&journal);
        let verifying = tokio::task::spawn_blocking(move || other.verify(&[]).expect("reads"));
        (journal, verifying)
    };
    for version in 40..80 {
        let writes = vec![append(run(1), version, "more")];
        commit(&journal, Durability::Relaxed, writes)
            .await
            .expect("is allowed");
    }
    let report = verifying.await.expect("no panic");
    assert!(report.is_sound(), "{:?}", report.findings);
    std::sync::Arc::into_inner(journal).expect("nobody else has it")
}

fn restore(disk: &Disk, saved: &Path) {
    for name in ["log", "state"] {
        fs::remove_dir_all(disk.path(name)).expect("removes");
        copy(&saved.join(name), &disk.path(name));
    }
    fs::copy(saved.join("checkpoints"), disk.path("checkpoints")).expect("copies");
    for entry in fs::read_dir(disk.path("")).expect("lists") {
        let path = entry.expect("lists").path();
        let name = path.to_string_lossy();
        if name.contains(".broken-") {
            fs::remove_dir_all(path).expect("removes");
        } else if name.ends_with("state.rebuild") {
            fs::remove_file(path).expect("removes");
        }
    }
}

fn last_segment(disk: &Disk) -> PathBuf {
    let entries = fs::read_dir(disk.path("log")).expect("lists");
    let directories = entries.map(|entry| entry.expect("lists").path());
    let names = directories.filter(|path| path.is_dir());
    let last = names.max().expect("there is one");
    PathBuf::from(last.file_name().expect("it has a name"))
}

fn wait_until_exported(disk: &Disk) {
    let gone = || !disk.path("log/000000000001").exists();
    for _ in 0..400 {
        if gone() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(25));
    }
    panic!("the segment was not exported in ten seconds");
}

/// Changes a record below our feet, the way somebody with a sled of their own could.
fn tamper(segment: &Path, position: u64, change: impl FnOnce(&mut Vec<u8>)) {
    let db = sled::open(segment).expect("opens");
    let key = [&position.to_be_bytes()[..], &1_u16.to_be_bytes()].concat();
    let mut value = db.get(&key).expect("reads").expect("it is there").to_vec();
    change(&mut value);
    db.insert(key, value).expect("writes");
    db.flush().expect("flushes");
}

fn remove(segment: &Path, position: u64) {
    let db = sled::open(segment).expect("opens");
    let key = [&position.to_be_bytes()[..], &1_u16.to_be_bytes()].concat();
    db.remove(key).expect("writes").expect("it was there");
    db.flush().expect("flushes");
}
