//! Bodies go, frames stay.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use gatelog::journal::sled::SledJournal;
use gatelog::journal::{Durability, Journal, Kind, StreamId, Version, Write};
use jiff::Timestamp;

use super::super::contract::{LAMP, RUN, append, delete, lamp, put, run};
use super::recovery::{answers, commit};
use super::{Disk, close};

async fn remove(journal: &Arc<SledJournal>, kind: Kind, before: Timestamp) -> u64 {
    let journal = Arc::clone(journal);
    let goes =
        move |stream: StreamId, at| stream.kind == kind && at < before && stream != run(7);
    let removed = tokio::task::spawn_blocking(move || journal.forget(RUN, goes)).await;
    removed.expect("no panic").expect("the disk can be written").bodies
}

#[tokio::test]
async fn old_bodies_go_and_everything_else_stays() {
    let disk = Disk::with_small_segments();
    let journal = Arc::new(disk.open());
    for version in 0..12 {
        let writes = vec![
            append(run(1), version, &"a step ".repeat(2_000)),
            append(run(7), version, "needed"),
            put(lamp(1), version, &format!("lamp {version}"), "hall"),
            Write::Add {
                counter: b"hits".to_vec(),
                delta: 1,
                min: 0,
                max: 100,
                expires: None,
            },
        ];
        commit(&journal, Durability::Durable, writes)
            .await
            .expect("is allowed");
    }
    let ended = vec![put(lamp(2), 0, "ended", "hall"), delete(lamp(2), 1)];
    commit(&journal, Durability::Durable, ended)
        .await
        .expect("is allowed");
    wait_for_exports(&disk);
    let head = journal.head(run(1)).await.expect("reads");

    let later = Timestamp::from_second(2_000_000_000).expect("in range");
    assert_eq!(remove(&journal, RUN, Timestamp::UNIX_EPOCH).await, 0);
    assert_eq!(remove(&journal, RUN, later).await, 12);
    assert_eq!(
        remove(&journal, LAMP, later).await,
        12,
        "all revisions but the current one"
    );
    assert_eq!(remove(&journal, Kind::new("counter"), later).await, 0);
    assert_eq!(
        remove(&journal, RUN, later).await,
        0,
        "they are gone already"
    );

    let records = journal.read(run(1), Version::NONE).await.expect("reads");
    assert!(records.len() == 12 && records.iter().all(|record| record.body.is_none()));
    assert_eq!(journal.head(run(1)).await.expect("reads"), head);
    let kept = journal.read(run(7), Version::NONE).await.expect("reads");
    assert!(kept.iter().all(|record| record.body.is_some()));
    let current = journal
        .get(lamp(1))
        .await
        .expect("reads")
        .expect("is there");
    assert_eq!(current.body, b"lamp 11 in hall");
    assert_eq!(
        journal.get_at(lamp(1), Version(3)).await.expect("reads"),
        None
    );

    let before = answers(&journal).await;
    close(Arc::into_inner(journal).expect("nobody else has it"));
    assert!(disk.verify().is_sound(), "{:?}", disk.verify().findings);
    fs::remove_dir_all(disk.path("state")).expect("removes");
    let journal = disk.open();
    assert_eq!(answers(&journal).await, before);
    assert_eq!(
        journal
            .counter(b"hits", Timestamp::UNIX_EPOCH)
            .await
            .expect("reads"),
        12
    );
    close(journal);
    assert!(disk.verify().is_sound(), "{:?}", disk.verify().findings);
}

pub(super) fn wait_for_exports(disk: &Disk) {
    for _ in 0..400 {
        let names = fs::read_dir(disk.path("log")).expect("lists");
        let names: Vec<_> = names.map(|entry| entry.expect("lists").path()).collect();
        let directories = names.iter().filter(|path| path.is_dir()).count();
        let exports = names
            .iter()
            .filter(|path| path.to_string_lossy().ends_with(".export.gz"));
        if exports.count() + 1 == directories {
            return;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    panic!("the segments were not exported in ten seconds");
}
