//! Evidence that the journal is what it was, for those who have nothing but a public key.
//!
//! The frames of all records, in their global order, are the leaves of one Merkle tree
//! ([`tree`]). Now and then its root is signed ([`Signer`]), as a checkpoint. From then on a
//! proof shows that one record is in the tree ([`Inclusion`]), or that a later tree begins with
//! an earlier one ([`Consistency`]). All of it is text; only [`file`](mod@file) knows files, and nothing here
//! knows stores.

mod checkpoint;
pub mod file;
pub(in crate::journal) mod held;
mod note;
mod proof;
pub mod tree;

#[cfg(test)]
mod tests;

pub use checkpoint::{Checkpoint, Signed, read_all, whole};
pub use note::{Signer, Verifier};
pub use proof::{Consistency, Inclusion, Proof, open};

use super::Hash;

/// What a journal is: how many records it has, and the root of the tree over them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stand {
    /// How many records there are, which is the position of the last one.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
}

impl Stand {
    /// That of a journal whose tree has this right edge.
    #[must_use]
    pub fn of(edge: &tree::Edge) -> Self {
        Self {
            size: edge.size(),
            root: edge.root(),
        }
    }
}

/// Why something is no evidence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is not what it is taken for.
    #[error("this is no {what}: {problem}")]
    Malformed {
        /// What it should be.
        what: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The key that was asked for signed nothing of it, or something else.
    #[error("it does not bear the signature of {0}")]
    Unsigned(String),
    /// It is signed, and does not show what it says.
    #[error("{0}")]
    Refuted(String),
}

impl Error {
    fn malformed(what: &'static str, problem: impl Into<String>) -> Self {
        Self::Malformed {
            what,
            problem: problem.into(),
        }
    }
}
