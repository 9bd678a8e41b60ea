//! The targets: each figure beside its limit, both measured in this run.

use gatelog::clock::Clock;
use gatelog::load::{Profile, Report};

use super::bare::Bare;
use super::limits::Limits;
use super::memory::Memory;
use super::{HASHING, MANY, SOME, measured, sent_away, server};
use crate::served::say;

/// Everything that is compared.
struct Figures {
    limits: Limits,
    bare_looks: Report,
    bare_logins: Report,
    looks: Report,
    opens: Report,
    logins: Report,
    /// At half of the rate at which they were made before.
    halved: Report,
    hashed: Report,
    memory: Memory,
}

/// Measures and prints the table.
pub(super) fn run(clock: &Clock) {
    let figures = Figures::measure(clock);
    say("| what | measured | limit | ratio | target | |");
    say("|---|---|---|---|---|---|");
    figures.tell_rates();
    figures.tell_costs();
    say("");
    figures.tell_cores();
}

impl Figures {
    fn measure(clock: &Clock) -> Self {
        let limits = Limits::measure(MANY, clock);
        let bare = Bare::start();
        let bare_looks = bare.measured(Profile::Challenge, SOME, clock);
        let bare_logins = bare.measured(Profile::Login, MANY, clock);
        drop(bare);
        let own = server(true, &[], clock);
        let looks = measured(&own, Profile::Challenge, SOME, None, clock);
        let opens = measured(&own, Profile::FirstGet, MANY, None, clock);
        let logins = measured(&own, Profile::Login, MANY, None, clock);
        // On a machine on which nobody comes to an end in that time there is still a figure.
        let half = (logins.conversations.per_second / 2.0).max(1.0);
        let halved = measured(&own, Profile::Login, MANY, Some(half), clock);
        drop(own);
        let own = server(false, &[], clock);
        let hashed = measured(&own, Profile::Login, HASHING, None, clock);
        drop(own);
        Self {
            limits,
            bare_looks,
            bare_logins,
            looks,
            opens,
            logins,
            halved,
            hashed,
            memory: Memory::measure(clock),
        }
    }

    fn tell_rates(&self) {
        let looked = self.looks.conversations.per_second;
        let bare = self.bare_looks.conversations.per_second;
        at_least(
            &format!("repeated GET of a challenge, {SOME} visitors, requests/s"),
            looked,
            &format!("bare actix-web: {bare:.0}"),
            looked / bare,
            0.5,
        );
        let opened = self.opens.conversations.per_second;
        let relaxed = self.limits.relaxed;
        at_least(
            &format!("first GET, {MANY} visitors, requests/s"),
            opened,
            &format!("relaxed commits of the journal alone: {relaxed:.0}"),
            opened / relaxed,
            0.4,
        );
        let answered = self.logins.requests.answers_per_second;
        let name = format!("answered steps, no-op hash, {MANY} visitors, steps/s");
        let durable = self.limits.durable;
        at_least(
            &name,
            answered,
            &format!("durable commits of the journal alone: {durable:.0}"),
            answered / durable,
            0.5,
        );
        let bare = self.bare_logins.requests.answers_per_second;
        at_least(
            &name,
            answered,
            &format!("bare actix-web: {bare:.0}"),
            answered / bare,
            0.25,
        );
    }

    fn tell_costs(&self) {
        let (limits, memory) = (&self.limits, &self.memory);
        let used = processor(&self.hashed);
        at_most(
            "processor time of a password login, ms",
            used,
            &format!("the hash alone: {:.2}", limits.hash),
            used / limits.hash,
            1.05,
        );
        let rate = self.halved.rate.unwrap_or(f64::NAN);
        let slowest = slowest_answer(&self.halved);
        let most = 3.0 * limits.sync_p50 + 2.0;
        at_most(
            &format!("p99 of an answered step at {rate:.0} logins/s, ms"),
            slowest,
            &format!(
                "3 x fdatasync ({:.2}, its p99 {:.2}) + 2: {most:.2}",
                limits.sync_p50, limits.sync_p99
            ),
            slowest / most,
            1.0,
        );
        let above = megabytes(memory.suspended) - megabytes(memory.idle);
        at_most(
            &format!("memory of {} suspended executions, MB", memory.waiting),
            above,
            &format!(
                "60 above an idle server: {:.1}, and {:.1} of its workers",
                megabytes(memory.idle),
                megabytes(memory.workers)
            ),
            above / 60.0,
            1.0,
        );
    }

    fn tell_cores(&self) {
        say(&format!(
            "Bare writes of {MANY} writers with one fdatasync for a round: {:.0}/s.",
            self.limits.writes
        ));
        say(
            "Cores that each side had, and conversations that were sent away (429, 503; also in the warm-up):",
        );
        for (name, report) in [
            ("bare actix-web, repeated GET", &self.bare_looks),
            ("repeated GET", &self.looks),
            ("first GET", &self.opens),
            ("bare actix-web, logins", &self.bare_logins),
            ("logins, no-op hash", &self.logins),
            ("logins, no-op hash, half the rate", &self.halved),
            ("logins with the hash", &self.hashed),
        ] {
            let server = report.server.as_ref().map_or(f64::NAN, |it| it.busy);
            let generator = report.generator.busy.unwrap_or(f64::NAN);
            say(&format!(
                "  {name}: server {server:.2}, generator {generator:.2}, {} sent away",
                sent_away(report),
            ));
        }
    }
}

/// Milliseconds of the server's processor time for each login.
fn processor(report: &Report) -> f64 {
    let server = report.server.as_ref();
    let each = server.and_then(|it| it.processor_ms_per_conversation);
    each.expect("Linux tells, and somebody logged in")
}

/// The 99th percentile of the slowest kind of answer, in milliseconds.
fn slowest_answer(report: &Report) -> f64 {
    let answers = report.steps.iter().filter(|step| step.name != "open");
    answers.map(|step| step.latency.p99_ms).fold(0.0, f64::max)
}

fn at_least(what: &str, measured: f64, limit: &str, ratio: f64, target: f64) {
    let met = if ratio >= target { "met" } else { "missed" };
    say(&format!(
        "| {what} | {measured:.0} | {limit} | {ratio:.2} | >= {target} | {met} |"
    ));
}

fn at_most(what: &str, measured: f64, limit: &str, ratio: f64, target: f64) {
    let met = if ratio <= target { "met" } else { "missed" };
    say(&format!(
        "| {what} | {measured:.2} | {limit} | {ratio:.2} | <= {target} | {met} |"
    ));
}

#[expect(clippy::cast_precision_loss, reason = "one digit is shown")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
