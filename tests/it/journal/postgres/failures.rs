//! Lost connections, other databases and altered rows.

use std::time::Duration;

use gatelog::journal::keys::RootKey;
use gatelog::journal::postgres::{Options, PostgresJournal};
use gatelog::journal::{Commit, Durability, Error, Journal, Position, Version, Write};
use uuid::Uuid;

use super::super::contract::{append, run};
use super::Database;
use crate::support::database;

pub(super) fn commit(database: &Database, writes: Vec<Write>) -> Commit {
    Commit {
        writes,
        durability: Durability::Durable,
        fence: None,
        at: database.clock.now(),
        correlation: Uuid::from_u128(7),
    }
}

/// Runs statements in the schema of a database.
pub(super) fn sql(database: &Database, statements: &str) -> String {
    let server = database::server().expect("it runs");
    server.sql_at(&database.address, statements)
}

/// Ends all sessions that work in this database, in the middle of whatever they do.
fn cut(database: &Database) {
    let server = database::server().expect("it runs");
    server.cut(&database.address);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_end_while_it_writes_lose_nothing_and_write_nothing_twice() {
    const COMMITS: u64 = 300;
    let Some(database) = Database::new() else {
        return;
    };
    let journal = database.open().await.expect("the journal opens");
    let (stop, mut stopped) = tokio::sync::watch::channel(false);
    let cutting = async {
        while tokio::time::timeout(Duration::from_millis(30), stopped.changed())
            .await
            .is_err()
        {
            tokio::task::block_in_place(|| cut(&database));
        }
    };
    let writing = async {
        for version in 0..COMMITS {
            let body = format!("{version}");
            let writes = vec![append(run(1), version, &body)];
            let done = journal.commit(commit(&database, writes)).await;
            assert_eq!(
                done.expect("it is written in the end"),
                Position(version + 1)
            );
        }
        stop.send(true).expect("it is still cutting");
    };
    tokio::join!(cutting, writing);
    let read = journal.read(run(1), Version::NONE).await;
    let read = read.expect("the journal can be read");
    let bodies: Vec<_> = read.into_iter().filter_map(|it| it.body).collect();
    let expected: Vec<_> = (0..COMMITS).map(|it| it.to_string().into_bytes()).collect();
    assert_eq!(bodies, expected);
}

#[tokio::test]
async fn a_batch_whose_commit_was_not_answered_is_found_again() {
    let Some(database) = Database::new() else {
        return;
    };
    let journal = database.open().await.expect("the journal opens");
    // The session is ended by its own commit, after the server has it: as if the network broke.
    sql(
        &database,
        "CREATE SEQUENCE broken;
         CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('broken') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
            RETURN NULL;
         END $$;
         CREATE CONSTRAINT TRIGGER break AFTER INSERT ON record
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION break();",
    );
    let done = journal
        .commit(commit(&database, vec![append(run(1), 0, "x")]))
        .await;
    assert_eq!(done.expect("it is written in the end"), Position(1));
    let (head, _) = journal.head(run(1)).await.expect("the journal can be read");
    assert_eq!(head, Version(1), "it was written once");
    assert_eq!(sql(&database, "SELECT last_value FROM broken"), "2");
}

#[tokio::test]
async fn a_database_that_went_back_is_not_written_to() {
    let Some(database) = Database::new() else {
        return;
    };
    let journal = database.open().await.expect("the journal opens");
    for version in 0..3 {
        let writes = vec![append(run(1), version, "x")];
        let done = journal.commit(commit(&database, writes)).await;
        done.expect("it is allowed");
    }
    sql(
        &database,
        "DELETE FROM record WHERE position = 3; UPDATE journal SET position = 2",
    );
    for _ in 0..2 {
        let refused = journal
            .commit(commit(&database, vec![append(run(1), 2, "x")]))
            .await;
        assert!(
            matches!(&refused, Err(Error::Unavailable(why)) if why.contains("this node has seen 3")),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn an_altered_row_is_found() {
    let Some(database) = Database::new() else {
        return;
    };
    let journal = database.open().await.expect("the journal opens");
    for version in 0..3 {
        let writes = vec![append(run(1), version, "x")];
        let done = journal.commit(commit(&database, writes)).await;
        done.expect("it is allowed");
    }
    let findings = async || {
        let report = journal.verify(&[]).await.expect("the database can be read");
        report.findings.join("; ")
    };
    assert_eq!(findings().await, "");
    sql(
        &database,
        "UPDATE record SET version = 9 WHERE position = 2",
    );
    assert!(
        findings().await.contains("position 2"),
        "{}",
        findings().await
    );
    let read = journal.read(run(1), Version::NONE).await;
    assert!(matches!(read, Err(Error::Corrupt { .. })), "{read:?}");
    sql(&database, "DELETE FROM record WHERE position = 2");
    assert!(
        findings().await.contains("positions 2 to 2 are missing"),
        "{}",
        findings().await
    );
    let followed = futures_util::StreamExt::next(&mut journal.follow(Position(1))).await;
    assert!(
        matches!(followed, Some(Err(Error::Damaged { .. }))),
        "{followed:?}"
    );
}

#[tokio::test]
async fn another_root_key_does_not_open_it_and_none_is_made_where_there_are_keys() {
    let Some(database) = Database::new() else {
        return;
    };
    drop(database.open().await.expect("the journal opens"));
    let options = Options::new(database.address.clone().into());
    let clock = database.clock.clone();
    let other = RootKey::generate(&clock);
    let refused = PostgresJournal::open(&options, |_| Ok(other), clock.clone()).await;
    let Err(Error::Damaged { problem, .. }) = refused else {
        panic!("it is another key");
    };
    assert!(problem.contains("not the root key"), "{problem}");
    let refused = PostgresJournal::open(
        &options,
        |is_needed| {
            assert!(is_needed, "there are keys");
            Err(Error::NoKey(Uuid::nil()))
        },
        clock,
    );
    assert!(matches!(refused.await, Err(Error::NoKey(_))));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error_without_its_password() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let address = format!(
        "host={} user=gatelog password=sesame dbname=none",
        directory.path().display()
    );
    let clock = gatelog::clock::Clock::system();
    let root = RootKey::generate(&clock);
    let refused = PostgresJournal::open(&Options::new(address.into()), |_| Ok(root), clock).await;
    let Err(Error::Unavailable(why)) = refused else {
        panic!("nobody is there");
    };
    assert!(!why.contains("sesame"), "{why}");
}
