//! What the log holds besides records: changes that belong to no stream.
//!
//! The layout is frozen: variants are only ever added at the end.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::super::{Hash, KeyId, Lease};

/// The most bytes that a note may have.
const LIMIT: usize = 4 << 20;

/// A change that is written to the log but belongs to no stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Note {
    /// Somebody took or renewed a lease.
    Leased {
        /// Its name.
        name: String,
        /// Its epoch.
        epoch: u64,
        /// Its end, whole seconds since 1970.
        seconds: i64,
        /// Its end, the nanoseconds beyond.
        nanoseconds: i32,
    },
    /// These keys were destroyed. Repeated after a crash, since the log comes first.
    Destroyed(Vec<[u8; 16]>),
}

impl Note {
    /// The note of this lease.
    pub(super) fn leased(lease: &Lease) -> Self {
        Self::Leased {
            name: lease.name.clone(),
            epoch: lease.epoch,
            seconds: lease.expires.as_second(),
            nanoseconds: lease.expires.subsec_nanosecond(),
        }
    }

    /// The note of these destroyed keys.
    pub(super) fn destroyed(keys: &[KeyId]) -> Self {
        Self::Destroyed(keys.iter().map(|key| key.0.into_bytes()).collect())
    }

    /// The lease that was taken, if this is about one.
    pub(super) fn lease(&self) -> Option<Lease> {
        match self {
            Self::Leased {
                name,
                epoch,
                seconds,
                nanoseconds,
            } => Some(Lease {
                name: name.clone(),
                epoch: *epoch,
                expires: Timestamp::new(*seconds, *nanoseconds).ok()?,
            }),
            Self::Destroyed(_) => None,
        }
    }

    /// The keys that were destroyed.
    pub(super) fn destroyed_keys(&self) -> impl Iterator<Item = KeyId> + '_ {
        let keys = match self {
            Self::Destroyed(keys) => keys.as_slice(),
            Self::Leased { .. } => &[],
        };
        keys.iter().map(|id| KeyId(Uuid::from_bytes(*id)))
    }

    /// Its hash and its bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let bytes = bincode::serde::encode_to_vec(self, configuration())
            .expect("a note has only lists, texts and numbers");
        [&hash(&bytes).0[..], &bytes].concat()
    }

    /// The hash at the beginning of what [`Note::encode`] gave.
    pub(super) fn hash_of(encoded: &[u8]) -> Hash {
        Hash(encoded.first_chunk().copied().unwrap_or_default())
    }

    /// Reads [`Note::encode`], and checks the hash.
    pub(super) fn decode(bytes: &[u8]) -> Result<(Self, Hash), String> {
        let (written, bytes) = bytes
            .split_first_chunk::<32>()
            .ok_or("the note has no hash")?;
        if *written != hash(bytes).0 {
            return Err("the note does not match its hash".into());
        }
        let (note, length) = bincode::serde::decode_from_slice(bytes, configuration())
            .map_err(|error| error.to_string())?;
        if length != bytes.len() {
            return Err("the note was written by a newer version; read it with that one".into());
        }
        Ok((note, Hash(*written)))
    }
}

fn configuration() -> impl bincode::config::Config {
    bincode::config::standard().with_limit::<LIMIT>()
}

fn hash(bytes: &[u8]) -> Hash {
    let mut hasher = Sha256::new_with_prefix(b"gatelog note");
    hasher.update(bytes);
    Hash(hasher.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_as_it_was_written_or_not_at_all() {
        let lease = Lease {
            name: "timers".into(),
            epoch: 7,
            expires: Timestamp::new(5, 6).expect("in range"),
        };
        let note = Note::leased(&lease);
        let good = note.encode();
        let (read, _) = Note::decode(&good).expect("reads");
        assert_eq!((read.lease(), &read), (Some(lease), &note));
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert!(Note::decode(&bad).is_err());
        }
        let keys = [KeyId(Uuid::from_u128(1)), KeyId(Uuid::from_u128(2))];
        let (read, _) = Note::decode(&Note::destroyed(&keys).encode()).expect("reads");
        assert!(read.destroyed_keys().eq(keys));
    }
}
