//! How often one address may do what costs something or tries a password.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;

use crate::flow::client::network;

/// How many addresses are remembered; one that posts seldom is forgotten first.
const ADDRESSES: NonZeroUsize = NonZeroUsize::new(16 * 1024).expect("more than none");

/// A token bucket for each address.
#[derive(Debug)]
pub struct Limiter {
    rate: f64,
    burst: f64,
    buckets: Mutex<LruCache<IpAddr, Bucket>>,
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
        Self {
            rate: f64::from(rate.max(1)),
            burst: f64::from(burst.max(1)),
            buckets: Mutex::new(LruCache::new(ADDRESSES)),
        }
    }

    /// Takes one request of this address at `now` (monotonic).
    ///
    /// # Errors
    /// How long to wait when the address had too many.
    pub fn take(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.get_or_insert_mut(network(address), || Bucket {
            tokens: self.burst,
            filled: now,
        });
        let passed = now.saturating_duration_since(bucket.filled).as_secs_f64();
        bucket.tokens = (bucket.tokens + passed * self.rate).min(self.burst);
        bucket.filled = now;
        if bucket.tokens < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - bucket.tokens) / self.rate));
        }
        bucket.tokens -= 1.0;
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
