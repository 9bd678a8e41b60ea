//! The memory of a server that does nothing, and of the same one while many executions wait for a
//! mailed link.

use std::time::Duration;

use gatelog::clock::Clock;
use gatelog::load::own::Own;
use gatelog::load::{self, Plan, Profile};
use gatelog::process::{Usage, of_process};

/// How long an execution stays in memory here.
const AWAKE: &str = "2s";

/// How long a server is watched to see whether it does anything.
const WATCHED: Duration = Duration::from_secs(3);

/// How long it may have something to do: it sends as many mails as executions wait.
const PATIENCE: Duration = Duration::from_mins(10);

/// Bytes.
pub(super) struct Memory {
    /// Of a server that nobody has visited.
    pub(super) idle: u64,
    /// Of its workers, which run expressions.
    pub(super) workers: u64,
    /// While all of them wait.
    pub(super) suspended: u64,
    /// How many wait.
    pub(super) waiting: u32,
}

impl Memory {
    pub(super) fn measure(clock: &Clock) -> Self {
        let waiting = if super::is_quick() { 1_000 } else { 10_000 };
        let own = super::server(
            true,
            &[("GATELOG_EXECUTION__PASSIVATE_AFTER", AWAKE)],
            clock,
        );
        let idle = at_rest(&own, clock);
        let plan = Plan {
            visitors: 64,
            conversations: Some(waiting.into()),
            ..Plan::new(Profile::Waits, own.flows(Profile::Waits))
        };
        let report = load::run(&plan, &own.target(), &own.people(), clock);
        let report = report.unwrap_or_else(|error| panic!("{error}"));
        assert!(
            report.failures.is_empty(),
            "{:?}\n{}",
            report.failures,
            own.said()
        );
        let suspended = at_rest(&own, clock);
        Self {
            idle: idle.memory,
            workers: idle.memory_of_children,
            suspended: suspended.memory,
            waiting,
        }
    }
}

/// What it uses once it has nothing to do any more.
fn at_rest(own: &Own, clock: &Clock) -> Usage {
    let usage = || of_process(own.process()).expect("it runs");
    let until = clock.monotonic() + PATIENCE;
    let mut before = usage();
    loop {
        std::thread::sleep(WATCHED);
        let now = usage();
        let used = now.processor.saturating_sub(before.processor);
        if used < WATCHED / 50 || clock.monotonic() > until {
            return now;
        }
        before = now;
    }
}
