//! Proofs, and roots of earlier sizes, out of tiles.

use super::{Edge, HEIGHT, WIDTH, over};
use crate::journal::Hash;

/// A tree that can be read.
pub trait Nodes {
    /// Why a tile cannot be read.
    type Error;

    /// The right edge.
    fn edge(&self) -> &Edge;

    /// The hashes of a full tile.
    ///
    /// # Errors
    /// When it cannot be read.
    fn tile(&self, level: u8, index: u64) -> Result<Vec<Hash>, Self::Error>;
}

/// The root of the tree as it was with `size` leaves; no more than it has now.
///
/// # Errors
/// When a tile cannot be read.
pub fn root<N: Nodes>(nodes: &N, size: u64) -> Result<Hash, N::Error> {
    match size {
        0 => Ok(super::empty()),
        _ => subtree(nodes, 0, size),
    }
}

/// The hashes that lead from the leaf `index` to the root of the tree with `size` leaves.
///
/// # Errors
/// When a tile cannot be read.
pub fn inclusion<N: Nodes>(nodes: &N, index: u64, size: u64) -> Result<Vec<Hash>, N::Error> {
    let mut path = Vec::new();
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + left_part(end - start);
        if index < middle {
            path.push(subtree(nodes, middle, end)?);
            end = middle;
        } else {
            path.push(subtree(nodes, start, middle)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The hashes that show that the tree with `to` leaves begins with the one that has `from`.
///
/// # Errors
/// When a tile cannot be read.
pub fn consistency<N: Nodes>(nodes: &N, from: u64, to: u64) -> Result<Vec<Hash>, N::Error> {
    let mut path = Vec::new();
    if from == 0 || from >= to {
        return Ok(path);
    }
    let (mut start, mut end) = (0, to);
    // Whoever checks the proof has the root of `from` only where it is a subtree of its own.
    let mut is_known = true;
    while from < end {
        let middle = start + left_part(end - start);
        if from <= middle {
            path.push(subtree(nodes, middle, end)?);
            end = middle;
        } else {
            path.push(subtree(nodes, start, middle)?);
            start = middle;
            is_known = false;
        }
    }
    if !is_known {
        path.push(subtree(nodes, start, end)?);
    }
    path.reverse();
    Ok(path)
}

/// The root over the leaves from `start` to before `end`. They are a subtree of some tree.
fn subtree<N: Nodes>(nodes: &N, start: u64, end: u64) -> Result<Hash, N::Error> {
    let length = end - start;
    if length.is_power_of_two() {
        return perfect(nodes, length.trailing_zeros(), start / length);
    }
    let middle = start + left_part(length);
    let left = subtree(nodes, start, middle)?;
    Ok(super::node(left, subtree(nodes, middle, end)?))
}

/// The root of the subtree number `index` of those that have 2^height leaves each.
fn perfect<N: Nodes>(nodes: &N, height: u32, index: u64) -> Result<Hash, N::Error> {
    let level = u8::try_from(height / HEIGHT).expect("a height is below 64");
    let within = height % HEIGHT;
    let first = index << within;
    let tile = first / WIDTH as u64;
    let offset = usize::try_from(first % WIDTH as u64).expect("it is below 16");
    let hashes = offset..offset + (1 << within);
    let edge = nodes.edge();
    let full = edge.size() >> (HEIGHT * (u32::from(level) + 1));
    if tile < full {
        Ok(over(&nodes.tile(level, tile)?[hashes]))
    } else {
        Ok(over(&edge.row(level)[hashes]))
    }
}

/// The largest power of two that is less than `size`, which is at least two.
fn left_part(size: u64) -> u64 {
    size.next_power_of_two() / 2
}
