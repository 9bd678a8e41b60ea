//! How failed and successful attempts are counted.

use std::time::Duration;

use super::reader::Reader;

/// `reputation.*`.
#[derive(Clone, Debug)]
pub struct Reputation {
    /// How long after its first attempt a score is forgotten.
    pub expiry: Duration,
    /// The least that the score of one name from one address becomes; zero or less.
    pub lower_limit: i64,
    /// The most that it becomes; zero or more.
    pub upper_limit: i64,
}

impl Reputation {
    pub(super) fn read(from: &mut Reader) -> Self {
        let lower = |text: &str| match text.parse() {
            Ok(limit @ i64::MIN..=0) => Ok(limit),
            _ => Err(format!("{text:?} is no whole number of at most 0")),
        };
        let upper = |text: &str| match text.parse() {
            Ok(limit @ 0..) => Ok(limit),
            _ => Err(format!("{text:?} is no whole number of at least 0")),
        };
        Self {
            expiry: from.duration("reputation.expiry", Duration::from_hours(24)),
            lower_limit: from.parsed("reputation.lower_limit", -5, lower),
            upper_limit: from.parsed("reputation.upper_limit", 5, upper),
        }
    }
}
