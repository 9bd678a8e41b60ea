//! What a journal on disk counts of its own work, for whoever looks after it.
//!
//! It holds numbers and nothing of what is written. Whoever shows it gets clones, which count on.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use super::Error;

/// Seconds, from a commit into an idle page cache to a disk that is in trouble.
const SECONDS: [f64; 15] = [
    0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    10.0,
];

/// Commits in one batch; a batch takes 1024 of them at most.
const COMMITS: [f64; 11] = [
    1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0,
];

/// The counts of one journal.
#[derive(Clone, Debug)]
pub struct Meter {
    /// Commits that were acknowledged.
    pub commits: Counter,
    /// Commits that were refused because something had moved, or a unique key was taken.
    pub conflicts: Counter,
    /// Commits that failed: the disk was full, or broken.
    pub failures: Counter,
    /// Records that were written.
    pub records: Counter,
    /// Commits that were handed over and are not answered yet.
    pub waiting: Gauge,
    /// Seconds from handing a commit over to its answer, waiting included.
    pub commit_seconds: Histogram,
    /// How many commits were written together.
    pub batch_commits: Histogram,
    /// Seconds that making a batch durable took.
    pub sync_seconds: Histogram,
    /// How often something was read that is not as it was written.
    pub damaged: Counter,
    /// 1 once nothing can be written any more.
    pub failed: Gauge,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            commits: Counter::default(),
            conflicts: Counter::default(),
            failures: Counter::default(),
            records: Counter::default(),
            waiting: Gauge::default(),
            commit_seconds: Histogram::new(SECONDS),
            batch_commits: Histogram::new(COMMITS),
            sync_seconds: Histogram::new(SECONDS),
            damaged: Counter::default(),
            failed: Gauge::default(),
        }
    }
}

impl Meter {
    /// One more commit waits, until what is returned is dropped.
    pub(super) fn waits(&self) -> Waits<'_> {
        self.waiting.inc();
        Waits(&self.waiting)
    }

    /// Something was read, or could not be as it is damaged.
    pub(super) fn read<T>(&self, read: &Result<T, Error>) {
        if read.as_ref().is_err_and(Error::is_damage) {
            self.damaged.inc();
        }
    }

    /// Whoever looked through all of it found so much damage.
    pub fn found(&self, findings: usize) {
        self.damaged.inc_by(findings.try_into().unwrap_or(u64::MAX));
    }

    /// A commit was answered after so long.
    pub(super) fn answered<T>(&self, result: &Result<T, Error>, took: Duration) {
        self.read(result);
        self.commit_seconds.observe(took.as_secs_f64());
        match result {
            Ok(_) => self.commits.inc(),
            Err(Error::Conflict { .. } | Error::Taken { .. } | Error::LeaseLost { .. }) => {
                self.conflicts.inc()
            }
            Err(
                Error::Io { .. }
                | Error::Unavailable(_)
                | Error::Full { .. }
                | Error::Damaged { .. }
                | Error::Corrupt { .. },
            ) => self.failures.inc(),
            // What does not fit or has no key was refused for what it is.
            Err(_) => 0,
        };
    }
}

/// A commit that waits; one that is given up waits no more either.
pub(super) struct Waits<'a>(&'a Gauge);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_waits_until_it_is_answered_or_given_up() {
        let meter = Meter::default();
        let one = meter.waits();
        let other = meter.waits();
        assert_eq!(meter.waiting.get(), 2);
        drop(one);
        drop(other);
        assert_eq!(meter.waiting.get(), 0);
    }

    #[test]
    fn what_was_refused_is_no_commit() {
        let meter = Meter::default();
        meter.answered(&Ok(()), Duration::from_millis(1));
        let full: Result<(), Error> = Err(Error::Unavailable("the disk is full".into()));
        meter.answered(&full, Duration::from_millis(1));
        let full: Result<(), Error> = Err(Error::Full {
            free: 1,
            least: 2,
            what: "for it",
        });
        meter.answered(&full, Duration::from_millis(1));
        assert_eq!((meter.commits.get(), meter.failures.get()), (1, 2));
        assert_eq!(meter.conflicts.get(), 0);
    }

    #[test]
    fn damage_is_counted_each_time_somebody_meets_it() {
        let meter = Meter::default();
        meter.read(&Ok(()));
        let damaged: Result<(), Error> = Err(Error::Damaged {
            path: "log".into(),
            problem: "a mouse ate it".to_owned(),
        });
        meter.read(&damaged);
        meter.answered(&damaged, Duration::from_millis(1));
        assert_eq!((meter.damaged.get(), meter.failures.get()), (2, 1));
    }
}
