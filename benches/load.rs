//! Whole conversations over HTTP, beside what limits them, in one run: a bare actix-web server that
//! answers with the same bytes, bare writes with `fdatasync`, the journal alone, the bare hash.
//!
//! The server is this program in a process of its own (`gatelog bench` does the same), so that its
//! processor time and memory are told apart from those of the visitors. All share the machine: a
//! ratio says more than a speed.

use std::time::Duration;

use gatelog::clock::Clock;
use gatelog::load::own::{Options, Own};
use gatelog::load::{self, Plan, Profile, Report};

use crate::served::{disk, say};

mod bare;
mod limits;
mod memory;
mod targets;

pub(crate) use bare::{COMMAND as BARE, serve as serve_bare};

/// How many visitors answer challenges at once, as many as write to the journal alone.
const MANY: usize = 256;

/// How many look at a challenge again and again.
const SOME: usize = 32;

/// How many log in with the hash at once: enough that it never waits.
const HASHING: usize = 8;

/// How long each figure is measured.
pub(crate) fn time() -> Duration {
    Duration::from_secs(if is_quick() { 4 } else { 10 })
}

fn is_quick() -> bool {
    std::env::args().any(|argument| argument == "--quick")
}

/// Measures and prints the tables.
pub(crate) fn run() {
    let clock = Clock::system();
    say("Profiles, passwords without the hash but in the last row:");
    say("");
    profiles(&clock);
    say("");
    targets::run(&clock);
}

/// A row for each profile.
fn profiles(clock: &Clock) {
    say(
        "| profile | visitors | conversations/s | sent away | answers/s | p50 ms | p99 ms \
         | server, ms of processor time each | server, cores | generator, cores |",
    );
    say("|---|---|---|---|---|---|---|---|---|---|");
    let own = server(true, &[], clock);
    for profile in Profile::ALL {
        row(
            &profile.to_string(),
            &measured(&own, profile, SOME, None, clock),
        );
    }
    drop(own);
    let own = server(false, &[], clock);
    let report = measured(&own, Profile::Login, HASHING, None, clock);
    row("login, with the hash", &report);
}

fn row(name: &str, report: &Report) {
    let whole = &report.conversations;
    let server = report.server.as_ref().expect("Linux tells");
    say(&format!(
        "| {name} | {} | {:.0} | {} | {:.0} | {:.2} | {:.2} | {:.3} | {:.2} | {:.2} |",
        report.visitors,
        whole.per_second,
        sent_away(report),
        report.requests.answers_per_second,
        whole.latency.p50_ms,
        whole.latency.p99_ms,
        server.processor_ms_per_conversation.unwrap_or(f64::NAN),
        server.busy,
        report.generator.busy.unwrap_or(f64::NAN),
    ));
}

/// A server of one's own with a thousand people.
fn server(unhashed: bool, environment: &[(&str, &str)], clock: &Clock) -> Own {
    let environment = environment.iter();
    let options = Options {
        unhashed,
        people: 1_000,
        environment: environment
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..Options::new(disk()).expect("this program is somewhere")
    };
    Own::start(&options, clock).unwrap_or_else(|error| panic!("{error}"))
}

/// One figure. The server may send people away when they are too many, which is told beside it;
/// nothing else may fail.
fn measured(
    own: &Own,
    profile: Profile,
    visitors: usize,
    rate: Option<f64>,
    clock: &Clock,
) -> Report {
    let plan = Plan {
        visitors,
        rate,
        duration: time(),
        process: Some(own.process()),
        ..Plan::new(profile, own.flows(profile))
    };
    let report = load::run(&plan, &own.target(), &own.people(), clock);
    let report = report.unwrap_or_else(|error| panic!("{error}"));
    is_well(&report, own);
    report
}

/// The server sent people away at most.
pub(crate) fn is_well(report: &Report, own: &Own) {
    let mut failures = report.failures.keys();
    let is_well = failures.all(|name| ["status_429", "status_503"].contains(&name.as_str()));
    let said = own.said();
    let last = said.lines().last().unwrap_or_default();
    assert!(is_well, "{:?}: {last}", report.failures);
}

/// How many conversations ended because the server sent people away.
pub(crate) fn sent_away(report: &Report) -> u64 {
    report.pushed_back.status_429 + report.pushed_back.status_503
}
