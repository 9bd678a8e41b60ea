//! What waking an execution costs: reading its records and folding them, in memory and on disk,
//! beside parsing the same records as JSON.

use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use gatelog::clock::Clock;
use gatelog::flow::Execution;
use gatelog::journal::keys::{Keyring, RootKey};
use gatelog::journal::memory::MemoryJournal;
use gatelog::journal::sled::{Options, SledJournal};
use gatelog::journal::{Commit, Durability, Journal, KeyId, StreamId, Version, Write};
use gatelog::replay;
use gatelog::stage::handle;
use gatelog::world::Record;
use gatelog::world::record::{KIND, SCHEMA};
use uuid::Uuid;

use super::shelf::{Shelf, furnish, input, nanoseconds, steps};

/// How many records the executions have: a login, and two of somebody who guesses.
const LENGTHS: [usize; 3] = [4, 50, 500];

/// Measures and prints the table.
pub(crate) fn run() {
    let clock = Clock::system();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let mut out = std::io::stdout();
    let mut say = |line: String| writeln!(out, "{line}").expect("the terminal takes it");
    say("| journal | records | ns/op | parsing them, ns | ratio |".into());
    say("|---|---|---|---|---|".into());
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let directory = tempfile::tempdir_in(directory).expect("a directory on the disk");
    let memory = MemoryJournal::new(clock.clone());
    let journals: [(&str, Arc<dyn Journal>); 2] = [
        ("memory", Arc::new(memory)),
        ("sled", Arc::new(on_disk(directory.path(), &clock))),
    ];
    let login = runtime.block_on(login(&clock));
    for (name, journal) in journals {
        for (records, id) in LENGTHS.into_iter().zip(1..) {
            let bodies = bodies(&login, records);
            let stream = StreamId::new(KIND, Uuid::from_u128(id));
            runtime.block_on(fill(journal.as_ref(), stream, &bodies, &clock));
            let took = nanoseconds(&clock, || {
                let entries = replay::entries(journal.as_ref(), stream.id);
                let entries = runtime.block_on(entries).expect("the records");
                black_box(replay::fold(&entries));
            });
            let parsed = nanoseconds(&clock, || {
                for body in &bodies {
                    let record: Record = serde_json::from_slice(body).expect("a record");
                    black_box(record);
                }
            });
            let ratio = took / parsed;
            say(format!(
                "| {name} | {records} | {took:.0} | {parsed:.0} | {ratio:.2} |"
            ));
        }
    }
}

fn on_disk(directory: &Path, clock: &Clock) -> SledJournal {
    let root = RootKey::load_or_create(&directory.join("secret.key"), clock).expect("a root key");
    let keys = Keyring::open(&directory.join("keys"), root, clock).expect("keys");
    let options = Options::new(directory);
    SledJournal::open(&options, Arc::new(keys), clock.clone()).expect("a journal")
}

/// The records of a login with one wrong password.
async fn login(clock: &Clock) -> Vec<Record> {
    let (journal, flow) = furnish(clock).await;
    let now = clock.now();
    let world = Shelf::new(journal, now);
    let mut state = Execution::default();
    let mut records = Vec::new();
    for (_, request, typed) in steps(flow) {
        let mut input = input(now, request);
        let handled = handle(state, &input, typed.as_ref(), &world).await;
        let handled = handled.expect("a step of a login");
        state = handled.state;
        input.body = handled.body;
        if !handled.events.is_empty() {
            records.push(Record {
                input,
                observations: Vec::new(),
                events: handled.events,
            });
        }
    }
    records
}

/// A login in so many records: the wrong password is typed as often as it takes.
fn bodies(login: &[Record], records: usize) -> Vec<Vec<u8>> {
    let (first, rest) = login.split_at(2);
    let wrong = std::iter::repeat_n(&rest[0], records - login.len());
    first
        .iter()
        .chain(wrong)
        .chain(rest)
        .map(|record| serde_json::to_vec(record).expect("JSON"))
        .collect()
}

async fn fill(journal: &dyn Journal, stream: StreamId, bodies: &[Vec<u8>], clock: &Clock) {
    let key = KeyId(stream.id);
    for (body, version) in bodies.iter().zip(0..) {
        let made = (version == 0).then_some(Write::CreateKey {
            id: key,
            under: KeyId::SYSTEM,
        });
        let append = Write::Append {
            stream,
            expected: Version(version),
            key,
            schema: SCHEMA,
            body: body.clone(),
        };
        let commit = Commit {
            writes: made.into_iter().chain([append]).collect(),
            durability: Durability::Relaxed,
            fence: None,
            at: clock.now(),
            correlation: Uuid::nil(),
        };
        journal.commit(commit).await.expect("a commit");
    }
}
