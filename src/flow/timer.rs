//! Moments at which something happens by itself.
//!
//! A timer is absolute, so it is due also when the server was down at that moment; and it is gone
//! once it has fired, so it fires once.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A timer that is running.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    /// When it fires.
    pub due: Timestamp,
    /// What is over then.
    pub of: Deadline,
}

/// What is over when a timer fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "snake_case")]
pub enum Deadline {
    /// The time in which something may come of an effect.
    Effect {
        /// Which one.
        effect: Uuid,
    },
    /// The time in which a code that was sent to a device is good.
    Code {
        /// Which device.
        device: Uuid,
    },
    /// The time in which a link is good.
    Link {
        /// Which one.
        link: Uuid,
    },
}

/// The identifier of a timer that is due at this moment. It begins with the moment (as a UUID of
/// version 7 does), so that the first ones to fire are the first ones in the store.
#[must_use]
pub fn id(due: Timestamp, random: Uuid) -> Uuid {
    let millis = u64::try_from(due.as_millisecond()).unwrap_or(0);
    let mut bytes = *random.as_bytes();
    bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    bytes[6] = 0x70 | (bytes[6] & 0x0f);
    Uuid::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_sort_by_the_moment_at_which_they_are_due() {
        let at = |seconds| Timestamp::from_second(seconds).expect("a moment");
        let random = Uuid::from_u128(u128::MAX);
        let (early, late) = (id(at(1_000), random), id(at(1_001), Uuid::nil()));
        assert!(early < late);
        assert_eq!(early.get_version_num(), 7);
        assert!(id(Timestamp::MIN, random) < early);
    }
}
