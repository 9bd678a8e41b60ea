//! The wrong codes that a user typed in a row, whichever of their authenticators they were meant
//! for. Each authenticator counts for itself as well, see [`super::device::Throttle`]; but codes
//! that were sent have no such count, and whoever has several could be guessed at by turns.
//!
//! Sealed by the user's key, and removed with the user.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{KeyId, Kind, Objects, Result, Version};

/// So many wrong codes in a row have no consequences.
const FREE: u32 = 5;

/// Nobody waits longer than this: whoever knows a password could lock its owner out else.
const LONGEST_LOCK: SignedDuration = SignedDuration::from_mins(15);

/// The wrong codes of one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MfaAttempts {
    /// Who.
    pub user: Uuid,
    /// How many there were in a row.
    pub failures: u32,
    /// When the last of them was.
    pub last: Option<Timestamp>,
}

impl MfaAttempts {
    /// A user who typed no wrong code yet.
    #[must_use]
    pub fn none(user: Uuid) -> Self {
        Self {
            user,
            failures: 0,
            last: None,
        }
    }

    /// Until when no code is looked at, where one is not looked at `now`.
    #[must_use]
    pub fn locked_until(&self, now: Timestamp) -> Option<Timestamp> {
        let last = self.last?;
        let doublings = self.failures.checked_sub(FREE)?;
        let seconds = 1_i64.checked_shl(doublings).filter(|it| *it > 0);
        let wait = seconds.map_or(LONGEST_LOCK, SignedDuration::from_secs);
        let until = last.checked_add(wait.min(LONGEST_LOCK));
        let until = until.unwrap_or(Timestamp::MAX);
        (now < until).then_some(until)
    }

    /// One wrong code more.
    pub fn fail(&mut self, now: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        self.last = Some(now);
    }
}

impl Stored for MfaAttempts {
    const KIND: Kind = Kind::new("mfa_attempts");

    fn id(&self) -> Uuid {
        self.user
    }

    fn sealed_by(&self) -> KeyId {
        KeyId(self.user)
    }
}

/// The wrong codes that a user typed in a row, with the version that whoever counts another one
/// expects.
pub async fn mfa_attempts(
    objects: &(impl Objects + ?Sized),
    user: Uuid,
) -> Result<Versioned<MfaAttempts>> {
    let found = object::get(objects, user).await?;
    Ok(found.unwrap_or(Versioned {
        version: Version::NONE,
        value: MfaAttempts::none(user),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).expect("a moment")
    }

    fn after(failures: u32) -> MfaAttempts {
        let mut attempts = MfaAttempts::none(Uuid::from_u128(1));
        for _ in 0..failures {
            attempts.fail(at(0));
        }
        attempts
    }

    #[test]
    fn the_first_wrong_codes_have_no_consequences() {
        for failures in 0..FREE {
            assert_eq!(after(failures).locked_until(at(0)), None, "{failures}");
        }
    }

    #[test]
    fn each_further_one_waits_twice_as_long() {
        for (failures, seconds) in [(5, 1), (6, 2), (7, 4), (14, 512)] {
            let attempts = after(failures);
            let until = at(seconds * 1000);
            assert_eq!(attempts.locked_until(at(seconds * 1000 - 1)), Some(until));
            assert_eq!(attempts.locked_until(until), None);
        }
    }

    #[test]
    fn nobody_waits_longer_than_a_quarter_of_an_hour() {
        for failures in [15, 16, 67, 68, 69, 200] {
            assert_eq!(after(failures).locked_until(at(0)), Some(at(900_000)));
        }
    }
}
