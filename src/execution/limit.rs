//! How often one address, or one account, may do what costs something or tries a password.
//!
//! Buckets lie in memory, so that nobody waits for them. Where nodes share a journal, those of addresses tell
//! each other what was taken (`shared`).

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;

use crate::flow::client::network;

mod shared;

pub use shared::share;

/// How many addresses are remembered; one that comes seldom is forgotten first.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(16 * 1024).expect("more than none");

/// So many parts of a burst an address may take without the other nodes being told.
const PARTS: f64 = 10.0;

/// A token bucket for each address. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Limiter(Arc<Buckets<IpAddr>>);

/// A token bucket for each of something; what comes seldom is forgotten first, and begins anew.
#[derive(Debug)]
pub(super) struct Buckets<K: Eq + Hash> {
    rate: f64,
    burst: f64,
    all: Mutex<All<K>>,
}

#[derive(Debug)]
struct All<K: Eq + Hash> {
    buckets: LruCache<K, Bucket>,
    /// So many taken ones are worth telling; none ever, where there is nobody to tell.
    worth: f64,
    /// Those of which so many were taken since it was told.
    ripe: Vec<K>,
}

#[derive(Debug)]
struct Bucket {
    /// Below zero where others have taken more than there was.
    tokens: f64,
    filled: Instant,
    /// What was taken here since it was told.
    untold: f64,
}

impl Limiter {
    /// Allows `rate` requests a second in the long run, and `burst` at once.
    #[must_use]
    pub fn new(rate: u32, burst: u32) -> Self {
        Self(Arc::new(Buckets::new(
            f64::from(rate.max(1)),
            burst,
            REMEMBERED,
        )))
    }

    /// Takes one request of this address at `now` (monotonic).
    ///
    /// # Errors
    /// How long to wait when the address had too many.
    pub fn take(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        self.0.take(network(address), now)
    }
}

impl Limiter {
    /// Whether this address could take one at `now` (monotonic).
    ///
    /// # Errors
    /// As [`Limiter::take`].
    pub fn look(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        self.0.look(&network(address), now)
    }
}

impl<K: Eq + Hash + Copy> Buckets<K> {
    /// Allows `rate` a second in the long run, and `burst` at once, of each of the last `most`.
    pub(super) fn new(rate: f64, burst: u32, most: NonZeroUsize) -> Self {
        Self {
            rate,
            burst: f64::from(burst.max(1)),
            all: Mutex::new(All {
                buckets: LruCache::new(most),
                worth: f64::INFINITY,
                ripe: Vec::new(),
            }),
        }
    }

    /// Takes one.
    ///
    /// # Errors
    /// How long to wait when there were too many.
    pub(super) fn take(&self, key: K, now: Instant) -> Result<(), Duration> {
        let all = &mut *self.all();
        let bucket = all.buckets.get_or_insert_mut(key, || Bucket {
            tokens: self.burst,
            filled: now,
            untold: 0.0,
        });
        bucket.fill(now, self.rate, self.burst);
        bucket.wait(self.rate)?;
        bucket.tokens -= 1.0;
        if bucket.ripens(1.0, all.worth) {
            all.ripe.push(key);
        }
        Ok(())
    }

    /// Whether one could be taken.
    ///
    /// # Errors
    /// As [`Buckets::take`].
    pub(super) fn look(&self, key: &K, now: Instant) -> Result<(), Duration> {
        let mut all = self.all();
        let Some(bucket) = all.buckets.get_mut(key) else {
            return Ok(());
        };
        bucket.fill(now, self.rate, self.burst);
        bucket.wait(self.rate)
    }

    /// From now on it is worth telling what was taken, a tenth of a burst at a time.
    fn tells(&self) {
        self.all().worth = (self.burst / PARTS).max(1.0);
    }

    /// What was taken since it was told, of those of which it is worth telling. It counts as told.
    fn untold(&self) -> Vec<(K, f64)> {
        let mut all = self.all();
        let ripe = std::mem::take(&mut all.ripe);
        let told = |key: K| {
            let bucket = all.buckets.peek_mut(&key)?;
            Some((key, std::mem::take(&mut bucket.untold)))
        };
        ripe.into_iter().filter_map(told).collect()
    }

    /// It could not be told: it will be told later.
    fn not_told(&self, taken: &[(K, f64)]) {
        let all = &mut *self.all();
        for (key, count) in taken {
            let bucket = all.buckets.peek_mut(key);
            if bucket.is_some_and(|it| it.ripens(*count, all.worth)) {
                all.ripe.push(*key);
            }
        }
    }

    /// So many are missing of what all nodes share, without what was not told yet.
    fn learns(&self, key: &K, missing: f64, now: Instant) {
        if let Some(bucket) = self.all().buckets.peek_mut(key) {
            bucket.fill(now, self.rate, self.burst);
            let left = self.burst - missing - bucket.untold;
            bucket.tokens = bucket.tokens.min(left);
        }
    }

    fn all(&self) -> MutexGuard<'_, All<K>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bucket {
    fn fill(&mut self, now: Instant, rate: f64, burst: f64) {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.tokens = (self.tokens + passed * rate).min(burst);
        // Whoever waited for an answer may come with an earlier moment.
        self.filled = self.filled.max(now);
    }

    /// Notes that so many were taken, and says whether that has become worth telling by it.
    fn ripens(&mut self, taken: f64, worth: f64) -> bool {
        let was_ripe = self.untold >= worth;
        self.untold += taken;
        !was_ripe && self.untold >= worth
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
