//! Checking proofs with nothing but hashes. Source: RFC 9162, 2.1.3.2 and 2.1.4.2.

use super::{empty, node};
use crate::journal::Hash;

/// Whether `path` leads from the leaf `index` to the root of a tree with `size` leaves.
#[must_use]
pub fn is_included(leaf: Hash, index: u64, size: u64, path: &[Hash], root: Hash) -> bool {
    if index >= size {
        return false;
    }
    let mut climb = Climb::from(index, size - 1);
    let mut hash = leaf;
    for sibling in path {
        match climb.step() {
            None => return false,
            Some(Side::Left) => hash = node(*sibling, hash),
            Some(Side::Right) => hash = node(hash, *sibling),
        }
    }
    climb.is_done() && hash == root
}

/// Whether `path` shows that the tree with `to` leaves begins with the one that has `from`.
#[must_use]
pub fn is_consistent(from: (u64, Hash), to: (u64, Hash), path: &[Hash]) -> bool {
    if from.0 == 0 {
        return path.is_empty() && from.1 == empty();
    }
    if from.0 == to.0 {
        return path.is_empty() && from.1 == to.1;
    }
    if from.0 > to.0 {
        return false;
    }
    let mut climb = Climb::from(from.0 - 1, to.0 - 1);
    climb.skip();
    let (first, path) = if from.0.is_power_of_two() {
        (from.1, path)
    } else {
        match path.split_first() {
            Some((first, path)) => (*first, path),
            None => return false,
        }
    };
    let (mut earlier, mut later) = (first, first);
    for sibling in path {
        match climb.step() {
            None => return false,
            Some(Side::Left) => {
                earlier = node(*sibling, earlier);
                later = node(*sibling, later);
            }
            Some(Side::Right) => later = node(later, *sibling),
        }
    }
    climb.is_done() && earlier == from.1 && later == to.1
}

/// On which side the next sibling is.
enum Side {
    Left,
    Right,
}

/// The way up: the number of a node within its row, and that of the row's last one.
struct Climb {
    node: u64,
    last: u64,
}

impl Climb {
    const fn from(node: u64, last: u64) -> Self {
        Self { node, last }
    }

    /// Up over all nodes that are right ones.
    fn skip(&mut self) {
        while self.node & 1 == 1 {
            self.up();
        }
    }

    /// The side of the next sibling; `None` when this is the root.
    fn step(&mut self) -> Option<Side> {
        if self.last == 0 {
            return None;
        }
        let side = if self.node & 1 == 1 || self.node == self.last {
            // The last of its row has no sibling in the rows in which it is a left one.
            while self.node & 1 == 0 && self.node != 0 {
                self.up();
            }
            Side::Left
        } else {
            Side::Right
        };
        self.up();
        Some(side)
    }

    fn up(&mut self) {
        self.node >>= 1;
        self.last >>= 1;
    }

    fn is_done(&self) -> bool {
        self.last == 0
    }
}
