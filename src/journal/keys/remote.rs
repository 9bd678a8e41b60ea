//! Keys that lie in a database which several processes share.
//!
//! A process keeps none of them. Whoever writes is given those that a batch names, as the database
//! has them at that moment, and is told what became of them; whoever reads is given the keys that
//! came with the records. So a key that another process destroyed opens nothing here either. This
//! module knows no database.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use lru::LruCache;
use uuid::Uuid;

use super::cipher::{self, Plain, unwrap};
use super::slot::{SIZE, Slot};
use super::slots::{Slots, TABLE};
use super::{CACHED, Keyring, Opens, RootKey, State, wrong_root};
use crate::clock::Clock;
use crate::journal::{Error, KeyId, Result};

/// A wrapped key as a database keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::journal) struct Wrapped {
    /// The key.
    pub(in crate::journal) id: Uuid,
    /// What wraps it; the nil id for the root key.
    pub(in crate::journal) wrapper: Uuid,
    /// Its slot, which says both again and has a checksum.
    pub(in crate::journal) slot: Vec<u8>,
}

impl From<&Slot> for Wrapped {
    fn from(slot: &Slot) -> Self {
        Self {
            id: slot.id.0,
            wrapper: slot.wrapper.0,
            slot: slot.encode().to_vec(),
        }
    }
}

impl Keyring {
    /// The keys of a database whose system key is this one; with none, one is made, which
    /// [`Keyring::take_written`] gives.
    ///
    /// # Errors
    /// [`Error::Damaged`] when `root` is not the key that the system key was wrapped under, or its
    /// slot is not what was written.
    pub(in crate::journal) fn remote(
        system: Option<&[u8]>,
        root: RootKey,
        clock: &Clock,
    ) -> Result<Self> {
        let mut slots = Slots::noted();
        if let Some(bytes) = system {
            let slot = decode(bytes)?;
            if root.unwrap(&slot).is_none() {
                return Err(wrong_root(&root, &slots));
            }
            slots.put(&slot)?;
            slots.take_written();
        }
        Self::with(slots, root, clock)
    }

    /// From here on it has these keys and no others, but for the system's own.
    ///
    /// # Errors
    /// [`Error::Damaged`] when a slot is not what was written.
    pub(in crate::journal) fn load<'a>(
        &self,
        slots: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<()> {
        let mut loaded = Slots::noted();
        for bytes in slots {
            loaded.put(&decode(bytes)?)?;
        }
        let mut state = self.state();
        if let Some(system) = state.slots.get(KeyId::SYSTEM)? {
            loaded.put(&system)?;
        }
        loaded.take_written();
        let State { slots, cache, .. } = &mut *state;
        *slots = loaded;
        *cache = LruCache::new(CACHED);
        Ok(())
    }

    /// All keys that it has, as a database keeps them; the system key comes first.
    ///
    /// # Errors
    /// When a slot cannot be read.
    pub(in crate::journal) fn wrapped(&self) -> Result<Vec<Wrapped>> {
        let state = self.state();
        let mut ids: Vec<KeyId> = state.slots.ids().collect();
        ids.sort_unstable_by_key(|id| id.0);
        let slots = ids.into_iter().map(|id| state.slots.get(id));
        let slots = slots.filter_map(Result::transpose);
        slots.map(|slot| Ok(Wrapped::from(&slot?))).collect()
    }

    /// The slots that were written since the last call, in that order; a key may be among them twice.
    pub(in crate::journal) fn take_written(&self) -> Vec<Wrapped> {
        let written = self.state().slots.take_written();
        written.iter().map(Wrapped::from).collect()
    }
}

/// The id after that of the key in a slot, for whoever reads keys in portions.
pub(in crate::journal) fn following(slot: &[u8]) -> Option<Uuid> {
    let id = decode(slot).ok()?.id.0;
    id.as_u128().checked_add(1).map(Uuid::from_u128)
}

/// Writes keys of a database into the directory `dir`, in which there are none, as a journal on the disk
/// keeps them.
///
/// # Errors
/// [`Error::Damaged`] when there are keys already, or a slot is not what was written.
pub(in crate::journal) fn restore<'a>(
    dir: &Path,
    slots: impl IntoIterator<Item = &'a [u8]>,
) -> Result<()> {
    let mut restored = Slots::open(dir)?;
    if !restored.is_empty() {
        return Err(restored.damaged("there are keys in it already: name an empty directory"));
    }
    for bytes in slots {
        restored.put(&decode(bytes)?)?;
    }
    restored.sync()
}

/// The keys that came with records: what opens those, and nothing else.
pub(in crate::journal) struct Chain<'a> {
    ring: &'a Keyring,
    slots: HashMap<KeyId, Slot>,
}

impl<'a> Chain<'a> {
    /// These slots, of which each is wrapped under another one or under the root key of `ring`.
    ///
    /// # Errors
    /// [`Error::Damaged`] when a slot is not what was written.
    pub(in crate::journal) fn of<'b>(
        ring: &'a Keyring,
        slots: impl IntoIterator<Item = &'b [u8]>,
    ) -> Result<Self> {
        let slots = slots.into_iter().map(|bytes| {
            let slot = decode(bytes)?;
            Ok((slot.id, slot))
        });
        Ok(Self {
            ring,
            slots: slots.collect::<Result<_>>()?,
        })
    }

    /// The unwrapped key; `None` when it or one above it is not there.
    fn plain(&self, id: KeyId, depth: usize) -> Result<Option<Plain>> {
        // More steps than there are keys would be a circle, which nothing writes.
        let Some(slot) = self.slots.get(&id).filter(|_| depth < self.slots.len()) else {
            return Ok(None);
        };
        let key = if slot.wrapper == KeyId::SYSTEM {
            self.ring.state().root.unwrap(slot)
        } else {
            let Some(wrapper) = self.plain(slot.wrapper, depth + 1)? else {
                return Ok(None);
            };
            unwrap(slot, &wrapper)
        };
        key.map(Some).ok_or_else(|| {
            damaged(&format!(
                "the key {} does not open under the key {} that wraps it: restore the database \
                 from a backup",
                id.0, slot.wrapper.0
            ))
        })
    }
}

impl Opens for Chain<'_> {
    fn open_sealed(&self, id: KeyId, aad: &[u8], sealed: &[u8]) -> Result<Option<Vec<u8>>> {
        if id == KeyId::SYSTEM {
            return self.ring.open_sealed(id, aad, sealed);
        }
        let Some(key) = self.plain(id, 0)? else {
            return Ok(None);
        };
        cipher::open(&key, aad, sealed)
            .map(Some)
            .ok_or(Error::Altered(id.0))
    }
}

fn decode(bytes: &[u8]) -> Result<Slot> {
    <&[u8; SIZE]>::try_from(bytes)
        .ok()
        .and_then(|bytes| Slot::decode(bytes).ok().flatten())
        .ok_or_else(|| {
            damaged("a slot does not match its checksum: restore the database from a backup")
        })
}

fn damaged(problem: &str) -> Error {
    Error::Damaged {
        path: PathBuf::from(TABLE),
        problem: problem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    const ALICE: KeyId = KeyId(Uuid::from_u128(1));
    const LOGIN: KeyId = KeyId(Uuid::from_u128(2));

    fn ring() -> (Keyring, Clock) {
        let clock = Clock::fixed(Timestamp::UNIX_EPOCH);
        let ring = Keyring::remote(None, RootKey::generate(&clock), &clock);
        (ring.expect("memory does not fail"), clock)
    }

    fn slots(written: &[Wrapped]) -> impl Iterator<Item = &[u8]> {
        written.iter().map(|wrapped| wrapped.slot.as_slice())
    }

    #[test]
    fn a_chain_opens_what_the_keys_sealed_and_nothing_without_one_of_them() {
        let (ring, _clock) = ring();
        assert_eq!(ring.take_written().len(), 1, "the system key is new");
        ring.create(ALICE, KeyId::SYSTEM).expect("it can be made");
        ring.create(LOGIN, ALICE).expect("it can be made");
        let sealed = ring.seal(LOGIN, b"place", b"body").expect("the key exists");
        let written = ring.take_written();
        ring.load([]).expect("nothing is damaged");
        assert!(!ring.contains(LOGIN), "it keeps no key");

        let opened = |written: &[Wrapped]| {
            let chain = Chain::of(&ring, slots(written)).expect("nothing is damaged");
            chain
                .open_sealed(LOGIN, b"place", &sealed)
                .expect("nothing was altered")
        };
        assert_eq!(opened(&written).as_deref(), Some(&b"body"[..]));
        for missing in 0..2 {
            let mut rest = written.clone();
            rest.remove(missing);
            assert_eq!(opened(&rest), None);
        }
    }

    #[test]
    fn what_was_loaded_is_used_and_not_written_again() {
        let (ring, _clock) = ring();
        ring.create(ALICE, KeyId::SYSTEM).expect("it can be made");
        let written = ring.take_written();
        ring.load(slots(&written[1..])).expect("nothing is damaged");
        ring.create(ALICE, KeyId::SYSTEM).expect("it is there");
        assert!(ring.contains(ALICE));
        assert_eq!(ring.take_written(), []);
    }

    #[test]
    fn another_root_key_and_a_damaged_slot_are_refused() {
        let (ring, clock) = ring();
        let system = ring.take_written().remove(0).slot;
        let other = Keyring::remote(Some(&system), RootKey::generate(&clock), &clock);
        let Err(Error::Damaged { problem, .. }) = other else {
            panic!("the root key is another one");
        };
        assert!(problem.contains("data_key"), "{problem}");
        let mut damaged = system;
        damaged[40] ^= 1;
        let refused = Keyring::remote(Some(&damaged), RootKey::generate(&clock), &clock);
        assert!(matches!(refused, Err(Error::Damaged { .. })));
    }
}
