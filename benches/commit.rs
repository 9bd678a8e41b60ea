//! Durable commits per second, beside as many bare writes with `fdatasync` on the same disk.
//!
//! A commit appends one event of 200 bytes to a stream of its writer. A bare write appends the
//! same bytes to one file; with several writers, as many writes as there are writers share one
//! sync, which is the most that any group commit can do.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gatelog::clock::Clock;
use gatelog::journal::evidence::tree::{Edge, leaf};
use gatelog::journal::frame::{FORMAT, Frame, Operation, Payload};
use gatelog::journal::keys::{Keyring, RootKey};
use gatelog::journal::sled::{Options, SledJournal};
use gatelog::journal::{Commit, Durability, Hash, Journal, KeyId, Kind, StreamId, Version, Write};
use uuid::Uuid;

/// How long each figure is measured.
const TIME: Duration = Duration::from_secs(3);

/// The size of an event in bytes.
const EVENT: usize = 200;

/// How many events are hashed to measure that.
const HASHED: u32 = 1_000_000;

/// Measures and prints the table.
pub(crate) fn run() {
    let clock = Clock::system();
    let mut out = std::io::stdout();
    let mut say = |line: String| writeln!(out, "{line}").expect("the terminal takes it");
    say("| writers | durable commits/s | p50 ms | p99 ms | relaxed commits/s | bare writes/s, one sync per round | ratio | bare writes/s, one sync each | ratio |".into());
    say("|---|---|---|---|---|---|---|---|---|".into());
    for writers in [1, 32, 256] {
        let directory = tempfile::tempdir_in(disk()).expect("a directory on the disk");
        let (bare, _) = bare(directory.path(), writers, &clock);
        let (single, _) = self::bare(directory.path(), 1, &clock);
        let durable = commits(directory.path(), writers, Durability::Durable, &clock);
        let relaxed = commits(directory.path(), writers, Durability::Relaxed, &clock);
        say(format!(
            "| {writers} | {:.0} | {:.2} | {:.2} | {:.0} | {bare:.0} | {:.2} | {single:.0} | {:.2} |",
            durable.per_second,
            durable.p50,
            durable.p99,
            relaxed.per_second,
            durable.per_second / bare,
            durable.per_second / single,
        ));
    }
    say(String::new());
    say("| hashing, for each event | µs |".into());
    say("|---|---|".into());
    for (name, took) in hashing(&clock) {
        say(format!("| {name} | {:.2} |", took * 1e6));
    }
}

/// What is hashed for each event, as seconds: the frame and the body, and their place in the tree
/// over the whole log. The edge of the tree is written once for each batch.
fn hashing(clock: &Clock) -> [(&'static str, f64); 3] {
    let payload = Payload {
        sealed: vec![b'x'; EVENT + 40],
        ..Payload::default()
    };
    let mut frame = Frame {
        format: FORMAT,
        operation: Operation::Append,
        stream: StreamId::new(Kind::new("execution"), Uuid::nil()),
        version: Version::NONE,
        at: clock.now(),
        schema: 1,
        correlation: Uuid::nil(),
        key: KeyId::SYSTEM,
        previous: Hash::default(),
        body_hash: Hash::default(),
    };
    let chain = each(clock, || {
        frame.version = frame.version.next();
        frame.body_hash = payload.hash(frame.format);
        frame.previous = frame.hash();
    });
    let mut edge = Edge::default();
    let grows = each(clock, || {
        edge.push(leaf(frame.previous), |tile| {
            std::hint::black_box(tile);
        });
    });
    let written = each(clock, || {
        std::hint::black_box(edge.to_bytes());
    });
    [
        ("the body, the frame and the chain", chain),
        ("the tree", grows),
        ("the edge of a tree of a million, for each batch", written),
    ]
}

/// How many seconds it takes each time.
fn each(clock: &Clock, mut work: impl FnMut()) -> f64 {
    let start = clock.monotonic();
    (0..HASHED).for_each(|_| work());
    clock.monotonic().duration_since(start).as_secs_f64() / f64::from(HASHED)
}

/// The temporary directory of the system is often in memory, where a sync costs nothing.
fn disk() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

pub(crate) struct Figures {
    pub(crate) per_second: f64,
    /// Milliseconds from the call to the answer, for half of the commits.
    pub(crate) p50: f64,
    /// The same, for 99 of 100.
    pub(crate) p99: f64,
}

/// Commits of one event each, by so many writers at once.
pub(crate) fn commits(
    directory: &Path,
    writers: u128,
    durability: Durability,
    clock: &Clock,
) -> Figures {
    let directory = directory.join(format!("{durability:?}"));
    std::fs::create_dir_all(&directory).expect("a directory");
    let root = RootKey::load_or_create(&directory.join("secret.key"), clock).expect("a root key");
    let keys = Keyring::open(&directory.join("keys"), root, clock).expect("keys");
    let options = Options::new(&directory);
    let journal = SledJournal::open(&options, Arc::new(keys), clock.clone()).expect("a journal");
    let journal = Arc::new(journal);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let start = clock.monotonic();
    let mut took = runtime.block_on(async {
        let writers: Vec<_> = (0..writers)
            .map(|id| {
                let (journal, clock) = (Arc::clone(&journal), clock.clone());
                tokio::spawn(async move {
                    let stream = StreamId::new(Kind::new("execution"), Uuid::from_u128(id));
                    let mut version = Version::NONE;
                    let mut took = Vec::new();
                    while clock.monotonic().duration_since(start) < TIME {
                        let before = clock.monotonic();
                        let commit = append(stream, version, EVENT, durability, &clock);
                        journal.commit(commit).await.expect("a commit");
                        took.push(clock.monotonic().duration_since(before));
                        version = version.next();
                    }
                    took
                })
            })
            .collect();
        let mut all = Vec::new();
        for writer in writers {
            all.extend(writer.await.expect("no panic"));
        }
        all
    });
    let seconds = clock.monotonic().duration_since(start).as_secs_f64();
    let [p50, p99] = percentiles(&mut took);
    Figures {
        per_second: count(took.len() as u64) / seconds,
        p50,
        p99,
    }
}

/// What half of them took at most and what 99 of 100 did, in milliseconds.
pub(crate) fn percentiles(took: &mut [Duration]) -> [f64; 2] {
    took.sort_unstable();
    [50, 99].map(|part| took[(took.len() - 1) * part / 100].as_secs_f64() * 1e3)
}

/// A commit of one event of so many bytes.
pub(crate) fn append(
    stream: StreamId,
    expected: Version,
    bytes: usize,
    durability: Durability,
    clock: &Clock,
) -> Commit {
    Commit {
        writes: vec![Write::Append {
            stream,
            expected,
            key: KeyId::SYSTEM,
            schema: 1,
            body: vec![b'x'; bytes],
        }],
        durability,
        fence: None,
        at: clock.now(),
        correlation: Uuid::nil(),
    }
}

/// Rounds of `writers` writes and one `fdatasync`: writes for each second, and how long each round
/// took, in order.
pub(crate) fn bare(directory: &Path, writers: u128, clock: &Clock) -> (f64, Vec<Duration>) {
    let path = directory.join("bare");
    let mut file = File::create(&path).expect("a file");
    let mut written = 0;
    let mut rounds = Vec::new();
    let event = vec![b'x'; EVENT];
    let start = clock.monotonic();
    while clock.monotonic().duration_since(start) < TIME {
        let begun = clock.monotonic();
        for _ in 0..writers {
            file.write_all(&event).expect("the disk takes it");
            written += 1;
        }
        file.sync_data().expect("the disk takes it");
        rounds.push(clock.monotonic().duration_since(begun));
    }
    let seconds = clock.monotonic().duration_since(start).as_secs_f64();
    rounds.sort_unstable();
    (count(written) / seconds, rounds)
}

fn count(number: u64) -> f64 {
    f64::from(u32::try_from(number).expect("fewer than four thousand million"))
}
