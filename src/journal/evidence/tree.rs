//! A Merkle tree that only grows, hashed as RFC 9162 says: the same as in RFC 6962.
//!
//! It is kept in tiles of sixteen hashes: a row of leaves, above it a row with one hash for each
//! full tile, and so on. What is not full yet is the [`Edge`]. Pure: whoever keeps the tiles
//! gives them back as [`Nodes`].

use sha2::{Digest, Sha256};

use crate::journal::Hash;

mod check;
mod prove;
#[cfg(test)]
mod tests;

pub use check::{is_consistent, is_included};
pub use prove::{Nodes, consistency, inclusion, root};

/// How many hashes a tile has.
pub const WIDTH: usize = 16;

/// The logarithm of [`WIDTH`].
const HEIGHT: u32 = 4;

/// The hash of the leaf that stands for a record.
#[must_use]
pub fn leaf(record: Hash) -> Hash {
    leaf_of(&record.0)
}

fn leaf_of(bytes: &[u8]) -> Hash {
    let mut hasher = Sha256::new_with_prefix([0]);
    hasher.update(bytes);
    Hash(hasher.finalize().into())
}

fn node(left: Hash, right: Hash) -> Hash {
    let mut hasher = Sha256::new_with_prefix([1]);
    hasher.update(left.0);
    hasher.update(right.0);
    Hash(hasher.finalize().into())
}

/// The root of a tree with nothing in it.
#[must_use]
pub fn empty() -> Hash {
    Hash(Sha256::digest(b"").into())
}

/// The root over subtrees of one size, of which the last may be smaller.
fn over(subtrees: &[Hash]) -> Hash {
    match subtrees {
        [] => empty(),
        [one] => *one,
        _ => {
            let (left, right) = subtrees.split_at(left_part(subtrees.len()));
            node(over(left), over(right))
        }
    }
}

/// The largest power of two that is less than `size`, which is at least two.
fn left_part(size: usize) -> usize {
    size.next_power_of_two() / 2
}

/// Sixteen hashes that will never change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// The row: 0 has the leaves.
    pub level: u8,
    /// Which one in its row.
    pub index: u64,
    /// Its hashes.
    pub hashes: Vec<Hash>,
}

/// The right edge of a tree: all that is needed to go on, and to know its root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    size: u64,
    /// For each row, the hashes after its last full tile.
    rows: Vec<Vec<Hash>>,
}

impl Edge {
    /// How many leaves the tree has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds the next leaf; `full` is given the tiles that became full.
    pub fn push(&mut self, leaf: Hash, mut full: impl FnMut(Tile)) {
        let mut hash = leaf;
        for level in 0_u8.. {
            let at = usize::from(level);
            if self.rows.len() == at {
                self.rows.push(Vec::with_capacity(WIDTH));
            }
            let row = &mut self.rows[at];
            row.push(hash);
            if row.len() < WIDTH {
                break;
            }
            let hashes = std::mem::replace(row, Vec::with_capacity(WIDTH));
            hash = over(&hashes);
            full(Tile {
                level,
                index: self.size >> (HEIGHT * (u32::from(level) + 1)),
                hashes,
            });
        }
        self.size += 1;
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut smaller: Option<Hash> = None;
        for row in &self.rows {
            let mut subtrees = row.clone();
            subtrees.extend(smaller);
            smaller = (!subtrees.is_empty()).then(|| over(&subtrees));
        }
        smaller.unwrap_or_else(empty)
    }

    /// The hashes of a row that are not in a full tile.
    #[must_use]
    pub fn row(&self, level: u8) -> &[Hash] {
        self.rows.get(usize::from(level)).map_or(&[], Vec::as_slice)
    }

    /// Its bytes: the size, and the hashes of all rows, the leaves first.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.size.to_be_bytes().to_vec();
        for hash in self.rows.iter().flatten() {
            bytes.extend_from_slice(&hash.0);
        }
        bytes
    }

    /// Reads [`Edge::to_bytes`].
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (size, rest) = bytes.split_first_chunk::<8>()?;
        let size = u64::from_be_bytes(*size);
        let (hashes, rest) = rest.as_chunks::<32>();
        let mut hashes = hashes.iter().copied().map(Hash);
        let mut rows = Vec::new();
        let mut row = size;
        while row > 0 {
            let length = usize::try_from(row % WIDTH as u64).ok()?;
            let hashes: Vec<Hash> = hashes.by_ref().take(length).collect();
            if hashes.len() < length {
                return None;
            }
            rows.push(hashes);
            row >>= HEIGHT;
        }
        (rest.is_empty() && hashes.next().is_none()).then_some(Self { size, rows })
    }
}
