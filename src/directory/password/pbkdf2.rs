//! PBKDF2, in the form `rounds$salt$hash` with the hash in padded base64.

use ::pbkdf2::pbkdf2_hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::Sha1;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::{Error, Scheme, afford, number};

/// The most rounds that may be asked for; Django's own ask for a million.
const MOST_ROUNDS: u64 = 5_000_000;

/// Below so many rounds a check is faster than that of a new encoding.
const CHEAP_ROUNDS: u32 = 100_000;

/// An encoding, read and found to be affordable.
#[derive(Debug)]
pub(super) struct Encoded {
    sha1: bool,
    rounds: u32,
    salt: String,
    hash: Vec<u8>,
}

impl Encoded {
    pub(super) fn parse(scheme: Scheme, rest: &str) -> Result<Self, Error> {
        let bad = |part| Error::Malformed { scheme, part };
        let parts: Vec<_> = rest.split('$').collect();
        let [rounds, salt, hash] = parts[..] else {
            return Err(bad("number of parts"));
        };
        let rounds = number(rounds)
            .filter(|rounds| *rounds > 0)
            .ok_or_else(|| bad("number of rounds"))?;
        afford(scheme, "number of rounds", rounds.into(), MOST_ROUNDS)?;
        if salt.is_empty() {
            return Err(bad("salt"));
        }
        let sha1 = scheme == Scheme::Pbkdf2Sha1;
        let hash = STANDARD.decode(hash).map_err(|_| bad("hash"))?;
        if hash.len() != if sha1 { 20 } else { 32 } {
            return Err(bad("hash"));
        }
        Ok(Self {
            sha1,
            rounds,
            salt: salt.to_owned(),
            hash,
        })
    }

    pub(super) fn scheme(&self) -> Scheme {
        if self.sha1 {
            Scheme::Pbkdf2Sha1
        } else {
            Scheme::Pbkdf2Sha256
        }
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let mut hash = vec![0; self.hash.len()];
        let salt = self.salt.as_bytes();
        if self.sha1 {
            pbkdf2_hmac::<Sha1>(password, salt, self.rounds, &mut hash);
        } else {
            pbkdf2_hmac::<Sha256>(password, salt, self.rounds, &mut hash);
        }
        hash.ct_eq(&self.hash).into()
    }

    pub(super) fn is_cheap(&self) -> bool {
        self.rounds < CHEAP_ROUNDS
    }
}

/// An encoding of one round, which costs nothing and protects nothing: for benches.
pub(super) fn encode_for_benches(password: &str, salt: &str) -> String {
    let mut hash = [0; 32];
    pbkdf2_hmac::<Sha256>(password.as_bytes(), salt.as_bytes(), 1, &mut hash);
    format!(
        "{}$1${salt}${}",
        Scheme::Pbkdf2Sha256,
        STANDARD.encode(hash)
    )
}
