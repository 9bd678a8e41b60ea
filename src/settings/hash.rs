//! The pool that computes password hashes.

use super::reader::Reader;

/// `hash.*`. Each hash of a login takes 19 MiB while it is computed, so the pool's size bounds
/// the memory that a flood of logins can take.
#[derive(Clone, Debug)]
pub struct Hash {
    /// How many hashes are computed at once; as many as there are cores by default.
    pub threads: usize,
    /// Bytes that all of them may take together; fewer threads are started where that is not
    /// enough, and a single costly hash that was imported may take up to 275 MiB.
    pub memory: u64,
    /// How many may wait; further ones are refused with 503.
    pub queue: usize,
}

impl Hash {
    pub(super) fn read(from: &mut Reader) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, Into::into);
        Self {
            threads: from.count("hash.threads", cores),
            memory: from.size("hash.memory", 512 << 20),
            queue: from.count("hash.queue", 256),
        }
    }
}
