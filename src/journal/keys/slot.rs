//! One slot, byte by byte. The layout is frozen.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::journal::KeyId;

/// A slot has so many bytes; a whole number of them fills a sector.
pub(super) const SIZE: usize = 128;
/// Where the checksum begins: 16 bytes of SHA-256 over all bytes before it.
const CHECKED: usize = 112;
const IN_USE: u8 = 1;

/// One wrapped key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) id: KeyId,
    /// The key above; [`KeyId::SYSTEM`] for the root key.
    pub(super) wrapper: KeyId,
    pub(super) nonce: [u8; 24],
    pub(super) sealed: [u8; 48],
}

impl Slot {
    /// What the cipher authenticates, so that a slot cannot be passed off as another key's.
    pub(super) fn authenticated(id: KeyId, wrapper: KeyId) -> Vec<u8> {
        [
            &b"gatelog data key"[..],
            id.0.as_bytes(),
            wrapper.0.as_bytes(),
        ]
        .concat()
    }

    /// State, 3 bytes of zero, id, wrapper, nonce, sealed key, 4 bytes of zero, checksum.
    pub(super) fn encode(&self) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        bytes[0] = IN_USE;
        bytes[4..20].copy_from_slice(self.id.0.as_bytes());
        bytes[20..36].copy_from_slice(self.wrapper.0.as_bytes());
        bytes[36..60].copy_from_slice(&self.nonce);
        bytes[60..108].copy_from_slice(&self.sealed);
        let checksum = checksum(&bytes);
        bytes[CHECKED..].copy_from_slice(&checksum);
        bytes
    }

    /// The slot; `None` when it is free.
    pub(super) fn decode(bytes: &[u8; SIZE]) -> std::result::Result<Option<Self>, ()> {
        if bytes.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        if bytes[0] != IN_USE || checksum(bytes) != bytes[CHECKED..] {
            return Err(());
        }
        Ok(Some(Self {
            id: KeyId(Uuid::from_bytes(part(&bytes[4..20]))),
            wrapper: KeyId(Uuid::from_bytes(part(&bytes[20..36]))),
            nonce: part(&bytes[36..60]),
            sealed: part(&bytes[60..108]),
        }))
    }
}

fn part<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("the ranges are constants")
}

fn checksum(bytes: &[u8; SIZE]) -> [u8; SIZE - CHECKED] {
    part(&Sha256::digest(&bytes[..CHECKED])[..SIZE - CHECKED])
}
