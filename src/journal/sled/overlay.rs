//! Changes to the state that are not made yet: those of a batch, and of a commit within it.
//!
//! Later commits of a batch see the earlier ones; a commit that fails leaves no trace.

use std::collections::HashMap;

use super::super::{Error, Result};
use super::store::Store;

type Changes = HashMap<Vec<u8>, Option<Vec<u8>>>;

/// The state with changes laid over it.
pub(super) struct Overlay<'a> {
    state: &'a Store,
    kept: Changes,
    pending: Changes,
}

impl<'a> Overlay<'a> {
    /// The state as it is.
    pub(super) fn new(state: &'a Store) -> Self {
        Self {
            state,
            kept: Changes::new(),
            pending: Changes::new(),
        }
    }

    /// The value as the changes leave it.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        for changes in [&self.pending, &self.kept] {
            if let Some(value) = changes.get(key) {
                return Ok(value.clone());
            }
        }
        Ok(self.state.get(key)?.map(|value| value.to_vec()))
    }

    /// Changes a value until [`Overlay::discard`].
    pub(super) fn set(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.pending.insert(key, value);
    }

    /// Makes the changes since the last call part of the batch.
    pub(super) fn keep(&mut self) {
        self.kept.extend(self.pending.drain());
    }

    /// Forgets the changes since the last [`Overlay::keep`].
    pub(super) fn discard(&mut self) {
        self.pending.clear();
    }

    /// How many values the batch changes.
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    /// Makes all changes that were kept, and begins anew.
    pub(super) fn apply(&mut self) -> Result<()> {
        let mut batch = sled::Batch::default();
        for (key, value) in self.kept.drain() {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        self.state.apply(batch)
    }

    /// The error for a value that cannot be read.
    pub(super) fn unreadable(&self, what: impl std::fmt::Display) -> Error {
        self.state.unreadable(what)
    }
}
