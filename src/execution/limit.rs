//! How often one address, or one account, may do what costs something or tries a password.

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;

use crate::flow::client::network;

/// How many addresses are remembered; one that comes seldom is forgotten first.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(16 * 1024).expect("more than none");

/// A token bucket for each address.
#[derive(Debug)]
pub struct Limiter(Buckets<IpAddr>);

/// A token bucket for each of something; what comes seldom is forgotten first, and begins anew.
#[derive(Debug)]
pub(super) struct Buckets<K: Eq + Hash> {
    rate: f64,
    burst: f64,
    all: Mutex<LruCache<K, Bucket>>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Limiter {
    /// Allows `rate` requests a second in the long run, and `burst` at once.
    #[must_use]
    pub fn new(rate: u32, burst: u32) -> Self {
        Self(Buckets::new(f64::from(rate.max(1)), burst, REMEMBERED))
    }

    /// Takes one request of this address at `now` (monotonic).
    ///
    /// # Errors
    /// How long to wait when the address had too many.
    pub fn take(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        self.0.take(network(address), now)
    }
}

impl<K: Eq + Hash> Buckets<K> {
    /// Allows `rate` a second in the long run, and `burst` at once, of each of the last `most`.
    pub(super) fn new(rate: f64, burst: u32, most: NonZeroUsize) -> Self {
        Self {
            rate,
            burst: f64::from(burst.max(1)),
            all: Mutex::new(LruCache::new(most)),
        }
    }

    /// Takes one.
    ///
    /// # Errors
    /// How long to wait when there were too many.
    pub(super) fn take(&self, key: K, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.get_or_insert_mut(key, || Bucket {
            tokens: self.burst,
            filled: now,
        });
        bucket.fill(now, self.rate, self.burst);
        bucket.wait(self.rate)?;
        bucket.tokens -= 1.0;
        Ok(())
    }

    /// Whether one could be taken.
    ///
    /// # Errors
    /// As [`Buckets::take`].
    pub(super) fn look(&self, key: &K, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(bucket) = buckets.get_mut(key) else {
            return Ok(());
        };
        bucket.fill(now, self.rate, self.burst);
        bucket.wait(self.rate)
    }
}

impl Bucket {
    fn fill(&mut self, now: Instant, rate: f64, burst: f64) {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.tokens = (self.tokens + passed * rate).min(burst);
        self.filled = now;
    }

    /// How long it takes until there is one, where there is none.
    fn wait(&self, rate: f64) -> Result<(), Duration> {
        if self.tokens < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - self.tokens) / rate));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("a literal")
    }

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let limiter = Limiter::new(2, 3);
        let now = Clock::system().monotonic();
        let here = address("192.0.2.1");
        for _ in 0..3 {
            assert_eq!(limiter.take(here, now), Ok(()));
        }
        assert_eq!(limiter.take(here, now), Err(Duration::from_millis(500)));
        assert_eq!(limiter.take(here, now + Duration::from_millis(500)), Ok(()));
        assert!(
            limiter
                .take(here, now + Duration::from_millis(500))
                .is_err()
        );
    }

    #[test]
    fn whoever_looks_takes_nothing() {
        let buckets = Buckets::new(0.5, 1, REMEMBERED);
        let now = Clock::system().monotonic();
        for _ in 0..3 {
            assert_eq!(buckets.look(&1, now), Ok(()));
        }
        assert_eq!(buckets.take(1, now), Ok(()));
        assert_eq!(buckets.look(&1, now), Err(Duration::from_secs(2)));
        assert_eq!(buckets.look(&2, now), Ok(()));
    }

    #[test]
    fn addresses_do_not_share_a_bucket_but_one_subscriber_does() {
        let limiter = Limiter::new(1, 1);
        let now = Clock::system().monotonic();
        assert_eq!(limiter.take(address("192.0.2.1"), now), Ok(()));
        assert_eq!(limiter.take(address("192.0.2.2"), now), Ok(()));
        assert_eq!(limiter.take(address("2001:db8::1"), now), Ok(()));
        assert!(limiter.take(address("2001:db8::2"), now).is_err());
        assert_eq!(limiter.take(address("2001:db8:0:1::1"), now), Ok(()));
    }
}
