//! Many segments read like one.

use std::fs;
use std::path::Path;
use std::time::Duration;

use gatelog::journal::sled::export;

use super::recovery::{answers, copy, fill};
use super::{Disk, close};

/// The archive works beside the writer; it is waited for.
fn exports(log: &Path, enough: impl Fn(usize, usize) -> bool) -> usize {
    for _ in 0..400 {
        let names = fs::read_dir(log).expect("lists").map(|entry| {
            let name = entry.expect("lists").file_name();
            name.to_string_lossy().into_owned()
        });
        let (exports, others): (Vec<_>, Vec<_>) =
            names.partition(|name| name.ends_with(".export.gz"));
        if enough(exports.len(), others.len()) {
            return exports.len();
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    panic!("the segments were not exported in ten seconds");
}

#[tokio::test]
async fn rolling_over_segments_keeps_every_answer() {
    let small = Disk::with_small_segments();
    let large = Disk::new();
    let journal = small.open();
    fill(&journal).await;
    let many = answers(&journal).await;
    close(journal);
    let journal = large.open();
    fill(&journal).await;
    let one = answers(&journal).await;
    // Keys differ, so hashes do; what was written is the same.
    assert_eq!(many.bodies(), one.bodies());
    assert!(fs::read_dir(small.path("log")).expect("lists").count() > 8);
    let journal = small.open();
    assert_eq!(answers(&journal).await, many);
    exports(&small.path("log"), |exports, others| exports + 1 == others);
    assert_eq!(answers(&journal).await, many, "read from the exports");
    close(journal);
    let report = small.verify();
    assert!(report.is_sound(), "{:?}", report.findings);
    assert!(report.checkpoints > 0 && report.records > 100);
}

#[tokio::test]
async fn exported_segments_may_go_and_are_read_from_their_exports() {
    let mut disk = Disk::with_small_segments();
    disk.options.remove_exported = true;
    let journal = disk.open();
    fill(&journal).await;
    exports(&disk.path("log"), |exports, others| {
        exports > 8 && others == 1
    });
    let before = answers(&journal).await;
    close(journal);
    fs::remove_dir_all(disk.path("state")).expect("removes");
    let journal = disk.open();
    assert_eq!(answers(&journal).await, before);
    close(journal);
    assert!(disk.verify().is_sound(), "{:?}", disk.verify().findings);
}

#[tokio::test]
async fn a_closed_segment_that_sled_cannot_open_is_read_from_its_export() {
    let disk = Disk::with_small_segments();
    let journal = disk.open();
    fill(&journal).await;
    exports(&disk.path("log"), |exports, others| {
        exports > 8 && exports + 1 == others
    });
    let before = answers(&journal).await;
    close(journal);
    fs::write(disk.path("log/000000000001/db"), b"rubbish").expect("writes");
    fs::write(disk.path("log/000000000001/conf"), b"rubbish").expect("writes");
    let journal = disk.open();
    assert_eq!(answers(&journal).await, before);
    close(journal);
    let report = disk.verify();
    assert!(!report.is_sound(), "the damage is told all the same");
}

#[tokio::test]
async fn one_export_is_the_whole_journal() {
    let disk = Disk::with_small_segments();
    let journal = disk.open();
    fill(&journal).await;
    let before = answers(&journal).await;
    let mut running = Vec::new();
    journal.export(&mut running).expect("exports");
    close(journal);
    let mut closed = Vec::new();
    export(&disk.options, &mut closed).expect("exports");
    let other = Disk::new();
    for file in [running, closed] {
        let _ = fs::remove_dir_all(other.path("log"));
        let _ = fs::remove_dir_all(other.path("state"));
        let _ = fs::remove_file(other.path("checkpoints"));
        fs::create_dir_all(other.path("log")).expect("creates");
        fs::write(other.path("log/000000000001.export.gz"), file).expect("writes");
        copy(&disk.path("keys"), &other.path("keys"));
        fs::copy(disk.path("secret.key"), other.path("secret.key")).expect("copies");
        let journal = other.open();
        assert_eq!(answers(&journal).await, before);
        close(journal);
        assert!(other.verify().is_sound(), "{:?}", other.verify().findings);
    }
}
