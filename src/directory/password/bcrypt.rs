//! bcrypt over the SHA-256 of the password in hex, in the form `$2b$cost$salt-and-hash`.
//!
//! The digest comes first because bcrypt itself looks at 72 bytes only.

use ::bcrypt::HashParts;
use sha2::{Digest, Sha256};

use super::{Error, Scheme, afford};

/// The highest cost that may be asked for, two seconds or so; Django's own ask for 12.
const MOST_COST: u32 = 15;

/// Below this cost a check is faster than that of a new encoding.
const CHEAP_COST: u32 = 9;

/// An encoding, read and found to be affordable.
#[derive(Debug)]
pub(super) struct Encoded {
    text: String,
    cost: u32,
}

impl Encoded {
    pub(super) fn parse(rest: &str) -> Result<Self, Error> {
        let scheme = Scheme::BcryptSha256;
        let parts: HashParts = rest.parse().map_err(|_| Error::Malformed {
            scheme,
            part: "bcrypt text",
        })?;
        let cost = parts.get_cost();
        afford(scheme, "cost", cost.into(), MOST_COST.into())?;
        if cost < 4 {
            return Err(Error::Malformed {
                scheme,
                part: "cost",
            });
        }
        Ok(Self {
            text: rest.to_owned(),
            cost,
        })
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let hex = base16ct::lower::encode_string(&Sha256::digest(password));
        // The comparison within is constant-time.
        ::bcrypt::verify(hex, &self.text).unwrap_or(false)
    }

    pub(super) fn is_cheap(&self) -> bool {
        self.cost < CHEAP_COST
    }
}
