//! Bodies go, frames stay.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use gatelog::journal::sled::SledJournal;
use gatelog::journal::{Durability, Journal, KeyId, Kind, StreamId, Version, Write};
use jiff::Timestamp;
use uuid::Uuid;

use super::super::contract::{LAMP, RUN, append, append_under, delete, lamp, put, run};
use super::recovery::{answers, commit};
use super::{Disk, close};

async fn remove(journal: &Arc<SledJournal>, kind: Kind, before: Timestamp) -> u64 {
    let journal = Arc::clone(journal);
    let goes = move |stream: StreamId, at| stream.kind == kind && at < before && stream != run(7);
    let removed = tokio::task::spawn_blocking(move || journal.forget(RUN, goes)).await;
    removed
        .expect("no panic")
        .expect("the disk can be written")
        .bodies
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
    assert_eq!(*current.body, *b"lamp 11 in hall");
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

#[tokio::test]
async fn a_key_goes_with_the_last_body_that_lies_under_it() {
    let disk = Disk::with_small_segments();
    let journal = Arc::new(disk.open());
    let key = |number| KeyId(Uuid::from_u128(number));
    let make = |id| Write::CreateKey {
        id,
        under: KeyId::SYSTEM,
    };
    let Write::Put {
        stream,
        expected,
        schema,
        body,
        unique,
        index,
        ..
    } = put(lamp(1), 0, "still there", "hall")
    else {
        unreachable!("it is one");
    };
    let still_there = Write::Put {
        key: key(2),
        stream,
        expected,
        schema,
        body,
        unique,
        index,
    };
    let writes = vec![
        make(key(1)),
        make(key(2)),
        make(key(7)),
        append_under(key(1), run(1), 0, "over"),
        append_under(key(2), run(2), 0, "over, but a lamp lies under its key"),
        append_under(key(7), run(7), 0, "not over"),
        still_there,
    ];
    commit(&journal, Durability::Durable, writes)
        .await
        .expect("is allowed");
    let forget = async || {
        let forgetting = Arc::clone(&journal);
        let goes = |stream: StreamId, _| stream.kind == RUN && stream != run(7);
        let forgotten = tokio::task::spawn_blocking(move || forgetting.forget(RUN, goes)).await;
        forgotten
            .expect("no panic")
            .expect("the disk can be written")
    };
    let first = forget().await;
    assert_eq!((first.bodies, &first.keys[..]), (2, &[key(1)][..]));
    let again = forget().await;
    assert_eq!(
        (again.bodies, again.keys),
        (0, first.keys),
        "nobody destroyed it yet"
    );
    let destroyed = vec![Write::DestroyKey { id: key(1) }];
    commit(&journal, Durability::Durable, destroyed)
        .await
        .expect("is allowed");
    assert_eq!(forget().await.keys, []);
    close(Arc::into_inner(journal).expect("nobody else has it"));
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
