//! Changing the root key, such that a crash at any moment leaves every key openable.
//!
//! The new key is first written beside the old one; then every slot that the root wraps is
//! wrapped anew, in place, and synced; then the new file takes the name of the old one. Until
//! that last step both keys are on disk, each slot opens under one of them, and the next start
//! goes on where the crash was.

use super::cipher::wrap;
use super::{Keyring, RootKey, State};
use crate::clock::Clock;
use crate::journal::{KeyId, Result};

impl Keyring {
    /// Changes the root key to `new`, in its file and in every slot that it wraps.
    ///
    /// Takes the place of the old root key's file; where `new` was read from does not matter.
    ///
    /// # Errors
    /// [`crate::journal::Error::Io`] names the file that could not be written. The change is then
    /// finished by the next start, or by calling this again.
    pub fn rotate(&self, new: &RootKey) -> Result<()> {
        // A change that failed half-way has slots under its own key: it is finished first.
        self.finish_rotation()?;
        let mut state = self.state();
        state.root.begin(new)?;
        state.finish_rotation(&self.clock)
    }

    /// Brings a change that was interrupted to its end.
    pub(super) fn finish_rotation(&self) -> Result<()> {
        let mut state = self.state();
        if state.root.is_changing() {
            state.finish_rotation(&self.clock)?;
        }
        Ok(())
    }
}

impl State {
    fn finish_rotation(&mut self, clock: &Clock) -> Result<()> {
        self.rewrap(clock)?;
        self.slots.sync()?;
        self.root.finish()
    }

    /// Wraps every slot that the root wraps under the root's current key.
    fn rewrap(&mut self, clock: &Clock) -> Result<()> {
        let wrapped: Vec<KeyId> = self
            .slots
            .ids()
            .filter(|id| self.slots.wrapper(*id) == Some(KeyId::SYSTEM))
            .collect();
        wrapped
            .into_iter()
            .try_for_each(|id| self.rewrap_one(id, clock))
    }

    pub(super) fn rewrap_one(&mut self, id: KeyId, clock: &Clock) -> Result<()> {
        let Some(slot) = self.slots.get(id)? else {
            return Ok(());
        };
        let Some(key) = self.root.unwrap(&slot) else {
            return Err(self.slots.damaged(&format!(
                "the key {} does not open under the root key: restore the file from a backup",
                id.0
            )));
        };
        let slot = wrap(&key, id, KeyId::SYSTEM, self.root.current(), clock);
        self.slots.put(&slot)
    }
}
