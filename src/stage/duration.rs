//! Durations as authentik writes them: `hours=3;minutes=1`.
//!
//! Source: authentik `lib/utils/time.py`.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A span of time, with the text that it was written as.
#[derive(Clone, Debug, PartialEq)]
pub struct Duration {
    text: String,
    span: SignedDuration,
}

/// The moment so long after another one; the last one there is where that is beyond all.
pub(super) fn after(moment: Timestamp, span: SignedDuration) -> Timestamp {
    moment.checked_add(span).unwrap_or(Timestamp::MAX)
}

/// The span of a text such as `hours=3;minutes=1`, if it is one.
#[must_use]
pub fn span_of(text: &str) -> Option<SignedDuration> {
    Duration::parse(text).map(|it| it.span)
}

impl Duration {
    /// A number of whole seconds.
    #[must_use]
    pub fn from_secs(seconds: i64) -> Self {
        Self {
            text: format!("seconds={seconds}"),
            span: SignedDuration::from_secs(seconds),
        }
    }

    /// A number of whole weeks.
    #[must_use]
    pub fn weeks(weeks: i64) -> Self {
        Self {
            text: format!("weeks={weeks}"),
            span: SignedDuration::from_secs(weeks * 604_800),
        }
    }

    /// The span itself; may be negative.
    #[must_use]
    pub fn span(&self) -> SignedDuration {
        self.span
    }

    fn parse(text: &str) -> Option<Self> {
        let mut seconds = 0.0;
        let mut known = false;
        for pair in text.split(';').filter(|pair| !pair.is_empty()) {
            let (unit, number) = pair.split_once('=')?;
            let number: f64 = number.trim().parse().ok()?;
            let factor = match unit.trim().to_ascii_lowercase().as_str() {
                "microseconds" => 1e-6,
                "milliseconds" => 1e-3,
                "seconds" => 1.0,
                "minutes" => 60.0,
                "hours" => 3_600.0,
                "days" => 86_400.0,
                "weeks" => 604_800.0,
                _ => continue,
            };
            known = true;
            seconds += number * factor;
        }
        let span = SignedDuration::try_from_secs_f64(seconds).ok()?;
        known.then(|| Self {
            text: text.to_owned(),
            span,
        })
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            de::Error::custom(format!(
                "{text} is not in the correct format of 'hours=3;minutes=1'."
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_add_up_and_unknown_units_are_ignored() {
        let span = |text| Duration::parse(text).map(|duration| duration.span().as_secs());
        assert_eq!(span("hours=3;minutes=1"), Some(10_860));
        assert_eq!(span("Seconds=1.5;fortnights=2"), Some(1));
        assert_eq!(span("days=-1"), Some(-86_400));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "3",
            "hours",
            "hours=x",
            "fortnights=2",
            "seconds=inf",
            "seconds=nan",
        ] {
            assert_eq!(Duration::parse(text), None, "{text:?}");
        }
    }
}
