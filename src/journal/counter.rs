//! Counters: what an addition makes of one. Nothing here is stored or looked up.

use jiff::Timestamp;

use super::frame::{Added, Lookup};
use super::keys::Keyring;
use super::{Key, Kind, StreamId};

/// The kind of the streams that hold the moves of counters.
pub const KIND: Kind = Kind::new("counter");

/// What a counter stands at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Its value.
    pub value: i64,
    /// From this moment on it is forgotten.
    pub expires: Option<Timestamp>,
}

impl Counter {
    /// The counter after `added` was applied at the moment `at`; `current` is what it was before.
    ///
    /// A counter that is unknown or has expired starts at zero and lives as long as this write
    /// says. The result lies within the bounds, whatever it was before.
    #[must_use]
    pub fn after(current: Option<Self>, added: &Added, at: Timestamp) -> Self {
        let (value, expires) = match current {
            Some(counter) if !counter.is_over(at) => (counter.value, counter.expires),
            _ => (0, added.expires),
        };
        Self {
            value: value
                .saturating_add(added.delta)
                .min(added.max)
                .max(added.min),
            expires,
        }
    }

    /// Its value at the moment `now`; zero once it has expired.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> i64 {
        if self.is_over(now) { 0 } else { self.value }
    }

    fn is_over(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

/// The HMAC under which a counter is stored.
#[must_use]
pub fn lookup(keyring: &Keyring, counter: &[u8]) -> Lookup {
    keyring.lookup(KIND, &Key::new("counter", counter))
}

/// The stream of a counter: its id is the beginning of the HMAC, marked as a UUID of version 8.
#[must_use]
pub fn stream(lookup: &Lookup) -> StreamId {
    let mut id = [0; 16];
    id.copy_from_slice(&lookup.0[..16]);
    StreamId::new(KIND, uuid::Builder::from_custom_bytes(id).into_uuid())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(delta: i64, expires: Option<Timestamp>) -> Added {
        Added {
            counter: Lookup([0; 32]),
            delta,
            min: -5,
            max: 10,
            expires,
        }
    }

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("it is in range")
    }

    #[test]
    fn a_counter_stays_within_its_bounds() {
        let up = Counter::after(None, &add(i64::MAX, None), second(0));
        assert_eq!(up.value, 10);
        let down = Counter::after(Some(up), &add(i64::MIN, None), second(0));
        assert_eq!(down.value, -5);
    }

    #[test]
    fn only_the_write_that_makes_a_counter_sets_its_end() {
        let made = Counter::after(None, &add(1, Some(second(10))), second(0));
        let moved = Counter::after(Some(made), &add(1, Some(second(99))), second(9));
        assert_eq!(moved.expires, Some(second(10)));
        assert_eq!((moved.at(second(9)), moved.at(second(10))), (2, 0));
        let again = Counter::after(Some(moved), &add(1, Some(second(20))), second(10));
        assert_eq!(again.value, 1);
        assert_eq!(again.expires, Some(second(20)));
    }
}
