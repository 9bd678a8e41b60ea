//! What a step costs whose commit comes too late, because another node has written to the same stream: it is
//! refused, the stream is read again, and what was decided anew is committed. Beside it a step that is alone.
//!
//! Two journals of this process on one database, each with connections of its own, as two nodes have them. What
//! a step decides takes a tenth of a millisecond, and is left out.

use std::path::Path;
use std::time::Duration;

use gatelog::clock::Clock;
use gatelog::journal::keys::RootKey;
use gatelog::journal::postgres::{Options, PostgresJournal};
use gatelog::journal::{Durability, Error, Journal as _, Kind, StreamId, Version};
use uuid::Uuid;

use super::database::Database;
use crate::commit::{append, percentiles};
use crate::served::say;

/// The size of what is appended, about that of a step.
const EVENT: usize = 1_500;

/// Measures and prints the table.
pub(super) fn run(database: &Database, time: Duration, clock: &Clock) {
    let keys = tempfile::tempdir().expect("a directory");
    let address = database.address("race");
    let key = keys.path().join("secret.key");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let (mut alone, mut late) = runtime.block_on(async {
        let one = open(&address, &key, clock).await;
        let other = open(&address, &key, clock).await;
        measured(&one, &other, time, clock).await
    });
    say("| a step's commit | p50 ms | p99 ms |");
    say("|---|---|---|");
    let (alone, late) = (percentiles(&mut alone), percentiles(&mut late));
    for (name, [p50, p99]) in [("alone", alone), ("refused, read again, committed", late)] {
        say(&format!("| {name} | {p50:.2} | {p99:.2} |"));
    }
    say(&format!(
        "A lost race costs {:.1} times as much.",
        late[0] / alone[0]
    ));
}

async fn open(address: &str, key: &Path, clock: &Clock) -> PostgresJournal {
    let options = Options::new(address.to_owned().into());
    let (key, of) = (key.to_owned(), clock.clone());
    let root = move |_| RootKey::load_or_create(&key, &of);
    let opened = PostgresJournal::open(&options, root, clock.clone()).await;
    opened.unwrap_or_else(|error| panic!("{error}"))
}

/// How long steps took that were alone, and those that came too late, by turns.
async fn measured(
    one: &PostgresJournal,
    other: &PostgresJournal,
    time: Duration,
    clock: &Clock,
) -> (Vec<Duration>, Vec<Duration>) {
    let (mut alone, mut late) = (Vec::new(), Vec::new());
    let begun = clock.monotonic();
    let mut number = 0;
    let append = |stream, expected| append(stream, expected, EVENT, Durability::Durable, clock);
    while clock.monotonic().duration_since(begun) < time {
        let stream = StreamId::new(Kind::new("execution"), Uuid::from_u128(number));
        number += 1;
        let begun = clock.monotonic();
        let commit = append(stream, Version::NONE);
        one.commit(commit).await.expect("nobody else writes");
        alone.push(clock.monotonic().duration_since(begun));

        let commit = append(stream, Version(1));
        other.commit(commit).await.expect("it is the first one");
        let begun = clock.monotonic();
        let refused = one.commit(append(stream, Version(1))).await;
        assert!(
            matches!(refused, Err(Error::Conflict { .. })),
            "{refused:?}"
        );
        let news = one.read(stream, Version(1)).await.expect("it can be read");
        let last = news.last().expect("there is something").version;
        let commit = append(stream, last);
        one.commit(commit).await.expect("nobody else writes");
        late.push(clock.monotonic().duration_since(begun));
    }
    (alone, late)
}
