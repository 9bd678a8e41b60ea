//! Passwords as they are stored: making new encodings, and checking all that Django makes.
//!
//! New ones are argon2id in Django's form, `argon2$argon2id$v=19$m=19456,t=2,p=1$salt$hash`, so
//! that an export can be read by Django. Everything here computes for as long as it takes and
//! blocks its thread: a server goes through [`Pool`]. Nothing here knows a user.

mod argon2;
mod bcrypt;
mod pbkdf2;
pub mod pool;
mod scrypt;
#[cfg(test)]
mod tests;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::clock::Clock;
use crate::flow::model::words;

pub use argon2::Scratch;
pub use pool::{Busy, Pool};

/// What marks an encoding that no password fits.
const UNUSABLE: char = '!';

/// The most characters that an encoding may have; Django's column has 128.
const LONGEST: usize = 512;

/// The most memory that checking one encoding may take, in bytes; Django's own take 100 MiB.
const MOST_MEMORY: usize = 256 << 20;

words! {
    /// The ways of encoding a password.
    Scheme {
        /// Argon2, in any of its variants.
        Argon2 = "argon2",
        /// PBKDF2 with HMAC-SHA-256.
        Pbkdf2Sha256 = "pbkdf2_sha256",
        /// PBKDF2 with HMAC-SHA-1.
        Pbkdf2Sha1 = "pbkdf2_sha1",
        /// bcrypt over the SHA-256 of the password.
        BcryptSha256 = "bcrypt_sha256",
        /// scrypt.
        Scrypt = "scrypt",
    }
}

/// Whether a password was the right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was.
    Accepted {
        /// How the stored one was encoded.
        scheme: Scheme,
        /// Whether it should be encoded anew, now that it is known.
        outdated: bool,
    },
    /// It was another.
    Rejected,
    /// Nobody can have the right one: none is set, or its encoding cannot be read.
    Unusable,
}

/// Why an encoding is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It names no scheme that is known.
    #[error("Invalid password hash format. Must be a valid Django password hash.")]
    UnknownScheme,
    /// A part of it is missing or is not what its scheme says.
    #[error("the {scheme} password hash has no valid {part}")]
    Malformed {
        /// The scheme that it names.
        scheme: Scheme,
        /// The part.
        part: &'static str,
    },
    /// Checking it would take more time or memory than one login may.
    #[error(
        "the {scheme} password hash has a {part} of {value}, more than the {most} allowed; set the password anew"
    )]
    TooExpensive {
        /// The scheme that it names.
        scheme: Scheme,
        /// The part.
        part: &'static str,
        /// What the part asks for.
        value: u64,
        /// The most that it may ask for.
        most: u64,
    },
}

/// Encodes a password in the preferred way, with a fresh salt. Takes 20 ms and 19 MiB or so.
#[must_use]
pub fn hash(password: &SecretString, clock: &Clock) -> SecretString {
    hash_with(password, clock, &mut Scratch::default())
}

/// Checks a password. Takes as long as the encoding asks for, three seconds at most or so.
#[must_use]
pub fn verify(password: &SecretString, encoded: &SecretString) -> Verdict {
    match Encoded::parse(encoded.expose_secret()) {
        Ok(parsed) => parsed.verify(password, &mut Scratch::default()),
        Err(_) => Verdict::Unusable,
    }
}

/// Reads all of an encoding, for whoever is about to store one that was made elsewhere.
///
/// # Errors
/// Says what is wrong with it; an unusable one is of an unknown scheme.
pub fn check(encoded: &str) -> Result<Scheme, Error> {
    Encoded::parse(encoded).map(|parsed| parsed.scheme())
}

/// Whether an encoding that was made elsewhere may be stored; [`check`] says why not.
#[must_use]
pub fn is_acceptable(encoded: &str) -> bool {
    check(encoded).is_ok()
}

/// An encoding that no password fits; random, so that two of them tell nothing.
#[must_use]
pub fn unusable(clock: &Clock) -> SecretString {
    let tail = clock.random_text(40);
    format!("{UNUSABLE}{}", tail.expose_secret()).into()
}

/// An encoding that no password fits, made from one that is to be replaced by it: for whoever has
/// no randomness at hand. Two of them tell nothing, since their salts were random.
#[must_use]
pub fn unusable_after(encoded: &SecretString) -> SecretString {
    let digest = Sha256::digest(encoded.expose_secret());
    let digits = base16ct::lower::encode_string(&digest[..20]);
    format!("{UNUSABLE}{digits}").into()
}

/// Whether any password may fit this encoding.
#[must_use]
pub fn is_usable(encoded: &str) -> bool {
    !encoded.starts_with(UNUSABLE) && is_acceptable(encoded)
}

fn hash_with(password: &SecretString, clock: &Clock, scratch: &mut Scratch) -> SecretString {
    let salt = clock.random_text(22);
    argon2::encode(password.expose_secret(), salt.expose_secret(), scratch).into()
}

/// An encoding that was read in full and found to be affordable.
#[derive(Debug)]
enum Encoded {
    Argon2(argon2::Encoded),
    Pbkdf2(pbkdf2::Encoded),
    Bcrypt(bcrypt::Encoded),
    Scrypt(scrypt::Encoded),
}

impl Encoded {
    fn parse(encoded: &str) -> Result<Self, Error> {
        if encoded.len() > LONGEST {
            return Err(Error::UnknownScheme);
        }
        let (scheme, rest) = encoded.split_once('$').ok_or(Error::UnknownScheme)?;
        let scheme = scheme.parse().map_err(|_| Error::UnknownScheme)?;
        Ok(match scheme {
            Scheme::Argon2 => Self::Argon2(argon2::Encoded::parse(rest)?),
            Scheme::Pbkdf2Sha256 | Scheme::Pbkdf2Sha1 => {
                Self::Pbkdf2(pbkdf2::Encoded::parse(scheme, rest)?)
            }
            Scheme::BcryptSha256 => Self::Bcrypt(bcrypt::Encoded::parse(rest)?),
            Scheme::Scrypt => Self::Scrypt(scrypt::Encoded::parse(rest)?),
        })
    }

    fn scheme(&self) -> Scheme {
        match self {
            Self::Argon2(_) => Scheme::Argon2,
            Self::Pbkdf2(it) => it.scheme(),
            Self::Bcrypt(_) => Scheme::BcryptSha256,
            Self::Scrypt(_) => Scheme::Scrypt,
        }
    }

    fn verify(&self, password: &SecretString, scratch: &mut Scratch) -> Verdict {
        let password = password.expose_secret().as_bytes();
        let matches = match self {
            Self::Argon2(it) => it.matches(password, scratch),
            Self::Pbkdf2(it) => it.matches(password),
            Self::Bcrypt(it) => it.matches(password),
            Self::Scrypt(it) => it.matches(password),
        };
        if matches {
            Verdict::Accepted {
                scheme: self.scheme(),
                outdated: !matches!(self, Self::Argon2(it) if it.is_strong()),
            }
        } else {
            Verdict::Rejected
        }
    }

    /// Whether checking it is so much cheaper than a new encoding that the time tells which
    /// users have it.
    fn is_cheap(&self) -> bool {
        match self {
            Self::Argon2(it) => it.is_cheap(),
            Self::Pbkdf2(it) => it.is_cheap(),
            Self::Bcrypt(it) => it.is_cheap(),
            Self::Scrypt(it) => it.is_cheap(),
        }
    }

    /// The bytes that checking it takes beyond what a thread keeps at hand.
    fn extra_memory(&self) -> usize {
        match self {
            Self::Argon2(it) => it.extra_memory(),
            Self::Scrypt(it) => it.memory(),
            Self::Pbkdf2(_) | Self::Bcrypt(_) => 0,
        }
    }
}

/// Reads a whole number of ASCII digits and nothing else.
fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// Refuses a part that asks for more than `most`.
fn afford(scheme: Scheme, part: &'static str, value: u64, most: u64) -> Result<(), Error> {
    if value <= most {
        Ok(())
    } else {
        Err(Error::TooExpensive {
            scheme,
            part,
            value,
            most,
        })
    }
}
