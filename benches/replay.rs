//! Recorded logins read back: folded, and run again through the code that recorded them.
//!
//! The server records them in this process, on a journal on the real disk, with the policies of the
//! default login and without a hash. Then the journal is opened by itself. Beside it, as the limit:
//! reading the records alone.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gatelog::clock::Clock;
use gatelog::expression::{Options as Processes, Workers};
use gatelog::journal::keys::{Keyring, RootKey};
use gatelog::journal::sled::{Options, SledJournal};
use gatelog::journal::{Journal, StreamId, Version};
use gatelog::replay::{self, Judged};
use gatelog::world::record::KIND;
use uuid::Uuid;

use crate::served::{disk, in_background, log_in_often, resident, say, start};
use crate::what_if::EACH;

/// How many logins are recorded.
const LOGINS: usize = 2_000;

/// How many visitors log in at the same time.
const VISITORS: usize = 8;

/// How many executions are handed over at once, as the command does.
const PAGE: usize = 100;

/// How long each figure is measured at most.
const TIME: Duration = Duration::from_secs(10);

/// Measures and prints the table.
pub(crate) fn run() {
    let clock = Clock::system();
    let directory = tempfile::tempdir_in(disk()).expect("a directory on the disk");
    let path = directory.path().to_owned();
    let users = LOGINS / EACH;
    let (address, stop) = in_background(move || start(path, false, users));
    log_in_often(LOGINS, users, VISITORS, address);
    stop();

    let before = resident();
    let journal: Arc<dyn Journal> = Arc::new(open(directory.path(), &clock));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let (workers, jobs) = workers(&clock);
    let streams = runtime.block_on(journal.streams(KIND, None, usize::MAX));
    let ids: Vec<Uuid> = streams.expect("streams").iter().map(|it| it.id).collect();
    say(&format!(
        "{} recorded logins; {jobs} processes for expressions",
        ids.len()
    ));
    say("| what | threads | logins/s | memory more than before, MB |");
    say("|---|---|---|---|");
    let row = |what: &str, threads: usize, work: &dyn Fn(&[Uuid])| {
        let began = clock.monotonic();
        let mut done = 0_u32;
        let mut most = 0;
        for page in ids.chunks(PAGE).cycle() {
            work(page);
            done += u32::try_from(page.len()).expect("a page is small");
            most = most.max(resident());
            if clock.monotonic() - began > TIME {
                break;
            }
        }
        let took = (clock.monotonic() - began).as_secs_f64();
        let more = most.saturating_sub(before) >> 20;
        let speed = f64::from(done) / took;
        say(&format!("| {what} | {threads} | {speed:.0} | {more} |"));
    };
    row("read", 1, &|page| {
        for id in page {
            let read = journal.read(StreamId::new(KIND, *id), Version::NONE);
            black_box(runtime.block_on(read).expect("records"));
        }
    });
    row("folded", 1, &|page| {
        for id in page {
            let entries = runtime.block_on(replay::entries(journal.as_ref(), *id));
            black_box(replay::fold(&entries.expect("records")));
        }
    });
    for threads in [1, jobs] {
        row("run again", threads, &|page| {
            let judged = replay::verify_all(&journal, Some(&workers), page, threads);
            let judged = runtime.block_on(judged).expect("threads");
            let is_same = |it: &Judged| matches!(it, Judged::Same { .. });
            let other = judged.iter().find(|it| !is_same(it));
            assert!(other.is_none(), "{other:?}");
        });
    }
}

/// Processes that run expressions, one for each core.
pub(crate) fn workers(clock: &Clock) -> (Workers, usize) {
    let mut processes = Processes::of_program("/proc/self/exe");
    let jobs = std::thread::available_parallelism().map_or(1, Into::into);
    processes.workers = jobs;
    let workers = Workers::start(processes, clock.clone()).expect("processes");
    (workers, jobs)
}

pub(crate) fn open(directory: &Path, clock: &Clock) -> SledJournal {
    let root = RootKey::load_or_create(&directory.join("secret.key"), clock).expect("a root key");
    let keys = Keyring::open(&directory.join("keys"), root, clock).expect("keys");
    let options = Options::new(directory);
    SledJournal::open(&options, Arc::new(keys), clock.clone()).expect("a journal")
}
