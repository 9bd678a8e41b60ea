//! How long something took, each time: a histogram in microseconds with three exact digits.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::report::Latency;

/// The longest that is told apart.
const LONGEST: Duration = Duration::from_hours(1);

#[derive(Debug)]
pub(super) struct Series {
    took: Histogram<u64>,
    /// How many ended while it counted.
    pub(super) ended: u64,
}

impl Series {
    pub(super) fn new() -> Self {
        let took = Histogram::new_with_bounds(1, micros(LONGEST), 3);
        Self {
            took: took.expect("the bounds are in order and three digits are allowed"),
            ended: 0,
        }
    }

    /// Notes one. What takes longer than an hour counts as an hour.
    pub(super) fn note(&mut self, took: Duration) {
        self.took.saturating_record(micros(took).max(1));
    }

    /// How many were noted.
    pub(super) fn count(&self) -> u64 {
        self.took.len()
    }

    pub(super) fn latency(&self) -> Latency {
        let at = |part: f64| milliseconds(self.took.value_at_quantile(part));
        Latency {
            count: self.took.len(),
            min_ms: milliseconds(self.took.min()),
            mean_ms: (self.took.mean()).round() / 1e3,
            p50_ms: at(0.5),
            p90_ms: at(0.9),
            p99_ms: at(0.99),
            p999_ms: at(0.999),
            max_ms: milliseconds(self.took.max()),
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Microseconds as milliseconds.
fn milliseconds(micros: u64) -> f64 {
    float(micros) / 1e3
}

/// A number for people: beyond 2^53 the last digits are lost.
#[expect(clippy::cast_precision_loss, reason = "nobody counts that far here")]
pub(super) fn float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_what_was_noted_are_told() {
        let mut series = Series::new();
        for millisecond in 1..=1000 {
            series.note(Duration::from_millis(millisecond));
        }
        let told = series.latency();
        assert_eq!(told.count, 1000);
        assert!((told.p50_ms - 500.0).abs() < 1.0, "{told:?}");
        assert!((told.p99_ms - 990.0).abs() < 1.0, "{told:?}");
        assert!((told.mean_ms - 500.5).abs() < 1.0, "{told:?}");
    }

    #[test]
    fn what_takes_for_ever_counts_as_the_longest() {
        let mut series = Series::new();
        series.note(Duration::from_hours(100));
        assert!(series.latency().max_ms >= 3_600_000.0);
    }

    #[test]
    fn nothing_noted_is_nothing() {
        let told = Series::new().latency();
        assert_eq!(told.count, 0);
        assert!(told.max_ms.abs() < f64::EPSILON && told.p50_ms.abs() < f64::EPSILON);
    }
}
