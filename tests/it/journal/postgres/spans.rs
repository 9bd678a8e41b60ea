//! The table of what nodes remember together for a while.

use std::time::Duration;

use futures_util::future::join_all;
use gatelog::journal::postgres::PostgresJournal;
use gatelog::journal::{Journal, Key, Spans};

use super::failures::sql;
use super::{Database, now};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

fn spans(node: &PostgresJournal) -> &dyn Spans {
    node.spans().expect("nodes share it")
}

fn key(value: &str) -> Key {
    Key::new("tries", value)
}

async fn extends(node: &PostgresJournal, value: &str, at_once: u32) -> Result<(), Duration> {
    let extended = spans(node).extend(&key(value), HOUR, HOUR * at_once).await;
    extended.expect("the database answers")
}

async fn left(node: &PostgresJournal, values: &[&str]) -> Vec<Duration> {
    let keys: Vec<Key> = values.iter().map(|value| key(value)).collect();
    let left = spans(node).left(&keys).await;
    left.expect("the database answers")
}

/// The database's clock goes on, but not far.
fn is_about(left: Duration, expected: Duration) -> bool {
    left <= expected && left + MINUTE * 5 > expected
}

#[tokio::test]
async fn a_span_is_made_longer_on_any_node_until_no_more_fits() {
    let Some(database) = Database::new() else {
        return;
    };
    let (one, other) = tokio::join!(database.open(), database.open());
    let (one, other) = (one.expect("it opens"), other.expect("it opens"));
    assert_eq!(left(&one, &["ann"]).await, [Duration::ZERO]);
    for node in [&one, &other, &one] {
        assert_eq!(extends(node, "ann", 3).await, Ok(()));
    }
    for node in [&one, &other] {
        let refused = extends(node, "ann", 3).await;
        let wait = refused.expect_err("three is all that fits");
        assert!(is_about(wait, HOUR), "{wait:?}");
        let left = left(node, &["bob", "ann"]).await;
        assert_eq!(left[0], Duration::ZERO);
        assert!(is_about(left[1], HOUR * 3), "{left:?}");
    }
    assert_eq!(extends(&other, "bob", 1).await, Ok(()));
}

#[tokio::test]
async fn of_many_at_once_as_many_get_it_as_fit() {
    let Some(database) = Database::new() else {
        return;
    };
    let (one, other) = tokio::join!(database.open(), database.open());
    let nodes = [one.expect("it opens"), other.expect("it opens")];
    for at_once in [1, 7] {
        let name = format!("of {at_once}");
        let all = (0..40).map(|number| extends(&nodes[number % 2], &name, at_once));
        let got = join_all(all).await.into_iter().flatten().count();
        assert_eq!(got, at_once as usize);
    }
}

#[tokio::test]
async fn what_is_added_counts_whether_or_not_there_is_room() {
    let Some(database) = Database::new() else {
        return;
    };
    let (one, other) = tokio::join!(database.open(), database.open());
    let (one, other) = (one.expect("it opens"), other.expect("it opens"));
    let add = async |node: &PostgresJournal, spans: &[(Key, Duration)]| {
        let added = self::spans(node).add(spans).await;
        added.expect("the database answers")
    };
    assert!(add(&one, &[]).await.is_empty());
    let first = add(&one, &[(key("a"), HOUR), (key("b"), HOUR * 2)]).await;
    assert!(is_about(first[0], HOUR) && is_about(first[1], HOUR * 2));
    let second = add(&other, &[(key("b"), HOUR), (key("a"), HOUR * 5)]).await;
    assert!(is_about(second[0], HOUR * 3) && is_about(second[1], HOUR * 6));
    // Each names the same keys in another order: they do not wait for each other for ever.
    let (one, other) = (&one, &other);
    let rounds = (0..20).map(|round| async move {
        let (a, b) = ((key("a"), MINUTE), (key("b"), MINUTE));
        let (node, spans) = if round % 2 == 0 {
            (one, [a, b])
        } else {
            (other, [b, a])
        };
        self::spans(node).add(&spans).await.expect("it is added")
    });
    join_all(rounds).await;
    let after = left(one, &["a", "b"]).await;
    assert!(is_about(after[0], HOUR * 6 + MINUTE * 20), "{after:?}");
    assert!(is_about(after[1], HOUR * 3 + MINUTE * 20), "{after:?}");
}

#[tokio::test]
async fn a_mark_lasts_as_long_as_its_longest_and_what_is_over_is_swept() {
    let Some(database) = Database::new() else {
        return;
    };
    let node = database.open().await.expect("it opens");
    for lasts in [HOUR * 2, HOUR] {
        let marked = spans(&node).at_least(&key("ann"), lasts).await;
        marked.expect("the database answers");
    }
    let there = left(&node, &["ann"]).await;
    assert!(is_about(there[0], HOUR * 2), "{there:?}");
    let marked = spans(&node).at_least(&key("bob"), HOUR).await;
    marked.expect("the database answers");
    // An hour goes by.
    sql(&database, "UPDATE span SET ends = ends - interval '1 hour'");
    assert_eq!(left(&node, &["bob"]).await, [Duration::ZERO]);
    assert_eq!(spans(&node).sweep().await.expect("it is swept"), 1);
    let there = left(&node, &["ann", "bob"]).await;
    assert!(is_about(there[0], HOUR) && there[1].is_zero(), "{there:?}");
    assert_eq!(spans(&node).sweep().await.expect("it is swept"), 0);
}

#[tokio::test]
async fn nothing_of_what_is_counted_lies_in_the_table_and_nothing_of_it_is_a_record() {
    let Some(database) = Database::new() else {
        return;
    };
    let node = database.open().await.expect("it opens");
    assert_eq!(extends(&node, "ann@example.org", 3).await, Ok(()));
    let row = sql(&database, "SELECT encode(lookup, 'escape') FROM span");
    assert!(!row.contains("ann"), "{row}");
    assert_eq!(sql(&database, "SELECT length(lookup) FROM span"), "32");
    let persistence = "SELECT relpersistence FROM pg_class WHERE oid = 'span'::regclass";
    assert_eq!(
        sql(&database, persistence),
        "u",
        "it is not in the log that is archived"
    );
    assert_eq!(sql(&database, "SELECT position FROM journal"), "0");
}

#[test]
fn when_the_database_cannot_be_asked_nobody_gets_anything() {
    let Some(database) = Database::new() else {
        return;
    };
    let node = now(database.open()).expect("it opens");
    sql(&database, "ALTER TABLE span RENAME TO elsewhere");
    let refused = now(async move { spans(&node).extend(&key("ann"), HOUR, HOUR).await.is_err() });
    assert!(refused);
}
