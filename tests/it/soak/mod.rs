//! Hours of use on a disk that is slow, fails and fills up, with a clock that jumps and a process that is
//! killed: what was acknowledged is there, nothing is there twice, and neither disk nor memory grow beyond
//! what the settings allow.
//!
//! `GATELOG_SOAK_MINUTES=30` goes round for so long; without it, each thing happens once and seldom.

use std::time::Duration;

use gatelog::clock::Clock;

use crate::support::{MailSink, Options, TestServer, block_on, skip};

mod bounds;
pub(crate) mod ledger;
mod people;
mod phases;
mod reserve;
mod volume;

use people::People;
use volume::Volume;

/// The size of the disk.
const DISK: u64 = 512 << 20;

/// How long executions and sessions are kept, by the clock that the test moves.
const KEPT: i64 = 48 * HOUR;

const HOUR: i64 = 3_600;

/// How much happens in each phase.
#[derive(Clone, Copy, Debug)]
struct Size {
    people: usize,
    logins: usize,
    abandoned: usize,
    mails: usize,
    kills: usize,
    is_long: bool,
}

/// Seldom enough for a suite that runs with every change.
const SHORT: Size = Size {
    people: 8,
    logins: 16,
    abandoned: 48,
    mails: 2,
    kills: 2,
    is_long: false,
};

/// Often enough for what grows to be seen.
const LONG: Size = Size {
    people: 16,
    logins: 320,
    abandoned: 3_000,
    mails: 16,
    kills: 10,
    is_long: true,
};

/// A server with everything that is done to it.
struct Soak<'a> {
    server: TestServer,
    people: People,
    sink: &'a MailSink,
    volume: Option<&'a Volume>,
    size: Size,
    /// How many seconds its clock is ahead.
    ahead: i64,
    bounds: bounds::Bounds,
}

impl<'a> Soak<'a> {
    async fn start(size: Size, sink: &'a MailSink, volume: Option<&'a Volume>) -> Self {
        let mut options = sink.serves(Options::default());
        options.data = volume.map(Volume::data);
        for (name, value) in [
            ("GATELOG_JOURNAL__SEGMENT_RECORDS", "2000"),
            ("GATELOG_JOURNAL__REMOVE_EXPORTED", "true"),
            ("GATELOG_JOURNAL__RETENTION__EXECUTION", "48 hours"),
            ("GATELOG_JOURNAL__RETENTION__SESSION", "48 hours"),
            ("GATELOG_EVENTS__RETENTION", "48 hours"),
            ("GATELOG_LOG__LEVEL", "info"),
        ] {
            options = options.with(name, value);
        }
        let told = tempfile::tempdir().expect("a directory");
        let (clock, faults) = (told.path().join("clock"), told.path().join("faults"));
        options = options
            .with("GATELOG_CLOCK_FILE", &clock.display().to_string())
            .with("GATELOG_DISK_FAULTS", &faults.display().to_string());
        let server = TestServer::start(options).await;
        server
            .gatelog(&["blueprint", "enable", "recovery"])
            .succeeds();
        let people = People::of(&server, size.people);
        Self {
            server,
            people,
            sink,
            volume,
            size,
            ahead: 0,
            bounds: bounds::Bounds::new(told, clock, faults),
        }
    }

    /// Moves the clock by so many seconds, forward or back.
    fn moves_clock(&mut self, seconds: i64) {
        self.ahead += seconds;
        std::fs::write(&self.bounds.clock, self.ahead.to_string()).expect("written");
    }

    /// What the disk does from now on.
    fn disk_does(&self, what: &str) {
        std::fs::write(&self.bounds.faults, what).expect("written");
    }

    /// The same where the next phase is looked at anyway, and there is no time for both.
    async fn check_if_long(&mut self, phase: &str) {
        if self.size.is_long {
            self.check(phase).await;
        }
    }

    /// Whatever was acknowledged is there once, and all of it is as it was written.
    async fn check(&mut self, phase: &str) {
        self.server.check_journal(phase);
        self.server.check_replay().await;
        let executions = self.people.ledger.check(&self.server);
        self.bounds.note(phase, &self.server, executions);
    }
}

/// How many minutes it goes round.
fn minutes() -> Option<u64> {
    std::env::var("GATELOG_SOAK_MINUTES").ok()?.parse().ok()
}

#[test]
fn whatever_happens_to_disk_clock_and_process_nothing_acknowledged_is_lost() {
    let volume = Volume::mount(DISK);
    if volume.is_none() {
        skip("a user who may mount a disk to fill it up");
    }
    block_on(async {
        let clock = Clock::system();
        let (began, sink) = (clock.monotonic(), MailSink::start());
        let time = minutes().map(|minutes| Duration::from_secs(60 * minutes));
        let size = if time.is_some() { LONG } else { SHORT };
        let mut soak = Soak::start(size, &sink, volume.as_ref()).await;
        loop {
            soak.round().await;
            soak.bounds.round();
            if time.is_none_or(|time| clock.monotonic() - began >= time) {
                break;
            }
        }
        let Soak {
            server,
            bounds,
            people,
            ..
        } = soak;
        bounds.report(&people.ledger);
        server.finish().await;
    });
}
