//! What lies on disk for each record: a frame in clear, and a payload that is sealed.
//!
//! Each layout is frozen: a change is a new format number next to the others, and the golden files
//! of every format are read for ever. Nothing here knows keys or stores.

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Hash, KeyId, Kind, StreamId, Version};

mod compact;
mod disk;
#[cfg(test)]
mod tests;

/// The format that is written. Older ones are read for ever.
pub const FORMAT: u8 = compact::FORMAT;

/// The first format of which bodies are packed before they are sealed.
pub const PACKED: u8 = compact::FORMAT;

/// The most bytes that one encoded record may have.
pub const LIMIT: usize = 4 << 20;

/// What a record did to its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Events were added.
    Append,
    /// A revision of an object became the current one.
    Put,
    /// The object ended.
    Delete,
    /// A counter was moved.
    Add,
}

impl Operation {
    /// Whether its records hold a body, as long as nobody removes it.
    #[must_use]
    pub const fn has_body(self) -> bool {
        matches!(self, Self::Append | Self::Put)
    }

    /// The number that stands for it on disk.
    const fn code(self) -> u8 {
        match self {
            Self::Append => 1,
            Self::Put => 2,
            Self::Delete => 3,
            Self::Add => 4,
        }
    }

    const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Append),
            2 => Some(Self::Put),
            3 => Some(Self::Delete),
            4 => Some(Self::Add),
            _ => None,
        }
    }
}

/// The part of a record that stays when its body is removed, and that the chain covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Which layout this is; [`FORMAT`] for new ones.
    pub format: u8,
    /// What the record did.
    pub operation: Operation,
    /// The stream that it belongs to.
    pub stream: StreamId,
    /// Its place in that stream.
    pub version: Version,
    /// The moment of the commit, to the nanosecond.
    pub at: Timestamp,
    /// The schema number of the body; zero where there is none.
    pub schema: u16,
    /// The request that caused it.
    pub correlation: Uuid,
    /// The key that seals the body.
    pub key: KeyId,
    /// The hash of the stream's record before this one.
    pub previous: Hash,
    /// SHA-256 over the encoded payload.
    pub body_hash: Hash,
}

impl Frame {
    /// SHA-256 over every field, in a fixed order and width.
    #[must_use]
    pub fn hash(&self) -> Hash {
        let mut hasher = Sha256::new_with_prefix(b"gatelog frame");
        hasher.update(self.before_sealing());
        hasher.update(self.body_hash.0);
        Hash(hasher.finalize().into())
    }

    /// The fields that are known before the body is sealed, as the hash sees them.
    ///
    /// The sealed body authenticates them, so a body opens only in its own place.
    #[must_use]
    pub fn before_sealing(&self) -> Vec<u8> {
        let kind = self.stream.kind.as_str().as_bytes();
        let mut bytes = Vec::with_capacity(160);
        bytes.push(self.format);
        bytes.push(self.operation.code());
        // A kind has at most 23 bytes; zeros fill it up, and no name holds a zero byte.
        bytes.extend_from_slice(kind);
        bytes.resize(2 + Kind::LONGEST, 0);
        bytes.extend_from_slice(self.stream.id.as_bytes());
        bytes.extend_from_slice(&self.version.0.to_be_bytes());
        bytes.extend_from_slice(&self.at.as_second().to_be_bytes());
        bytes.extend_from_slice(&self.at.subsec_nanosecond().to_be_bytes());
        bytes.extend_from_slice(&self.schema.to_be_bytes());
        bytes.extend_from_slice(self.correlation.as_bytes());
        bytes.extend_from_slice(self.key.0.as_bytes());
        bytes.extend_from_slice(&self.previous.0);
        bytes
    }
}

/// The HMAC of a lookup key: all that the store keeps of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lookup(pub [u8; 32]);

/// The move of a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Added {
    /// The HMAC of the counter's name.
    pub counter: Lookup,
    /// What is added.
    pub delta: i64,
    /// The least that the counter may become.
    pub min: i64,
    /// The most that it may become.
    pub max: i64,
    /// When the counter is forgotten, if this write makes it.
    pub expires: Option<Timestamp>,
}

/// What the body hash covers: the sealed body, and what is needed to rebuild the state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payload {
    /// Lookups under which no other object of the kind may be found.
    pub unique: Vec<Lookup>,
    /// Lookups under which several may be found.
    pub index: Vec<Lookup>,
    /// For [`Operation::Add`] only.
    pub added: Option<Added>,
    /// The sealed body; empty for deletions and counters.
    pub sealed: Vec<u8>,
}

impl Payload {
    /// SHA-256 over the payload as records of this format have it.
    #[must_use]
    pub fn hash(&self, format: u8) -> Hash {
        hash_body(&match format {
            disk::FORMAT => disk::encode_payload(self),
            _ => compact::encode_payload(self),
        })
    }
}

/// A record as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The part that stays for ever.
    pub frame: Frame,
    /// The part that retention may remove; the frame and the chain stay verifiable without it.
    pub payload: Option<Payload>,
}

impl Record {
    /// The bytes that are stored, in the record's own format.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self.frame.format {
            disk::FORMAT => disk::encode(self),
            _ => compact::encode(self),
        }
    }

    /// Reads what [`Record::encode`] wrote, and checks that nothing of it was altered.
    ///
    /// # Errors
    /// Says what is wrong with the bytes. No input makes it panic or ask for much memory.
    pub fn decode(bytes: &[u8]) -> Result<Self, String> {
        match bytes.first() {
            Some(&disk::FORMAT) => disk::decode(bytes),
            Some(&compact::FORMAT) => compact::decode(bytes),
            Some(other) => Err(format!(
                "it has format {other}, and this version of Gatelog knows formats up to {FORMAT}: install \
                 the version that wrote it"
            )),
            None => Err("it is empty".into()),
        }
    }

    /// The format of these bytes, where this version is too old to know it.
    #[must_use]
    pub fn newer_format(bytes: &[u8]) -> Option<u8> {
        bytes.first().copied().filter(|format| *format > FORMAT)
    }

    /// Whether the record follows the one with the hash `previous` and its body is its own.
    ///
    /// # Errors
    /// Says which of the two is not so.
    pub fn check(&self, previous: Hash) -> Result<(), String> {
        if self.frame.previous != previous {
            return Err("it does not follow the record before it".into());
        }
        match &self.payload {
            Some(payload) if payload.hash(self.frame.format) != self.frame.body_hash => {
                Err("its body does not match its frame".into())
            }
            _ => Ok(()),
        }
    }

    /// Whether it had a body once and has none any more.
    #[must_use]
    pub fn lacks_body(&self) -> bool {
        self.payload.is_none() && self.frame.operation != Operation::Delete
    }

    /// The same record with its body removed, as retention leaves it.
    #[must_use]
    pub fn without_body(self) -> Self {
        Self {
            payload: None,
            ..self
        }
    }
}

fn hash_body(encoded: &[u8]) -> Hash {
    let mut hasher = Sha256::new_with_prefix(b"gatelog body");
    hasher.update(encoded);
    Hash(hasher.finalize().into())
}
