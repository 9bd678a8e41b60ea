//! Counts what visitors experience.
//!
//! A latency counts when its conversation was due while it counted. A rate counts what ended then.
//! Nothing that was due is left out because it took too long.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::failure::Failure;
use super::pace::Turn;
use super::report::{Conversations, PushedBack, Requests, Step};
use super::series::{Series, float};

/// The time that counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) from: Instant,
    /// The end; open, where conversations are counted instead.
    pub(super) until: Option<Instant>,
}

impl Window {
    fn has(&self, moment: Instant) -> bool {
        moment >= self.from && self.until.is_none_or(|until| moment < until)
    }
}

pub(super) struct Tally {
    window: Window,
    conversations: Series,
    begun: u64,
    /// In the order in which they first happened.
    steps: Vec<(&'static str, Series)>,
    requests: u64,
    answers: u64,
    refusals: u64,
    failed: u64,
    failures: BTreeMap<String, u64>,
    pushed_back: PushedBack,
    delay: Series,
    unbegun: u64,
    /// Conversations that are under way: when they were due and whether they count.
    under_way: BTreeMap<u64, Instant>,
}

impl Tally {
    pub(super) fn new(window: Window) -> Self {
        Self {
            window,
            conversations: Series::new(),
            begun: 0,
            steps: Vec::new(),
            requests: 0,
            answers: 0,
            refusals: 0,
            failed: 0,
            failures: BTreeMap::new(),
            pushed_back: PushedBack::default(),
            delay: Series::new(),
            unbegun: 0,
            under_way: BTreeMap::new(),
        }
    }

    /// A conversation begins.
    pub(super) fn begin(&mut self, turn: Turn, now: Instant) {
        self.under_way.insert(turn.number, turn.due);
        if self.window.has(turn.due) {
            self.begun += 1;
            self.delay.note(now.saturating_duration_since(turn.due));
        }
    }

    /// A request is sent.
    pub(super) fn request(&mut self, now: Instant) {
        self.requests += u64::from(self.window.has(now));
    }

    /// A step was answered, or not in time.
    pub(super) fn step(
        &mut self,
        name: &'static str,
        turn: Turn,
        took: Duration,
        ended: Option<Instant>,
    ) {
        let is_counted = self.window.has(turn.due);
        let is_ended = ended.is_some_and(|ended| self.window.has(ended));
        let series = self.series(name);
        if is_counted {
            series.note(took);
        }
        if is_ended {
            series.ended += 1;
            self.answers += u64::from(!["open", "look"].contains(&name));
        }
    }

    fn series(&mut self, name: &'static str) -> &mut Series {
        let at = self.steps.iter().position(|(known, _)| *known == name);
        let at = at.unwrap_or_else(|| {
            self.steps.push((name, Series::new()));
            self.steps.len() - 1
        });
        &mut self.steps[at].1
    }

    /// A conversation is over, after so many refusals that somebody expected.
    pub(super) fn end(
        &mut self,
        turn: Turn,
        now: Instant,
        result: Result<(), &Failure>,
        refusals: u32,
    ) {
        self.under_way.remove(&turn.number);
        let is_counted = self.window.has(turn.due);
        let is_wait = result.is_ok() || result.is_err_and(Failure::is_a_wait);
        if is_counted && is_wait {
            let took = now.saturating_duration_since(turn.due);
            self.conversations.note(took);
        }
        match result {
            Ok(()) => {
                if self.window.has(now) {
                    self.conversations.ended += 1;
                    self.refusals += u64::from(refusals);
                }
            }
            // What fails during the warm-up is no less wrong.
            Err(failure) => self.fail(failure),
        }
    }

    fn fail(&mut self, failure: &Failure) {
        self.failed += 1;
        *self.failures.entry(failure.name()).or_default() += 1;
        if let Failure::PushedBack {
            status,
            retry_after,
        } = failure
        {
            let told = &mut self.pushed_back;
            match status {
                429 => told.status_429 += 1,
                _ => told.status_503 += 1,
            }
            if let Some(seconds) = retry_after {
                told.with_retry_after += 1;
                told.longest_retry_after_seconds = told.longest_retry_after_seconds.max(*seconds);
            }
        }
    }

    /// Nobody waits any longer: what is under way is given up, and these were never begun. Their
    /// time until now counts, as it is the least that they took.
    pub(super) fn give_up(&mut self, now: Instant, left: &[Turn], first_step: &'static str) {
        for due in std::mem::take(&mut self.under_way).into_values() {
            if self.window.has(due) {
                self.conversations.note(now.saturating_duration_since(due));
            }
            self.failed += 1;
            *self.failures.entry("unfinished".to_owned()).or_default() += 1;
        }
        for turn in left {
            let took = now.saturating_duration_since(turn.due);
            if self.window.has(turn.due) {
                self.conversations.note(took);
                self.delay.note(took);
            }
            self.step(first_step, *turn, took, None);
            self.unbegun += 1;
            self.failed += 1;
            *self.failures.entry("unbegun".to_owned()).or_default() += 1;
        }
    }

    /// How many conversations came to their end while it counted.
    pub(super) fn ended(&self) -> u64 {
        self.conversations.ended
    }

    pub(super) fn conversations(&self, seconds: f64) -> Conversations {
        Conversations {
            begun: self.begun,
            ended: self.conversations.ended,
            failed: self.failed,
            per_second: float(self.conversations.ended) / seconds,
            latency: self.conversations.latency(),
        }
    }

    pub(super) fn requests(&self, seconds: f64, connections: u64) -> Requests {
        Requests {
            sent: self.requests,
            per_second: float(self.requests) / seconds,
            answers_per_second: float(self.answers) / seconds,
            refusals: self.refusals,
            connections,
        }
    }

    pub(super) fn steps(&self, seconds: f64) -> Vec<Step> {
        let counted = self
            .steps
            .iter()
            .filter(|(_, it)| it.count() + it.ended > 0);
        let steps = counted.map(|(name, series)| Step {
            name: (*name).to_owned(),
            ended: series.ended,
            per_second: float(series.ended) / seconds,
            latency: series.latency(),
        });
        steps.collect()
    }

    /// How much later than due conversations were begun, and how many never were.
    pub(super) fn delay(&self) -> (&Series, u64) {
        (&self.delay, self.unbegun)
    }

    pub(super) fn failures(&self) -> (BTreeMap<String, u64>, PushedBack) {
        (self.failures.clone(), self.pushed_back.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    const SECOND: Duration = Duration::from_secs(1);

    fn tally() -> (Tally, Instant) {
        let from = Clock::system().monotonic();
        let until = Some(from + 10 * SECOND);
        (Tally::new(Window { from, until }), from)
    }

    #[test]
    fn whoever_was_due_while_it_counted_is_told_however_late_they_end() {
        let (mut tally, from) = tally();
        let turn = Turn {
            number: 0,
            due: from + 9 * SECOND,
        };
        tally.begin(turn, from + 9 * SECOND);
        let end = from + 15 * SECOND;
        tally.step("open", turn, 6 * SECOND, Some(end));
        tally.end(turn, end, Ok(()), 0);
        let told = tally.conversations(10.0);
        // It is in the histogram, and not among what the server got done in that time.
        assert_eq!((told.latency.count, told.ended), (1, 0));
        assert!(told.latency.max_ms >= 6_000.0);
        assert_eq!(tally.steps(10.0)[0].latency.count, 1);
    }

    #[test]
    fn whoever_is_given_up_has_waited_until_then() {
        let (mut tally, from) = tally();
        let turn = |number: u64| Turn { number, due: from };
        tally.begin(turn(0), from);
        tally.give_up(from + 20 * SECOND, &[turn(1), turn(2)], "open");
        let told = tally.conversations(10.0);
        assert_eq!((told.failed, told.latency.count), (3, 3));
        assert!(told.latency.min_ms >= 19_900.0, "{told:?}");
        let (failures, _) = tally.failures();
        assert_eq!((failures["unfinished"], failures["unbegun"]), (1, 2));
        assert_eq!(tally.steps(10.0)[0].latency.count, 2);
    }

    #[test]
    fn a_quick_refusal_makes_nothing_look_fast() {
        let (mut tally, from) = tally();
        let turn = Turn {
            number: 0,
            due: from,
        };
        let failure = Failure::PushedBack {
            status: 503,
            retry_after: Some(4),
        };
        tally.begin(turn, from);
        tally.end(turn, from + SECOND, Err(&failure), 0);
        assert_eq!(tally.conversations(10.0).latency.count, 0);
        let (failures, pushed_back) = tally.failures();
        assert_eq!(failures["status_503"], 1);
        assert_eq!(pushed_back.longest_retry_after_seconds, 4);
        assert_eq!(pushed_back.with_retry_after, 1);
    }

    #[test]
    fn what_was_due_before_does_not_count() {
        let (_, due) = tally();
        let from = due + SECOND;
        let until = None;
        let mut tally = Tally::new(Window { from, until });
        let turn = Turn { number: 0, due };
        tally.begin(turn, from);
        tally.step("open", turn, SECOND, Some(from));
        tally.end(turn, from, Ok(()), 0);
        let told = tally.conversations(10.0);
        assert_eq!((told.begun, told.latency.count, told.ended), (0, 0, 1));
    }
}
