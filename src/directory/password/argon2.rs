//! Argon2: the preferred scheme, in the form `argon2id$v=19$m=KiB,t=passes,p=lanes$salt$hash`.

use ::argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use subtle::ConstantTimeEq;

use super::{Error, MOST_MEMORY, Scheme, afford, number};

/// What new encodings cost, as OWASP recommends: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const HASH_LENGTH: usize = 32;

/// The most KiB times passes that may be asked for; Django's own ask for a fifth of that.
const MOST_WORK: u64 = 1 << 20;

/// Working memory that is used again and again by one thread, 19 MiB once it has been used.
#[derive(Default)]
pub struct Scratch(Vec<Block>);

impl Scratch {
    /// What it holds on to, in bytes.
    pub(super) const SIZE: usize = MEMORY_KIB as usize * Block::SIZE;

    fn fill(&mut self, argon2: &Argon2<'_>, password: &[u8], salt: &[u8], out: &mut [u8]) -> bool {
        let needed = argon2.params().block_count();
        if needed > MEMORY_KIB as usize {
            // Rare and large, so it goes back at once.
            let mut own = vec![Block::default(); needed];
            return argon2
                .hash_password_into_with_memory(password, salt, out, &mut own[..])
                .is_ok();
        }
        if self.0.is_empty() {
            self.0 = vec![Block::default(); MEMORY_KIB as usize];
        }
        argon2
            .hash_password_into_with_memory(password, salt, out, &mut self.0[..])
            .is_ok()
    }
}

/// Encodes in the preferred way. The salt is text, as Django's is.
pub(super) fn encode(password: &str, salt: &str, scratch: &mut Scratch) -> String {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(HASH_LENGTH))
        .expect("the preferred cost is within Argon2's bounds");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut hash = [0; HASH_LENGTH];
    let done = scratch.fill(&argon2, password.as_bytes(), salt.as_bytes(), &mut hash);
    assert!(
        done,
        "the preferred cost and a salt of 22 characters are accepted"
    );
    format!(
        "{}$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${}${}",
        Scheme::Argon2,
        STANDARD_NO_PAD.encode(salt),
        STANDARD_NO_PAD.encode(hash),
    )
}

/// An encoding, read and found to be affordable.
#[derive(Debug)]
pub(super) struct Encoded {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Encoded {
    pub(super) fn parse(rest: &str) -> Result<Self, Error> {
        let bad = |part| Error::Malformed {
            scheme: Scheme::Argon2,
            part,
        };
        let parts: Vec<_> = rest.split('$').collect();
        let (variant, version, costs, salt, hash) = match parts[..] {
            [variant, version, costs, salt, hash] => (variant, version, costs, salt, hash),
            // Before version 19 none was written.
            [variant, costs, salt, hash] => (variant, "v=16", costs, salt, hash),
            _ => return Err(bad("number of parts")),
        };
        let algorithm = match variant {
            "argon2id" => Algorithm::Argon2id,
            "argon2i" => Algorithm::Argon2i,
            "argon2d" => Algorithm::Argon2d,
            _ => return Err(bad("variant")),
        };
        let version = match version {
            "v=19" => Version::V0x13,
            "v=16" => Version::V0x10,
            _ => return Err(bad("version")),
        };
        let costs: Vec<_> = costs.split(',').collect();
        let [memory, passes, lanes] = costs[..] else {
            return Err(bad("costs"));
        };
        let cost = |text: &str, name| text.strip_prefix(name).and_then(number);
        let memory = cost(memory, "m=").ok_or_else(|| bad("memory cost"))?;
        let passes = cost(passes, "t=").ok_or_else(|| bad("number of passes"))?;
        let lanes = cost(lanes, "p=").ok_or_else(|| bad("number of lanes"))?;
        let most_kib = (MOST_MEMORY / 1024) as u64;
        afford(Scheme::Argon2, "memory cost", memory.into(), most_kib)?;
        let work = u64::from(memory) * u64::from(passes);
        afford(Scheme::Argon2, "memory cost times passes", work, MOST_WORK)?;
        afford(Scheme::Argon2, "number of lanes", lanes.into(), 255)?;
        let salt = STANDARD_NO_PAD.decode(salt).map_err(|_| bad("salt"))?;
        let hash = STANDARD_NO_PAD.decode(hash).map_err(|_| bad("hash"))?;
        if salt.len() < ::argon2::MIN_SALT_LEN {
            return Err(bad("salt"));
        }
        if !(16..=128).contains(&hash.len()) {
            return Err(bad("hash"));
        }
        let params =
            Params::new(memory, passes, lanes, Some(hash.len())).map_err(|_| bad("costs"))?;
        Ok(Self {
            algorithm,
            version,
            params,
            salt,
            hash,
        })
    }

    pub(super) fn matches(&self, password: &[u8], scratch: &mut Scratch) -> bool {
        let argon2 = Argon2::new(self.algorithm, self.version, self.params.clone());
        let mut hash = vec![0; self.hash.len()];
        let done = scratch.fill(&argon2, password, &self.salt, &mut hash);
        done && bool::from(hash.ct_eq(&self.hash))
    }

    /// Whether it is at least what a new encoding would be.
    pub(super) fn is_strong(&self) -> bool {
        self.algorithm == Algorithm::Argon2id
            && self.version == Version::V0x13
            && self.params.m_cost() >= MEMORY_KIB
            && self.params.t_cost() >= PASSES
            && self.salt.len() >= 16
            && self.hash.len() >= HASH_LENGTH
    }

    pub(super) fn is_cheap(&self) -> bool {
        let work = |memory: u32, passes: u32| u64::from(memory) * u64::from(passes);
        work(self.params.m_cost(), self.params.t_cost()) < work(MEMORY_KIB, PASSES)
    }

    pub(super) fn extra_memory(&self) -> usize {
        let needed = self.params.block_count();
        if needed > MEMORY_KIB as usize {
            needed * Block::SIZE
        } else {
            0
        }
    }
}
