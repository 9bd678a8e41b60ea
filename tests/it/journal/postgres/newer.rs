//! What newer versions do to a database, and what this one makes of it.

use gatelog::journal::{Error, Journal, Position, Version, Write};

use super::super::contract::{append, run};
use super::Database;
use super::failures::{commit, sql};

/// The error says what was found, what is known, and what to do.
#[track_caller]
fn is_newer(error: &Error, sort: &str, number: u32) {
    assert!(
        matches!(error, Error::Newer { found, .. } if *found == number),
        "{error:?}"
    );
    let said = error.to_string();
    for part in [
        format!("has {sort} {number}"),
        format!("knows {sort}s up to "),
        "install the version that wrote it".to_owned(),
    ] {
        assert!(said.contains(&part), "no {part:?} in {said:?}");
    }
}

#[tokio::test]
async fn a_database_that_a_newer_version_keeps_for_itself_is_refused_and_its_past_can_be_read() {
    let Some(database) = Database::new() else {
        return;
    };
    let journal = database.open().await.expect("the journal opens");
    let written = journal.commit(commit(&database, vec![append(run(1), 0, "x")]));
    written.await.expect("it is allowed");
    sql(&database, "UPDATE journal SET schema = 99, needs = 99");
    let refused = database.open().await.expect_err("it is refused");
    is_newer(&refused, "schema", 99);
    // The node that runs already stops writing as well.
    for _ in 0..2 {
        let refused = journal.commit(commit(&database, vec![append(run(1), 1, "x")]));
        is_newer(&refused.await.expect_err("it is refused"), "schema", 99);
    }
    let lease = journal
        .lease("duties", std::time::Duration::from_secs(9))
        .await;
    is_newer(
        &lease.expect_err("it does nothing for others"),
        "schema",
        99,
    );
    let read = journal.read(run(1), Version::NONE).await;
    assert_eq!(read.expect("it is as it was").len(), 1);
    let (head, _) = journal.head(run(1)).await.expect("it is as it was");
    assert_eq!(head, Version(1));
}

#[tokio::test]
async fn beside_a_newer_version_that_only_adds_a_node_goes_on() {
    let Some(database) = Database::new() else {
        return;
    };
    let journal = database.open().await.expect("the journal opens");
    sql(
        &database,
        "UPDATE journal SET schema = 99; CREATE TABLE of_the_future (it integer);
         ALTER TABLE lease ADD COLUMN of_the_future integer;
         ALTER TABLE journal ADD COLUMN of_the_future integer",
    );
    let written = journal.commit(commit(&database, vec![append(run(1), 0, "x")]));
    assert_eq!(written.await.expect("it is allowed"), Position(1));
    let again = database.open().await.expect("one that is started too");
    let written = again.commit(commit(&database, vec![append(run(1), 1, "x")]));
    assert_eq!(written.await.expect("it is allowed"), Position(2));
    assert_eq!(sql(&database, "SELECT schema FROM journal"), "99");
}

#[tokio::test]
async fn the_tables_of_the_first_version_are_brought_up_to_date() {
    let Some(database) = Database::new() else {
        return;
    };
    let journal = database.open().await.expect("the journal opens");
    let written = journal.commit(commit(&database, vec![append(run(1), 0, "x")]));
    written.await.expect("it is allowed");
    drop(journal);
    sql(
        &database,
        "DROP TABLE span; ALTER TABLE journal DROP COLUMN needs; UPDATE journal SET schema = 1",
    );
    let (one, other) = tokio::join!(database.open(), database.open());
    for (version, node) in [one, other].into_iter().enumerate() {
        let node = node.expect("the journal opens");
        let writes = vec![append(run(1), version as u64 + 1, "x")];
        let written = node.commit(commit(&database, writes)).await;
        written.expect("it is allowed");
        let report = node.verify(&[]).await.expect("it can be read");
        assert!(report.is_sound(), "{:?}", report.findings);
    }
    assert_eq!(sql(&database, "SELECT schema, needs FROM journal"), "2|1");
}

#[tokio::test]
async fn a_record_of_a_newer_format_is_refused_by_its_number_and_hides_no_other() {
    let Some(database) = Database::new() else {
        return;
    };
    let journal = database.open().await.expect("the journal opens");
    let writes = vec![append(run(1), 0, "x"), append(run(2), 0, "y")];
    let written = journal.commit(commit(&database, writes)).await;
    written.expect("it is allowed");
    sql(
        &database,
        "UPDATE record SET record = set_byte(record, 0, 99) WHERE position = 1",
    );
    let refused = journal.read(run(1), Version::NONE).await;
    is_newer(&refused.expect_err("it is refused"), "format", 99);
    let other = journal.read(run(2), Version::NONE).await;
    assert_eq!(other.expect("it is as it was").len(), 1);
    let next = futures_util::StreamExt::next(&mut journal.follow(Position(0))).await;
    is_newer(
        &next
            .expect("there is one")
            .expect_err("it is not passed over"),
        "format",
        99,
    );
    let report = journal.verify(&[]).await.expect("it can be read");
    let findings = report.findings.join("; ");
    assert!(
        findings.contains("position 1: it has format 99"),
        "{findings}"
    );
}

#[tokio::test]
async fn a_body_of_a_newer_schema_is_refused_by_its_number_and_hides_no_other() {
    let Some(database) = Database::new() else {
        return;
    };
    let journal = database.open().await.expect("the journal opens");
    let mut newer = append(run(1), 0, "x");
    if let Write::Append { schema, .. } = &mut newer {
        *schema = 7;
    }
    let writes = vec![newer, append(run(2), 0, "y")];
    let written = journal.commit(commit(&database, writes)).await;
    written.expect("it is allowed");
    let refused = journal.read(run(1), Version::NONE).await;
    is_newer(&refused.expect_err("it is refused"), "schema", 7);
    let other = journal.read(run(2), Version::NONE).await;
    assert_eq!(other.expect("it is as it was").len(), 1);
    let report = journal.verify(&[]).await.expect("it can be read");
    assert!(
        report.is_sound(),
        "nothing is wrong with it: {:?}",
        report.findings
    );
}
