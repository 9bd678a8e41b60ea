//! What recorded logins would come to under another policy.
//!
//! As many are recorded as are asked for, over HTTP and on the real disk, by a server in this process
//! without a hash. Then the journal is opened by itself, and all of them are run under a policy that
//! lets nobody be logged in whose name does not end with a seven. Beside it, as the limit: running
//! them again as they were.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gatelog::catalog::{FlowStageBinding, Policy, PolicyBinding, Stage, bindings_of, flow_by_slug};
use gatelog::clock::Clock;
use gatelog::journal::object::{get, put};
use gatelog::journal::{Journal, Version, Write};
use gatelog::replay::what_if::{self, Changes, Range};
use gatelog::replay::{self, Judged};
use gatelog::world::record::KIND;
use uuid::Uuid;

use crate::replay::{open, workers};
use crate::served::{disk, in_background, log_in_often, resident, say, start};

/// How often each user logs in: a login looks at the user's other sessions, and this many is what
/// somebody with a few browsers has.
pub(crate) const EACH: usize = 10;

/// How many of them at the same time.
const VISITORS: usize = 16;

/// How many executions are handed over at once, as the command does.
const PAGE: usize = 100;

/// Measures and prints the table.
pub(crate) fn run() {
    let is_long = std::env::args().any(|it| it == "--long");
    let logins = if is_long { 100_000 } else { 2_000 };
    let clock = Clock::system();
    let directory = tempfile::tempdir_in(disk()).expect("a directory on the disk");
    let path = directory.path().to_owned();
    let users = logins / EACH;
    let (address, stop) = in_background(move || start(path, false, users));
    log_in_often(logins, users, VISITORS, address);
    stop();

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let journal: Arc<dyn Journal> = Arc::new(open(directory.path(), &clock));
    let (workers, threads) = workers(&clock);
    let streams = runtime.block_on(journal.streams(KIND, None, usize::MAX));
    let ids: Vec<Uuid> = streams.expect("streams").iter().map(|it| it.id).collect();
    say("| what | logins | s | logins/s | memory more than before, MB |");
    say("|---|---|---|---|---|");
    let row = |what: &str, work: &mut dyn FnMut()| {
        let before = resident();
        let most = Watch::memory();
        let began = clock.monotonic();
        work();
        let took = (clock.monotonic() - began).as_secs_f64();
        let more = most.ends().saturating_sub(before) >> 20;
        #[expect(clippy::cast_precision_loss, reason = "nobody logs in so often")]
        let speed = ids.len() as f64 / took;
        say(&format!(
            "| {what} | {} | {took:.1} | {speed:.0} | {more} |",
            ids.len()
        ));
    };
    row("run again as they were", &mut || {
        for page in ids.chunks(PAGE) {
            let judged = replay::verify_all(&journal, Some(&workers), page, threads);
            let judged = runtime.block_on(judged).expect("threads");
            let is_same = |it: &Judged| matches!(it, Judged::Same { .. });
            assert!(judged.iter().all(is_same));
        }
    });
    let writes = runtime.block_on(only_sevens(&*journal, &clock));
    let changes = Changes::new(writes, clock.now());
    let supposition = what_if::suppose(Arc::clone(&journal), changes, Some(workers.clone()));
    let range = Range {
        limit: usize::MAX,
        ..Range::default()
    };
    row("under another policy", &mut || {
        let table = what_if::many(&supposition, range.clone(), threads);
        let table = runtime.block_on(table).expect("a table");
        assert!(table.changed > 0 && table.unknown == 0, "{table:#?}");
    });
}

/// A policy at the stage that logs in.
async fn only_sevens(journal: &dyn Journal, clock: &Clock) -> Vec<Write> {
    let flow = flow_by_slug(journal, "default-authentication-flow").await;
    let flow = flow.expect("the journal").expect("the default flow");
    let mut found = None;
    for binding in bindings_of(journal, flow.value.pk).await.expect("bindings") {
        let binding: FlowStageBinding = binding.value;
        let stage = get::<Stage>(journal, binding.stage)
            .await
            .expect("the journal");
        if stage.is_some_and(|it| it.value.kind == "user_login") {
            found = Some(binding);
        }
    }
    let expression = "return request.user.username.endswith('7')";
    let settings = [("expression".to_owned(), expression.into())];
    let policy = Policy::new(
        clock,
        "expression",
        "only sevens",
        settings.into_iter().collect(),
    );
    let target = found.expect("a stage that logs in").pbm;
    let mut condition = PolicyBinding::new(clock, target, 0);
    condition.policy = Some(policy.pk);
    vec![put(&policy, Version::NONE), put(&condition, Version::NONE)]
}

/// Looks at this process's memory ten times a second.
struct Watch {
    most: Arc<AtomicU64>,
}

impl Watch {
    fn memory() -> Self {
        let most = Arc::new(AtomicU64::new(resident()));
        let watched = Arc::downgrade(&most);
        std::thread::spawn(move || {
            while let Some(most) = watched.upgrade() {
                most.fetch_max(resident(), Ordering::Relaxed);
                drop(most);
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        Self { most }
    }

    /// The most that there was, in bytes.
    fn ends(self) -> u64 {
        self.most.load(Ordering::Relaxed)
    }
}
