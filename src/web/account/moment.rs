//! Moments as people read them: no page knows the visitor's time zone, so it says how long ago
//! something was, and the day.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The most days that are counted; what is further away is told by its date.
const DAYS: i64 = 30;

/// A moment in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// For programs.
    pub iso: String,
    /// The day in UTC: `2026-11-27`.
    pub date: String,
    /// The time in UTC: `03:28`.
    pub time: String,
    /// What is counted: `now`, `minutes`, `hours`, `days`, or `date` for what is too far away.
    pub unit: &'static str,
    /// How many of them lie between, whichever way.
    pub count: i64,
}

impl Moment {
    /// The moment of something that has happened. Where the clock was set back meanwhile it says
    /// nothing of how long ago that is.
    #[must_use]
    pub fn past(at: Timestamp, now: Timestamp) -> Self {
        let told = Self::of(at, now);
        if at > now && told.unit != "now" {
            return Self {
                unit: "date",
                count: 0,
                ..told
            };
        }
        told
    }

    /// A moment as a page of `now` shows it.
    #[must_use]
    pub fn of(at: Timestamp, now: Timestamp) -> Self {
        let there = at.to_zoned(TimeZone::UTC);
        let passed = now.duration_since(at).as_secs();
        let seconds = passed.abs();
        // What is past is that long ago at least, what is to come is that far away at most.
        let count = |unit: i64| match passed {
            0.. => seconds / unit,
            _ => (seconds + unit - 1) / unit,
        };
        let (unit, count) = match seconds {
            _ if seconds < MINUTE => ("now", 0),
            _ if seconds < HOUR => ("minutes", count(MINUTE)),
            _ if seconds < DAY => ("hours", count(HOUR)),
            _ if seconds < DAYS * DAY => ("days", count(DAY)),
            _ => ("date", 0),
        };
        Self {
            iso: at.to_string(),
            date: there.strftime("%Y-%m-%d").to_string(),
            time: there.strftime("%H:%M").to_string(),
            unit,
            count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_is_counted_and_what_is_far_has_a_date() {
        let now: Timestamp = "2026-11-27T03:28:00Z".parse().expect("a moment");
        for (seconds, unit, count) in [
            (0, "now", 0),
            (59, "now", 0),
            (61, "minutes", 1),
            (3 * HOUR + 5, "hours", 3),
            (-3 * HOUR, "hours", 3),
            (1 - DAY, "hours", 24),
            (2 * DAY, "days", 2),
            (400 * DAY, "date", 0),
        ] {
            let at = Timestamp::from_second(now.as_second() - seconds).expect("a moment");
            let told = Moment::of(at, now);
            assert_eq!((told.unit, told.count), (unit, count), "{seconds}");
        }
        let ahead = Timestamp::from_second(now.as_second() + 2 * DAY).expect("a moment");
        let told = Moment::past(ahead, now);
        assert_eq!(
            (told.unit, told.count),
            ("date", 0),
            "the clock was set back"
        );
        let told = Moment::of(now, now);
        assert_eq!(
            (told.date.as_str(), told.time.as_str()),
            ("2026-11-27", "03:28")
        );
    }
}
