//! What a journal that grows costs: how fast logins are and how much memory they take when many are
//! recorded already, how much of the disk each takes, how long a server with many needs to start, and how
//! fast logins are there.
//!
//! The whole server in this process, on a real disk, without a password hash, which would hide the rest.
//! For the start, the journal is written here and not by a server: `--long` takes minutes, not hours.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use gatelog::catalog::flow_by_slug;
use gatelog::clock::Clock;
use gatelog::directory::Session;
use gatelog::execution::Unfinished;
use gatelog::flow::Entry;
use gatelog::journal::object::{delete, put};
use gatelog::journal::sled::SledJournal;
use gatelog::journal::{
    Commit, Durability, Journal as _, KeyId, Position, StreamId, Version, Write,
};
use gatelog::world::record::{KIND, SCHEMA};
use uuid::Uuid;

use crate::replay;
use crate::served::{disk, in_background, log_in_often, resident, say, start};

/// How many logins are recorded when it is measured, and with `--quick`.
const RECORDED: [usize; 3] = [1_000, 10_000, 100_000];
const FEW: [usize; 2] = [100, 500];

/// How many logins are timed at each of these points, and by how many visitors.
const TIMED: usize = 1_000;
const VISITORS: usize = 16;

/// How many users there are: each login looks at what is left of the user's earlier ones.
const USERS: usize = 2_000;

/// Executions that are open and those that are over when a server starts, and with `--long`.
const START: (u32, u32) = (1_000, 10_000);
const LONG_START: (u32, u32) = (100_000, 1_000_000);

/// How many commits are under way while the journal is written.
const AT_ONCE: u32 = 512;

/// Measures and prints the tables.
pub(crate) fn run() {
    let has = |flag: &str| std::env::args().any(|argument| argument == flag);
    let clock = Clock::system();
    if has("--quick") {
        grows(&FEW, &clock);
    } else {
        grows(&RECORDED, &clock);
    }
    let sizes = [Some(START), has("--long").then_some(LONG_START)];
    say(
        "| open executions | old ones | start s | memory MB | log MB | state MB | keys MB \
         | logins/s then | memory MB then |",
    );
    say("|---|---|---|---|---|---|---|---|---|");
    for (open, old) in sizes.into_iter().flatten() {
        starts(open, old, &clock);
    }
}

/// Logins, and what they take.
fn grows(marks: &[usize], clock: &Clock) {
    let directory = tempfile::tempdir_in(disk()).expect("a directory on the disk");
    let begin = || {
        let path = directory.path().to_owned();
        in_background(move || start(path, false, USERS))
    };
    // What it takes to make the users is no part of a login.
    let (_, stop) = begin();
    stop();
    let empty = Exported::of(directory.path(), clock);
    let (address, stop) = begin();
    let written = directory.path().join("log");
    say("| logins recorded | logins/s | memory MB | log, bytes for each login |");
    say("|---|---|---|---|");
    let (mut recorded, mut before) = (0, size(&written));
    for &mark in marks {
        let timed = TIMED.min(mark / 2);
        log_in_often(mark - timed - recorded, USERS, VISITORS, address);
        let speed = logins_a_second(timed, address, clock);
        let after = size(&written);
        let each = after.saturating_sub(before) / (mark - recorded) as u64;
        say(&format!(
            "| {mark} | {speed:.0} | {} | {each} |",
            resident() >> 20
        ));
        (recorded, before) = (mark, after);
    }
    stop();
    let all = Exported::of(directory.path(), clock);
    let closed = all.bytes.saturating_sub(empty.bytes) / recorded as u64;
    say(&format!(
        "In a closed segment: {closed} bytes for each login."
    ));
    parts(directory.path(), empty.last, recorded, clock);
}

/// How fast so many logins are.
fn logins_a_second(logins: usize, address: SocketAddr, clock: &Clock) -> f64 {
    let since = clock.monotonic();
    log_in_often(logins, USERS, VISITORS, address);
    let took = (clock.monotonic() - since).as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "they are few")]
    let speed = logins as f64 / took;
    speed
}

/// All of a log as an export, which is what a closed segment becomes.
struct Exported {
    bytes: u64,
    last: Position,
}

impl Exported {
    fn of(directory: &Path, clock: &Clock) -> Self {
        let journal = replay::open(directory, clock);
        let path = directory.join("whole.export.gz");
        journal
            .export(File::create(&path).expect("a file"))
            .expect("it is written");
        Self {
            bytes: path.metadata().expect("it is there").len(),
            last: journal.last(),
        }
    }
}

/// What a login consists of: the records after `first`.
fn parts(directory: &Path, first: Position, logins: usize, clock: &Clock) {
    let journal = replay::open(directory, clock);
    let mut kinds: BTreeMap<String, [usize; 3]> = BTreeMap::new();
    let mut position = 0;
    let shown = journal.frames(|frame, bytes, _| {
        position += 1;
        if position > first.0 {
            let of = kinds.entry(frame.stream.kind.to_string()).or_default();
            *of = [of[0] + 1, of[1] + bytes, of[2]];
        }
    });
    shown.expect("the log can be read");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let last = journal.last();
        let mut records = journal.follow(first);
        while let Some(Ok((position, record))) = records.next().await {
            let of = kinds.entry(record.stream.kind.to_string()).or_default();
            of[2] += record.body.map_or(0, |body| body.len());
            if position >= last {
                return;
            }
        }
    });
    say("| records of | in a login | their bodies, bytes | stored, bytes |");
    say("|---|---|---|---|");
    #[expect(clippy::cast_precision_loss, reason = "they are few")]
    let each = |count: usize| count as f64 / logins as f64;
    for (kind, [count, stored, bodies]) in kinds {
        let (count, bodies, stored) = (each(count), each(bodies), each(stored));
        say(&format!(
            "| {kind} | {count:.1} | {bodies:.0} | {stored:.0} |"
        ));
    }
}

/// Starts a server on a journal of so many executions, and logs in there.
fn starts(open: u32, old: u32, clock: &Clock) {
    let directory = tempfile::tempdir_in(disk()).expect("a directory on the disk");
    let begin = |users| {
        let path = directory.path().to_owned();
        in_background(move || start(path, false, users))
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let (_, stop) = begin(USERS);
    stop();
    runtime.block_on(write(directory.path(), open, old, clock));
    let before = resident();
    let more = || resident().saturating_sub(before) >> 20;
    let since = clock.monotonic();
    let (address, stop) = begin(0);
    let ready = runtime.block_on(reqwest::get(format!("http://{address}/-/health/ready/")));
    assert!(ready.expect("an answer").status().is_success());
    let took = (clock.monotonic() - since).as_secs_f64();
    let memory = more();
    let of = |name: &str| size(&directory.path().join(name)) >> 20;
    let (log, state, keys) = (of("log"), of("state"), of("keys"));
    // What is looked up for the first time is left out, as it is above.
    log_in_often(TIMED, USERS, VISITORS, address);
    let speed = logins_a_second(TIMED, address, clock);
    say(&format!(
        "| {open} | {old} | {took:.2} | {memory} | {log} | {state} | {keys} | {speed:.0} | {} |",
        more()
    ));
    stop();
}

/// Writes executions that are over, and then those that are open.
async fn write(directory: &Path, open: u32, old: u32, clock: &Clock) {
    let journal = Arc::new(replay::open(directory, clock));
    let flow = flow_by_slug(&*journal, "default-authentication-flow").await;
    let flow = flow.expect("readable").expect("it is a default").value.pk;
    for (count, is_over) in [(old, true), (open, false)] {
        for _ in 0..count.div_ceil(AT_ONCE) {
            let some = (0..AT_ONCE).map(|_| execution(&journal, flow, is_over, clock));
            join_all(some).await;
        }
    }
    journal.close().expect("it closes");
}

/// The records of one execution, of the usual size.
async fn execution(journal: &SledJournal, flow: Uuid, is_over: bool, clock: &Clock) {
    let id = clock.ordered_id();
    let (now, key) = (clock.now(), KeyId(id));
    let day = std::time::Duration::from_hours(24);
    let ip = std::net::Ipv4Addr::LOCALHOST.into();
    let session = Session::anonymous(clock, now, day, ip, "Mozilla/5.0 (X11; Linux x86_64)");
    let unfinished = Unfinished {
        execution: id,
        session: session.id,
        due: now + day,
        entries: vec![Entry::new(session.id, "default-authentication-flow", "")],
        recovers: None,
    };
    let append = |version| Write::Append {
        stream: StreamId::new(KIND, id),
        expected: Version(version),
        key,
        schema: SCHEMA,
        body: body(id, session.id, flow, clock).into_bytes(),
    };
    let under = KeyId::SYSTEM;
    let mut commits = vec![vec![
        Write::CreateKey { id: key, under },
        append(0),
        put(&session, Version::NONE),
        put(&unfinished, Version::NONE),
    ]];
    if is_over {
        commits.push(vec![append(1)]);
        let ends = delete::<Unfinished>(id, Version(1));
        commits.push(vec![
            append(2),
            ends,
            delete::<Session>(session.id, Version(1)),
        ]);
    }
    for writes in commits {
        let commit = Commit {
            writes,
            durability: Durability::Relaxed,
            fence: None,
            at: now,
            correlation: clock.opaque_id(),
        };
        journal.commit(commit).await.expect("a commit");
    }
}

/// A body of some two thousand bytes, which a server could read.
fn body(execution: Uuid, session: Uuid, flow: Uuid, clock: &Clock) -> String {
    let seen: Vec<_> = (0..16)
        .map(|_| serde_json::json!({"saw": "object", "kind": "stage", "id": clock.opaque_id(), "version": 1}))
        .collect();
    let client = serde_json::json!({"address": "127.0.0.1", "user_agent": "Mozilla/5.0", "host": "localhost", "secure": false, "language": null});
    serde_json::json!({
        "input": {"at": clock.now(), "client": client, "query": "",
            "request": {"kind": "begin", "execution": execution, "session": session, "flow": flow, "context": {}}},
        "observations": seen,
        "events": [{"event": "started", "execution": execution, "flow": {"id": flow, "version": 1},
            "slug": "default-authentication-flow", "session": session, "client": client, "query": ""}],
    })
    .to_string()
}

/// What the files of a directory take.
fn size(directory: &Path) -> u64 {
    let entries = std::fs::read_dir(directory).expect("it is there").flatten();
    let of = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => size(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    };
    entries.map(of).sum()
}
