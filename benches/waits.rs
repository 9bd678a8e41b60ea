//! Executions that wait for a mailed link: what they cost in memory and processor time, how long it
//! takes to wake one up, and how long a server that starts needs to take up all of them.
//!
//! The whole server in this process, on a real disk, without HTTP; no password is hashed. The clock
//! stands still until it is told otherwise, so that all links run out at the same moment.

use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use gatelog::app::{self, Running};
use gatelog::clock::Clock;
use gatelog::courier::outbox::Mail;
use gatelog::directory::password::Pool;
use gatelog::execution::{Executions, Presence, Request};
use gatelog::flow::client::Client;
use gatelog::journal::object::Stored as _;
use gatelog::settings::{MetricsListen, Settings};
use gatelog::traces::Parent;
use serde_json::json;
use uuid::Uuid;

use crate::planning::{TICKS, ticks};
use crate::served::{resident, say};

/// How many wait: few beside many, to show that one costs as much among many.
const WAITING: [u32; 2] = [1_000, 10_000];

/// How many wait with `--long`.
const MANY: u32 = 100_000;

/// How many visitors come at the same time.
const AT_ONCE: usize = 64;

/// How many sleeping executions are woken up one by one.
const WOKEN: usize = 500;

/// How long an execution stays in memory here.
const AWAKE: Duration = Duration::from_secs(2);

/// How long to wait at most until all of them sleep.
const PATIENCE: Duration = Duration::from_mins(30);

/// Measures and prints the table.
pub(crate) fn run() {
    let has = |flag: &str| std::env::args().any(|argument| argument == flag);
    say(
        "| waiting | made: processor µs each | bytes of memory each, asleep | awake \
         | looks at one that sleeps, p50 µs | p99 µs | at one that is awake, p50 µs \
         | start s | taking up all s | firing all s | start without `state/` s |",
    );
    say("|---|---|---|---|---|---|---|---|---|---|---|");
    for waiting in WAITING.into_iter().chain(has("--long").then_some(MANY)) {
        let waiting = if has("--quick") {
            waiting / 10
        } else {
            waiting
        };
        let system = actix_web::rt::System::new();
        cell(waiting);
        system.block_on(measure(waiting));
        say("|");
    }
}

/// Adds a figure to the line of the table, as soon as it is known: the next one may take minutes.
fn cell(figure: impl std::fmt::Display) {
    let mut out = std::io::stdout();
    let written = write!(out, "| {figure} ").and_then(|()| out.flush());
    written.expect("the terminal takes it");
}

fn seconds(begun: Instant, wall: &Clock) {
    cell(format_args!(
        "{:.2}",
        (wall.monotonic() - begun).as_secs_f64()
    ));
}

async fn measure(waiting: u32) {
    let clock = Clock::fixed("2026-01-01T00:00:00Z".parse().expect("a moment"));
    let wall = Clock::system();
    let own = [std::process::id()];
    let directory = tempfile::tempdir_in(crate::served::disk()).expect("a directory");
    let running = start(directory.path(), &clock).await;
    crate::existence::install(&running).await;
    let (memory, before) = (resident(), ticks(&own));
    let sessions = wait(running.executions(), &clock, waiting).await;
    // Their mails are still on their way, and what came of one wakes an execution up once more.
    let until = wall.monotonic() + PATIENCE;
    while has_mail(&running).await && wall.monotonic() < until {
        actix_web::rt::time::sleep(AWAKE / 2).await;
    }
    let made = (ticks(&own) - before) / TICKS * 1e6 / f64::from(waiting);
    let mut awake = usize::MAX;
    while awake > 0 && wall.monotonic() < until {
        actix_web::rt::time::sleep(AWAKE).await;
        awake = self::awake(running.executions(), &sessions).await;
    }
    let each = resident().saturating_sub(memory) / sessions.len() as u64;
    cell(format_args!("{made:.0}"));
    cell(each);
    cell(awake);

    let chosen: Vec<Uuid> = sessions
        .iter()
        .step_by((sessions.len() / WOKEN).max(1))
        .map(|it| it.1)
        .collect();
    let (half, most) = looks(running.executions(), &clock, &chosen, &wall).await;
    cell(format_args!("{half:.0} | {most:.0}"));
    let few = &chosen[..chosen.len().min(100)];
    let (half, _) = looks(running.executions(), &clock, few, &wall).await;
    cell(format_args!("{half:.0}"));
    running.stop().await.expect("it stops");

    let begun = wall.monotonic();
    let running = start(directory.path(), &clock).await;
    seconds(begun, &wall);
    let begun = wall.monotonic();
    running.executions().resume().await.expect("it resumes");
    seconds(begun, &wall);
    clock.advance(Duration::from_hours(1));
    let begun = wall.monotonic();
    running.executions().fire_due().await.expect("they fire");
    seconds(begun, &wall);
    running.stop().await.expect("it stops");

    std::fs::remove_dir_all(directory.path().join("state")).expect("the state is there");
    let begun = wall.monotonic();
    let running = start(directory.path(), &clock).await;
    seconds(begun, &wall);
    running.stop().await.expect("it stops");
}

async fn start(directory: &Path, clock: &Clock) -> Running {
    let mut settings = Settings::in_directory(directory);
    settings.listen = "127.0.0.1:0".parse().expect("an address");
    settings.web.public_url = Some("https://id.example".to_owned());
    settings.execution.passivate_after = AWAKE;
    settings.execution.max_unanswered = 1_000_000;
    settings.execution.max_unanswered_per_address = 1_000_000;
    settings.execution.at_once = 1_000_000;
    settings.metrics.listen = MetricsListen::Off;
    settings.execution.begun_per_second = 1_000_000;
    settings.execution.begun_at_once = 1_000_000;
    let pool = Pool::no_op(clock.clone());
    let running = app::run_with(settings, clock.clone(), pool).await;
    running.expect("it starts")
}

fn request(session: Option<Uuid>, clock: &Clock) -> Request {
    let client = Client {
        address: Ipv4Addr::LOCALHOST.into(),
        host: "id.example".to_owned(),
        ..Client::nobody()
    };
    Request {
        session,
        sid: None,
        slug: crate::existence::RECOVERY.to_owned(),
        query: String::new(),
        client,
        challenge: None,
        received: clock.monotonic(),
        correlation: clock.opaque_id(),
        trace: Parent::default(),
        presence: Presence::default(),
    }
}

/// Has so many visitors ask for a link; the executions and their sessions.
async fn wait(executions: &Executions, clock: &Clock, waiting: u32) -> Vec<(Uuid, Uuid)> {
    let asks = |number: u32| async move {
        let begun = executions.visit(request(None, clock)).await;
        let session = begun.expect("an answer").session;
        let answer = json!({ "uid_field": format!("nobody-{number}") });
        let answer = executions
            .answer(request(Some(session), clock), answer)
            .await;
        let answer = answer.expect("an answer");
        assert_eq!(
            answer.body["component"], "ak-stage-email",
            "{}",
            answer.body
        );
        let id = answer.challenge.expect("a challenge");
        let (execution, _) = id.split_once('-').expect("an execution and a number");
        (execution.parse().expect("an id"), session)
    };
    let all = futures_util::stream::iter((0..waiting).map(asks));
    all.buffer_unordered(AT_ONCE).collect().await
}

/// Whether a mail is still in the outbox.
async fn has_mail(running: &Running) -> bool {
    let found = running.journal().list(Mail::KIND, None, 1).await;
    !found.expect("it reads").is_empty()
}

/// How many of them are in memory.
async fn awake(executions: &Executions, all: &[(Uuid, Uuid)]) -> usize {
    let mut awake = 0;
    for (execution, _) in all {
        let snapshot = executions.snapshot(*execution).await.expect("an answer");
        awake += usize::from(snapshot.is_some());
    }
    awake
}

/// How long it takes to be shown where each of these stands, in microseconds: half of them at
/// most, and 99 of 100.
async fn looks(
    executions: &Executions,
    clock: &Clock,
    sessions: &[Uuid],
    wall: &Clock,
) -> (f64, f64) {
    let mut took = Vec::new();
    for session in sessions {
        let begun = wall.monotonic();
        let shown = executions.visit(request(Some(*session), clock)).await;
        took.push((wall.monotonic() - begun).as_secs_f64() * 1e6);
        assert_eq!(
            shown.expect("an answer").body["component"],
            "ak-stage-email"
        );
    }
    took.sort_by(f64::total_cmp);
    (took[took.len() / 2], took[took.len() * 99 / 100])
}
