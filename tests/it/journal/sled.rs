//! The journal on disk keeps the contract, and what only a disk can break.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gatelog::clock::Clock;
use gatelog::journal::evidence::Checkpoint;
use gatelog::journal::keys::{Keyring, RootKey};
use gatelog::journal::sled::{Options, Report, SledJournal, verify};
use jiff::Timestamp;
use tempfile::TempDir;

use super::contract::{Subject, contract, signed};

mod damage;
mod durability;
mod evidence;
mod golden;
mod kill;
pub(crate) mod recovery;
mod retention;
mod segments;

fn subject() -> Subject {
    let disk = Disk::new();
    let journal = Arc::new(disk.open());
    let verified = Arc::clone(&journal);
    let clock = disk.clock.clone();
    Subject::new(journal, clock, move || {
        let report = verified.verify(&[]).expect("the disk can be read");
        assert!(report.is_sound(), "{:?}", report.findings);
        drop(disk);
    })
}

contract!(subject);

#[tokio::test]
async fn what_no_checkpoint_covers_is_counted() {
    let disk = Disk::new();
    let journal = Arc::new(disk.open());
    let subject = Subject::new(Arc::clone(&journal) as _, disk.clock.clone(), || ());
    let root = async |size| {
        let root = journal.root_at(size).expect("the disk can be read");
        root.expect("there are so many")
    };
    let verify = async |held: Vec<Checkpoint>| {
        let report = journal.verify(&held).expect("the disk can be read");
        let counts = (report.records, report.signed, report.after_signed);
        (counts, report.findings.len())
    };
    signed::what_no_checkpoint_covers_is_counted(subject, root, verify).await;
}

/// A data directory that is removed when the test ends.
struct Disk {
    directory: TempDir,
    clock: Clock,
    options: Options,
}

impl Disk {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut options = Options::new(directory.path());
        options.cache_capacity = 4 << 20;
        Self {
            directory,
            clock: Clock::fixed(Timestamp::UNIX_EPOCH),
            options,
        }
    }

    /// A disk whose segments hold ten records each.
    fn with_small_segments() -> Self {
        let mut disk = Self::new();
        disk.options.segment_records = 10;
        disk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn keyring(&self) -> Arc<Keyring> {
        keyring(self.directory.path(), &self.clock)
    }

    fn try_open(&self) -> Result<SledJournal, gatelog::journal::Error> {
        SledJournal::open(&self.options, self.keyring(), self.clock.clone())
    }

    fn open(&self) -> SledJournal {
        self.try_open().expect("the journal opens")
    }

    fn verify(&self) -> Report {
        verify(&self.options, &[]).expect("the disk can be read")
    }
}

fn keyring(directory: &Path, clock: &Clock) -> Arc<Keyring> {
    let root = RootKey::load_or_create(&directory.join("secret.key"), clock);
    let root = root.expect("the root key can be made");
    let keys = Keyring::open(&directory.join("keys"), root, clock);
    Arc::new(keys.expect("the keys can be opened"))
}

/// Closes the journal and lets go of its files.
fn close(journal: SledJournal) {
    journal.close().expect("closes");
    drop(journal);
}

/// This test binary, also when a build has replaced its file meanwhile.
fn this_binary() -> PathBuf {
    let running = PathBuf::from(format!("/proc/{}/exe", std::process::id()));
    if running.exists() {
        return running;
    }
    std::env::current_exe().expect("this test has a file")
}
