//! Durable means that `fdatasync` has returned for the file that holds the bytes.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use gatelog::journal::{Durability, Error, KeyId, Write};
use uuid::Uuid;

use super::super::contract::{append, append_under, run};
use super::recovery::commit;
use super::{Disk, this_binary};

/// In a process that is traced: where the data directory of the traced journal is.
const TRACED: &str = "GATELOG_TEST_TRACED";

#[tokio::test]
async fn a_durable_commit_is_answered_after_the_file_was_synced_and_a_relaxed_one_before() {
    let mut disk = Disk::new();
    let synced: Arc<Mutex<Vec<PathBuf>>> = Arc::default();
    let hook = Arc::clone(&synced);
    disk.options.on_sync = Some(Arc::new(move |path: &Path| {
        hook.lock().expect("no panic").push(path.to_path_buf());
    }));
    let journal = disk.open();
    let taken = || std::mem::take(&mut *synced.lock().expect("no panic"));
    taken();
    let relaxed = vec![append(run(1), 0, "a glance")];
    commit(&journal, Durability::Relaxed, relaxed)
        .await
        .expect("is allowed");
    assert_eq!(taken(), [] as [PathBuf; 0]);
    let durable = vec![append(run(1), 1, "a step")];
    commit(&journal, Durability::Durable, durable)
        .await
        .expect("is allowed");
    assert_eq!(taken(), [disk.path("log/000000000001/db")]);
    let large = vec![append(run(1), 2, &"large ".repeat(500_000))];
    commit(&journal, Durability::Durable, large)
        .await
        .expect("is allowed");
    assert_eq!(
        taken(),
        [disk.path("log/000000000001/db")],
        "all bytes of a large body lie in the same file"
    );
    let key = KeyId(Uuid::from_u128(5));
    let made = vec![
        Write::CreateKey {
            id: key,
            under: KeyId::SYSTEM,
        },
        append_under(key, run(2), 0, "its own"),
    ];
    commit(&journal, Durability::Relaxed, made)
        .await
        .expect("is allowed");
    let destroyed = vec![Write::DestroyKey { id: key }];
    commit(&journal, Durability::Relaxed, destroyed)
        .await
        .expect("is allowed");
    assert_eq!(
        taken().len(),
        1,
        "a key is destroyed durably whatever was asked"
    );
}

#[test]
fn a_durable_commit_calls_fdatasync_on_the_log_before_it_is_answered() {
    if Command::new("strace").arg("-V").output().is_err() {
        assert!(
            std::env::var_os("GATELOG_REQUIRE_ALL").is_none(),
            "install strace to run this test"
        );
        let _ = writeln!(std::io::stderr(), "skipped: strace is not installed");
        return;
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    let trace = directory.path().join("trace");
    let status = Command::new("strace")
        .args(["-f", "-y", "-qq", "-e", "trace=fdatasync,write", "-o"])
        .arg(&trace)
        .arg(this_binary())
        .args([
            "--exact",
            "journal::sled::durability::in_a_traced_process",
            "--nocapture",
        ])
        .env(TRACED, directory.path())
        .output()
        .expect("strace runs");
    assert!(status.status.success(), "{status:?}");
    let trace = fs::read_to_string(trace).expect("there is a trace");
    let mut commits = 0;
    let mut synced = false;
    for line in trace.lines() {
        let returned = line.contains("fdatasync(") || line.contains("fdatasync resumed");
        synced |= returned
            && !line.contains("unfinished")
            && line.ends_with("= 0")
            && (line.contains("/log/000000000001/db") || line.contains("resumed"));
        if line.contains("asked for ") {
            synced = false;
        }
        if line.contains("answered ") {
            assert!(synced, "an answer before its fdatasync:\n{trace}");
            commits += 1;
        }
    }
    assert_eq!(commits, 5, "{trace}");
    let log = trace.lines().filter(|line| line.contains("fdatasync("));
    let log = log
        .filter(|line| line.contains("/log/000000000001/db"))
        .count();
    assert!(log >= 5, "{log} syncs of the log:\n{trace}");
}

/// Does nothing unless the test above runs it.
#[tokio::test]
async fn in_a_traced_process() {
    let Some(directory) = std::env::var_os(TRACED) else {
        return;
    };
    let mut disk = Disk::new();
    disk.options.directory = PathBuf::from(directory);
    let journal = disk.open();
    for version in 0..5 {
        fs::write("/dev/null", format!("asked for {version}\n")).expect("writes");
        let writes = vec![append(run(1), version, "a step")];
        commit(&journal, Durability::Durable, writes)
            .await
            .expect("is allowed");
        fs::write("/dev/null", format!("answered {version}\n")).expect("writes");
    }
}

#[tokio::test]
async fn a_key_that_one_commit_destroys_is_gone_for_the_next_in_the_queue() {
    let disk = Disk::new();
    let journal = disk.open();
    for round in 0..20 {
        let (above, key) = (Uuid::from_u128(100 + round), Uuid::from_u128(200 + round));
        let (above, key) = (KeyId(above), KeyId(key));
        let new_key = |id, under| Write::CreateKey { id, under };
        let writes = vec![new_key(above, KeyId::SYSTEM), new_key(key, above)];
        let ready = commit(&journal, Durability::Durable, writes).await;
        ready.expect("is allowed");
        let destroyed = vec![Write::DestroyKey { id: above }];
        let late = vec![append_under(
            key,
            run(round),
            0,
            "nobody could ever read this",
        )];
        let (destroyed, late) = tokio::join!(
            commit(&journal, Durability::Relaxed, destroyed),
            commit(&journal, Durability::Durable, late),
        );
        destroyed.expect("is allowed");
        assert!(
            matches!(late, Err(Error::NoKey(id)) if id == key.0),
            "{late:?}"
        );
    }
}
