//! The only reader of time and of randomness.
//!
//! Everything else receives a [`Clock`], so that a test can stop time and so that a recorded
//! execution never asks the machine. `.ci/clippy.toml` refuses the direct calls elsewhere.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use uuid::Uuid;

/// The moment that lies so far after `now`; the last one there is, where that is too far.
#[must_use]
pub fn later(now: Timestamp, by: Duration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Where the present moment, fresh identifiers and random bytes come from.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System { shift: Shift },
    Fixed(Arc<Mutex<Timestamp>>),
}

impl Clock {
    /// The machine's own clock.
    ///
    /// With the feature `shifted-clock`, `GATELOG_CLOCK_SHIFT` (whole seconds, may be negative)
    /// moves it, so that a test can start a server in the future; `GATELOG_CLOCK_FILE` names a
    /// file of such a number, which is read each time, so that a test can move the clock of one that runs.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System { shift: shift() })
    }

    /// A clock that stands still until [`Clock::advance`] moves it.
    #[must_use]
    pub fn fixed(at: Timestamp) -> Self {
        Self(Source::Fixed(Arc::new(Mutex::new(at))))
    }

    /// The present moment, UTC.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the time"
    )]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System { shift } => Timestamp::now() + shift.now(),
            Source::Fixed(at) => *at.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Moves a fixed clock forward; the system's clock is left alone.
    pub fn advance(&self, by: Duration) {
        if let Source::Fixed(at) = &self.0 {
            *at.lock().unwrap_or_else(PoisonError::into_inner) += by;
        }
    }

    /// A moment for measuring how long something took; never compared with [`Clock::now`].
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the time"
    )]
    pub fn monotonic(&self) -> Instant {
        Instant::now()
    }

    /// A new identifier that sorts by the time of its making (UUID version 7).
    #[must_use]
    pub fn ordered_id(&self) -> Uuid {
        let now = self.now();
        let nanoseconds = u32::try_from(now.subsec_nanosecond()).unwrap_or(0);
        let seconds = u64::try_from(now.as_second()).unwrap_or(0);
        let moment = uuid::Timestamp::from_unix_time(seconds, nanoseconds, 0, 0);
        let mut bytes = *Uuid::new_v7(moment).as_bytes();
        let random: [u8; 10] = random_bytes();
        bytes[6] = 0x70 | (random[0] & 0x0f);
        bytes[7] = random[1];
        bytes[8] = 0x80 | (random[2] & 0x3f);
        bytes[9..].copy_from_slice(&random[3..]);
        Uuid::from_bytes(bytes)
    }

    /// A new identifier that tells nothing and cannot be guessed (UUID version 4).
    #[must_use]
    pub fn opaque_id(&self) -> Uuid {
        let mut bytes: [u8; 16] = random_bytes();
        bytes[6] = 0x40 | (bytes[6] & 0x0f);
        bytes[8] = 0x80 | (bytes[8] & 0x3f);
        Uuid::from_bytes(bytes)
    }

    /// `N` bytes from the operating system's generator.
    #[must_use]
    pub fn random<const N: usize>(&self) -> [u8; N] {
        random_bytes()
    }

    /// So many random decimal digits.
    #[must_use]
    pub fn random_digits(&self, length: usize) -> SecretString {
        let mut text = String::with_capacity(length);
        while text.len() < length {
            let bytes: [u8; 16] = random_bytes();
            // As below: 250 is the last whole multiple of 10.
            let digits = bytes.iter().filter(|byte| **byte < 250);
            text.extend(digits.map(|byte| char::from(b'0' + *byte % 10)));
        }
        text.truncate(length);
        text.into()
    }

    /// A random text of ASCII letters and digits; 22 characters hold 131 bits.
    #[must_use]
    pub fn random_text(&self, length: usize) -> SecretString {
        const ALPHABET: &[u8; 62] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut text = String::with_capacity(length);
        while text.len() < length {
            let bytes: [u8; 32] = random_bytes();
            // Values past the last whole multiple of 62 are thrown away, or some letters
            // would come more often than others.
            let letters = bytes.iter().filter(|byte| **byte < 248);
            text.extend(letters.map(|byte| char::from(ALPHABET[usize::from(*byte) % 62])));
        }
        text.truncate(length);
        text.into()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that asks for randomness"
)]
fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system's generator answers");
    bytes
}

/// How far the machine's clock is moved.
#[derive(Clone, Debug)]
enum Shift {
    #[cfg(feature = "shifted-clock")]
    By(SignedDuration),
    #[cfg(feature = "shifted-clock")]
    AsWritten(Arc<std::path::PathBuf>),
    #[cfg(not(feature = "shifted-clock"))]
    Never,
}

impl Shift {
    fn now(&self) -> SignedDuration {
        match self {
            #[cfg(feature = "shifted-clock")]
            Self::By(shift) => *shift,
            #[cfg(feature = "shifted-clock")]
            Self::AsWritten(file) => in_seconds(std::fs::read_to_string(&**file).ok()),
            #[cfg(not(feature = "shifted-clock"))]
            Self::Never => SignedDuration::ZERO,
        }
    }
}

#[cfg(feature = "shifted-clock")]
fn in_seconds(text: Option<String>) -> SignedDuration {
    text.and_then(|seconds| seconds.trim().parse().ok())
        .map_or(SignedDuration::ZERO, SignedDuration::from_secs)
}

#[cfg(feature = "shifted-clock")]
fn shift() -> Shift {
    #[cfg(not(debug_assertions))]
    compile_error!("the feature `shifted-clock` is for tests: a release build refuses it");
    match std::env::var_os("GATELOG_CLOCK_FILE") {
        Some(file) => Shift::AsWritten(Arc::new(file.into())),
        None => Shift::By(in_seconds(std::env::var("GATELOG_CLOCK_SHIFT").ok())),
    }
}

#[cfg(not(feature = "shifted-clock"))]
fn shift() -> Shift {
    Shift::Never
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn ordered_ids_sort_by_time() {
        let clock = Clock::fixed(Timestamp::UNIX_EPOCH);
        let first = clock.ordered_id();
        clock.advance(Duration::from_secs(1));
        assert!(first < clock.ordered_id());
        assert_eq!(first.get_version_num(), 7);
    }

    #[test]
    fn opaque_ids_are_version_four() {
        assert_eq!(Clock::system().opaque_id().get_version_num(), 4);
    }

    #[test]
    fn random_text_has_the_asked_length() {
        assert_eq!(Clock::system().random_text(60).expose_secret().len(), 60);
    }
}
