//! The journal in PostgreSQL keeps the contract, and what only several nodes can break.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use gatelog::clock::Clock;
use gatelog::journal::Error;
use gatelog::journal::evidence::Checkpoint;
use gatelog::journal::keys::RootKey;
use gatelog::journal::postgres::{Options, PostgresJournal};
use jiff::Timestamp;
use tempfile::TempDir;

use super::contract::{Subject, contract, signed};
use crate::support::database;

mod failures;
mod newer;
mod nodes;
mod spans;

/// `None` where there is no PostgreSQL.
fn subject() -> Option<Subject> {
    let database = Database::new()?;
    let clock = database.clock.clone();
    let journal = Arc::new(now(database.open()).expect("the journal opens"));
    let verified = Arc::clone(&journal);
    Some(Subject::new(journal, clock, move || {
        let report = now(async move { verified.verify(&[]).await });
        let report = report.expect("the database can be read");
        assert!(report.is_sound(), "{:?}", report.findings);
        drop(database);
    }))
}

contract!(optional subject);

#[tokio::test]
async fn what_no_checkpoint_covers_is_counted() {
    let Some(database) = Database::new() else {
        return;
    };
    let journal = Arc::new(database.open().await.expect("the journal opens"));
    let subject = Subject::new(Arc::clone(&journal) as _, database.clock.clone(), || ());
    let root = async |size| {
        let root = journal.root_at(size).await;
        let root = root.expect("the database can be read");
        root.expect("there are so many")
    };
    let verify = async |held: Vec<Checkpoint>| {
        let report = journal.verify(&held).await;
        let report = report.expect("the database can be read");
        let counts = (report.records, report.signed, report.after_signed);
        (counts, report.findings.len())
    };
    signed::what_no_checkpoint_covers_is_counted(subject, root, verify).await;
}

/// An empty database, and the root key that all nodes have.
struct Database {
    directory: TempDir,
    address: String,
    clock: Clock,
}

impl Database {
    fn new() -> Option<Self> {
        Some(Self {
            directory: tempfile::tempdir().expect("a temporary directory"),
            address: database::server()?.address(),
            clock: Clock::fixed(Timestamp::UNIX_EPOCH),
        })
    }

    fn root(&self) -> PathBuf {
        self.directory.path().join("secret.key")
    }

    /// Another node of the same journal, at the same moment.
    fn open(&self) -> impl Future<Output = Result<PostgresJournal, Error>> + Send + 'static {
        let options = Options {
            connections: 4,
            ..Options::new(self.address.clone().into())
        };
        let (root, clock) = (self.root(), self.clock.clone());
        async move {
            let key = clock.clone();
            let root = move |_| RootKey::load_or_create(&root, &key);
            PostgresJournal::open(&options, root, clock).await
        }
    }
}

/// Waits for something where nothing can be waited for.
fn now<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    std::thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime can be made")
            .block_on(work)
    })
    .join()
    .expect("it does not panic")
}
