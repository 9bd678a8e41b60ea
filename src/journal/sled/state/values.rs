//! The bytes of current revisions, counters and leases.

use jiff::Timestamp;

use crate::journal::Lease;
use crate::journal::counter::Counter;
use crate::journal::frame::Lookup;

/// An object's current revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::journal::sled) enum Current {
    /// The encoded record itself.
    Here(Vec<u8>),
    /// The record is large and lies in the log.
    Elsewhere {
        /// Its position.
        position: u64,
        /// Its unique keys.
        unique: Vec<Lookup>,
        /// Its index keys.
        index: Vec<Lookup>,
    },
}

impl Current {
    /// Larger records are not copied: sled would move their pages to files of their own.
    pub(in crate::journal::sled) const INLINE: usize = 4 << 10;

    /// Its bytes.
    pub(in crate::journal::sled) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Here(record) => [&[1], record.as_slice()].concat(),
            Self::Elsewhere {
                position,
                unique,
                index,
            } => {
                let mut bytes = vec![2];
                bytes.extend_from_slice(&position.to_be_bytes());
                bytes.extend_from_slice(&(unique.len() as u64).to_be_bytes());
                for lookup in unique.iter().chain(index) {
                    bytes.extend_from_slice(&lookup.0);
                }
                bytes
            }
        }
    }

    /// Reads [`Current::to_bytes`].
    pub(in crate::journal::sled) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes.split_first()? {
            (1, record) => Some(Self::Here(record.to_vec())),
            (2, rest) => {
                let (position, rest) = rest.split_first_chunk::<8>()?;
                let (count, rest) = rest.split_first_chunk::<8>()?;
                let (lookups, rest) = rest.as_chunks::<32>();
                let count = usize::try_from(u64::from_be_bytes(*count)).ok()?;
                let (unique, index) = lookups.split_at_checked(count)?;
                let lookups = |bytes: &[[u8; 32]]| bytes.iter().copied().map(Lookup).collect();
                rest.is_empty().then(|| Self::Elsewhere {
                    position: u64::from_be_bytes(*position),
                    unique: lookups(unique),
                    index: lookups(index),
                })
            }
            _ => None,
        }
    }
}

/// What a counter's bytes are: value and end.
pub(in crate::journal::sled) fn counter_to_bytes(counter: &Counter) -> Vec<u8> {
    let mut bytes = counter.value.to_be_bytes().to_vec();
    if let Some(expires) = counter.expires {
        bytes.extend_from_slice(&time_to_bytes(expires));
    }
    bytes
}

/// Reads [`counter_to_bytes`].
pub(in crate::journal::sled) fn counter_from_bytes(bytes: &[u8]) -> Option<Counter> {
    let (value, expires) = bytes.split_first_chunk::<8>()?;
    let expires = match expires {
        [] => None,
        bytes => Some(time_from_bytes(bytes)?),
    };
    Some(Counter {
        value: i64::from_be_bytes(*value),
        expires,
    })
}

/// What a lease's bytes are: epoch and end; its name is in the key.
pub(in crate::journal::sled) fn lease_to_bytes(lease: &Lease) -> Vec<u8> {
    [
        &lease.epoch.to_be_bytes()[..],
        &time_to_bytes(lease.expires),
    ]
    .concat()
}

/// Reads [`lease_to_bytes`].
pub(in crate::journal::sled) fn lease_from_bytes(name: &str, bytes: &[u8]) -> Option<Lease> {
    let (epoch, expires) = bytes.split_first_chunk::<8>()?;
    Some(Lease {
        name: name.to_owned(),
        epoch: u64::from_be_bytes(*epoch),
        expires: time_from_bytes(expires)?,
    })
}

/// Seconds and nanoseconds.
fn time_to_bytes(time: Timestamp) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[..8].copy_from_slice(&time.as_second().to_be_bytes());
    bytes[8..].copy_from_slice(&time.subsec_nanosecond().to_be_bytes());
    bytes
}

fn time_from_bytes(bytes: &[u8]) -> Option<Timestamp> {
    let (seconds, nanoseconds) = bytes.split_first_chunk::<8>()?;
    let nanoseconds = i32::from_be_bytes(nanoseconds.try_into().ok()?);
    Timestamp::new(i64::from_be_bytes(*seconds), nanoseconds).ok()
}
