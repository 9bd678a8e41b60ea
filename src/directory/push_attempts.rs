//! How many pushes a user got lately without approving them, all executions together.
//!
//! Whoever knows a password could otherwise send one after the other until the user, to have
//! peace, approves one.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{KeyId, Kind, Objects, Result, Version, Write};

/// How many pushes that nobody approved a user may get within [`WINDOW`].
pub const MOST: usize = 3;

/// How long such a push counts.
pub const WINDOW: SignedDuration = SignedDuration::from_mins(10);

/// When a user got pushes that are not approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushAttempts {
    /// Whose they are; also the object's identifier.
    pub user: Uuid,
    /// When, oldest first, as far as it still counts.
    pub at: Vec<Timestamp>,
}

impl PushAttempts {
    /// Until when there may be no other push, where there may be none `now`.
    #[must_use]
    pub fn locked_until(&self, now: Timestamp) -> Option<Timestamp> {
        let until = |at: &Timestamp| at.checked_add(WINDOW).unwrap_or(Timestamp::MAX);
        let mut counting: Vec<Timestamp> = self.at.iter().map(until).collect();
        counting.retain(|until| *until > now);
        counting.sort_unstable();
        // So many besides this one have to be forgotten before there are few enough.
        let too_many = counting.len().checked_sub(MOST)?;
        counting.get(too_many).copied()
    }

    /// Counts another one, and forgets what counts no more.
    pub fn count(&mut self, now: Timestamp) {
        self.at.retain(|at| now.duration_since(*at) < WINDOW);
        self.at.push(now);
    }

    /// One that was approved, or was not sent at all, counts no more.
    pub fn forgive(&mut self, sent: Timestamp) {
        if let Some(found) = self.at.iter().position(|at| *at == sent) {
            self.at.remove(found);
        }
    }
}

impl Stored for PushAttempts {
    const KIND: Kind = Kind::new("push_attempts");

    fn id(&self) -> Uuid {
        self.user
    }

    fn sealed_by(&self) -> KeyId {
        KeyId(self.user)
    }
}

/// The pushes that a user got.
pub async fn push_attempts(
    objects: &(impl Objects + ?Sized),
    user: Uuid,
) -> Result<Versioned<PushAttempts>> {
    let found: Option<Versioned<PushAttempts>> = object::get(objects, user).await?;
    Ok(found.unwrap_or_else(|| Versioned {
        version: Version::NONE,
        value: PushAttempts {
            user,
            at: Vec::new(),
        },
    }))
}

/// The write that removes what is kept of a user who goes.
pub async fn removal(objects: &(impl Objects + ?Sized), user: Uuid) -> Result<Option<Write>> {
    let found: Option<Versioned<PushAttempts>> = object::get(objects, user).await?;
    Ok(found.map(|found| object::delete::<PushAttempts>(user, found.version)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a moment")
    }

    #[test]
    fn after_three_pushes_there_is_none_before_the_first_of_them_is_forgotten() {
        let mut pushes = PushAttempts {
            user: Uuid::nil(),
            at: Vec::new(),
        };
        for second in [0, 10, 20] {
            assert_eq!(pushes.locked_until(at(second)), None);
            pushes.count(at(second));
        }
        assert_eq!(pushes.locked_until(at(20)), Some(at(600)));
        assert_eq!(pushes.locked_until(at(599)), Some(at(600)));
        assert_eq!(pushes.locked_until(at(600)), None);
        pushes.count(at(600));
        assert_eq!(pushes.at, [at(10), at(20), at(600)]);
        assert_eq!(pushes.locked_until(at(601)), Some(at(610)));
    }

    #[test]
    fn a_push_that_was_approved_does_not_count() {
        let mut pushes = PushAttempts {
            user: Uuid::nil(),
            at: vec![at(1), at(2), at(3)],
        };
        pushes.forgive(at(2));
        pushes.forgive(at(9));
        assert_eq!(pushes.at, [at(1), at(3)]);
        assert_eq!(pushes.locked_until(at(4)), None);
    }
}
