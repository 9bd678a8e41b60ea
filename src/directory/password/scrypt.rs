//! scrypt, in the form `N$salt$r$p$hash` with the hash in padded base64.

use ::scrypt::{Params, scrypt};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq;

use super::{Error, MOST_MEMORY, Scheme, afford, number};

/// The most of N times r times p that may be asked for; Django's own ask for a sixth of that.
const MOST_WORK: u64 = 1 << 22;

/// Below so much work a check is faster than that of a new encoding.
const CHEAP_WORK: u64 = 1 << 17;

/// An encoding, read and found to be affordable.
#[derive(Debug)]
pub(super) struct Encoded {
    params: Params,
    memory: usize,
    work: u64,
    salt: String,
    hash: Vec<u8>,
}

impl Encoded {
    pub(super) fn parse(rest: &str) -> Result<Self, Error> {
        let scheme = Scheme::Scrypt;
        let bad = |part| Error::Malformed { scheme, part };
        let parts: Vec<_> = rest.split('$').collect();
        let [n, salt, r, p, hash] = parts[..] else {
            return Err(bad("number of parts"));
        };
        let n = number(n)
            .filter(|n| n.is_power_of_two() && *n > 1)
            .ok_or_else(|| bad("N"))?;
        let positive = |text, part| number(text).filter(|it| *it > 0).ok_or_else(|| bad(part));
        let (r, p) = (positive(r, "r")?, positive(p, "p")?);
        // None of these products overflows: the second is made of factors that passed the first.
        let per_lane = u64::from(n) * u64::from(r);
        afford(scheme, "work of N times r", per_lane, MOST_WORK)?;
        afford(scheme, "p", p.into(), MOST_WORK)?;
        let work = per_lane * u64::from(p);
        afford(scheme, "work of N times r times p", work, MOST_WORK)?;
        let bytes = 128 * (per_lane + u64::from(r) * u64::from(p));
        afford(scheme, "memory in bytes", bytes, MOST_MEMORY as u64)?;
        if salt.is_empty() {
            return Err(bad("salt"));
        }
        let hash = STANDARD.decode(hash).map_err(|_| bad("hash"))?;
        if hash.len() != 64 {
            return Err(bad("hash"));
        }
        let log_n = u8::try_from(n.ilog2()).map_err(|_| bad("N"))?;
        Ok(Self {
            params: Params::new(log_n, r, p).map_err(|_| bad("costs"))?,
            memory: usize::try_from(bytes).map_err(|_| bad("costs"))?,
            work,
            salt: salt.to_owned(),
            hash,
        })
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let mut hash = vec![0; self.hash.len()];
        let done = scrypt(password, self.salt.as_bytes(), &self.params, &mut hash).is_ok();
        done && bool::from(hash.ct_eq(&self.hash))
    }

    pub(super) fn memory(&self) -> usize {
        self.memory
    }

    pub(super) fn is_cheap(&self) -> bool {
        self.work < CHEAP_WORK
    }
}
