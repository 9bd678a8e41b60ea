//! From when on executions are meant: a moment, or how long ago.

use jiff::{SignedDuration, Timestamp};

/// From when on.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) enum Since {
    Moment(Timestamp),
    Age(SignedDuration),
}

/// Reads `7d`, `12h` or a moment.
pub(in crate::cli) fn read(text: &str) -> Result<Since, String> {
    if let Ok(moment) = text.parse() {
        return Ok(Since::Moment(moment));
    }
    let days = |number: &str, hours: i64| {
        let number: i64 = number.trim().parse().ok()?;
        Some(SignedDuration::from_hours(number.checked_mul(hours)?))
    };
    let age = match (text.strip_suffix('d'), text.strip_suffix('w')) {
        (Some(number), _) => days(number, 24),
        (_, Some(number)) => days(number, 7 * 24),
        _ => text.parse().ok(),
    };
    let age = age.filter(SignedDuration::is_positive);
    age.map(Since::Age)
        .ok_or_else(|| "it is neither a time such as 7d or 12h nor a moment".to_owned())
}

impl Since {
    /// The moment, seen from now.
    pub(in crate::cli) fn moment(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Moment(moment) => moment,
            Self::Age(age) => now.checked_sub(age).unwrap_or(Timestamp::MIN),
        }
    }
}
