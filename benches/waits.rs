//! Executions that wait for a mailed link: what they cost in memory, how long it takes to wake one
//! up, and how long a server that starts needs to take up all of them.
//!
//! The whole server in this process, on a real disk, without HTTP; no password is hashed. The clock
//! stands still until it is told otherwise, so that all links run out at the same moment.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt as _;
use gatelog::app::{self, Running};
use gatelog::clock::Clock;
use gatelog::directory::password::Pool;
use gatelog::execution::{Executions, Presence, Request};
use gatelog::flow::client::Client;
use gatelog::settings::Settings;
use serde_json::json;
use uuid::Uuid;

use crate::login::say;

/// How many wait.
const WAITING: [usize; 2] = [10_000, 100_000];

/// How many visitors come at the same time.
const AT_ONCE: usize = 64;

/// How many sleeping executions are woken up one by one.
const WOKEN: usize = 500;

/// How long an execution stays in memory here.
const AWAKE: Duration = Duration::from_secs(2);

/// Measures and prints the table.
pub(crate) fn run() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    say(
        "| waiting | bytes of memory each, asleep | awake | looks at one that sleeps, p50 µs | p99 µs \
         | at one that is awake, p50 µs | start s | taking up all s | firing all s |",
    );
    say("|---|---|---|---|---|---|---|---|---|");
    for waiting in WAITING {
        let waiting = if quick { waiting / 10 } else { waiting };
        let system = actix_web::rt::System::new();
        say(&system.block_on(measure(waiting)));
    }
}

async fn measure(waiting: usize) -> String {
    let clock = Clock::fixed("2026-01-01T00:00:00Z".parse().expect("a moment"));
    let wall = Clock::system();
    let directory = tempfile::tempdir_in(crate::login::disk()).expect("a directory");
    let running = start(directory.path(), &clock).await;
    crate::existence::install(&running).await;
    let before = resident();
    let sessions = wait(running.executions(), &clock, waiting).await;
    let awake_again = clock.monotonic() + AWAKE * 2;
    let mut awake = usize::MAX;
    while awake > 0 && clock.monotonic() < awake_again + AWAKE * 5 {
        actix_web::rt::time::sleep(AWAKE).await;
        awake = self::awake(running.executions(), &sessions).await;
    }
    let each = resident().saturating_sub(before) / waiting.max(1);

    let chosen: Vec<Uuid> = sessions
        .iter()
        .step_by((waiting / WOKEN).max(1))
        .map(|it| it.1)
        .collect();
    let asleep = looks(running.executions(), &clock, &chosen, &wall).await;
    let again = looks(
        running.executions(),
        &clock,
        &chosen[..chosen.len().min(100)],
        &wall,
    )
    .await;
    running.stop().await.expect("it stops");

    let begun = wall.monotonic();
    let running = start(directory.path(), &clock).await;
    let started = wall.monotonic() - begun;
    let begun = wall.monotonic();
    running.executions().resume().await.expect("it resumes");
    let resumed = wall.monotonic() - begun;
    clock.advance(Duration::from_hours(1));
    let begun = wall.monotonic();
    running.executions().fire_due().await.expect("they fire");
    let fired = wall.monotonic() - begun;
    running.stop().await.expect("it stops");
    format!(
        "| {waiting} | {each} | {awake} | {:.0} | {:.0} | {:.0} | {:.2} | {:.2} | {:.2} |",
        asleep.0,
        asleep.1,
        again.0,
        started.as_secs_f64(),
        resumed.as_secs_f64(),
        fired.as_secs_f64(),
    )
}

async fn start(directory: &Path, clock: &Clock) -> Running {
    let mut settings = Settings::in_directory(directory);
    settings.listen = "127.0.0.1:0".parse().expect("an address");
    settings.web.public_url = Some("https://id.example".to_owned());
    settings.execution.passivate_after = AWAKE;
    settings.execution.max_unanswered = 1_000_000;
    settings.execution.max_unanswered_per_address = 1_000_000;
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
        presence: Presence::default(),
    }
}

/// Has so many visitors ask for a link; the executions and their sessions.
async fn wait(executions: &Executions, clock: &Clock, waiting: usize) -> Vec<(Uuid, Uuid)> {
    let asks = |number: usize| async move {
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

/// The memory that this process has, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1));
    kilobytes.and_then(|it| it.parse().ok()).unwrap_or(0) * 1024
}
