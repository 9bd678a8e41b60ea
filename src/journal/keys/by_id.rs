//! Tables of keys by their id. A start reads as many as there ever were executions that are still kept.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::journal::KeyId;

/// A table by id.
pub(super) type ById<T> = HashMap<KeyId, T, BuildHasherDefault<LastBytes>>;

/// Takes the last bytes of an id as its hash: they are random, and nobody outside chooses them.
#[derive(Default)]
pub(super) struct LastBytes(u64);

impl Hasher for LastBytes {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(last) = bytes.last_chunk() {
            // Two bits of them are the same in all ids, so they are spread.
            self.0 = u64::from_le_bytes(*last).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }

    /// The length of an id, which all have in common.
    fn write_usize(&mut self, _length: usize) {}
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_was_put_in_is_found_by_its_id_alone() {
        let mut table: ById<u32> = ById::default();
        for number in 0..1_000 {
            // The system's key, and users' keys, may have anything in their last bytes.
            table.insert(KeyId(Uuid::from_u128(u128::from(number) << 64)), number);
        }
        for number in 0..1_000 {
            let id = KeyId(Uuid::from_u128(u128::from(number) << 64));
            assert_eq!(table.get(&id), Some(&number));
        }
        assert_eq!(table.len(), 1_000);
    }
}
