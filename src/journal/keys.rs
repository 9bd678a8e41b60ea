//! The keys that seal bodies: made, wrapped, used and destroyed.
//!
//! Every body is sealed under a data key; a data key is wrapped under another one, or under the
//! root key, and lies in a slot file (see `slots`). It is overwritten there when it is destroyed,
//! which makes every body under it unreadable for ever, also in backups of the log. Nothing here
//! knows records or stores; unwrapped keys leave this module only through [`Keyring::derive`].

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hmac::Mac;
use lru::LruCache;
use secrecy::SecretBox;

use self::cipher::{Plain, derive, fresh, mac, unwrap, wrap};
use self::slots::Slots;
use super::frame::Lookup;
use super::{Error, Key, KeyId, Kind, Result};
use crate::clock::Clock;

mod by_id;
mod cipher;
pub(super) mod remote;
mod root;
mod rotate;
mod slot;
mod slots;
#[cfg(test)]
mod tests;

pub use root::RootKey;
pub use slots::inspect;

/// How many unwrapped keys stay in memory; each takes about a hundred bytes.
const CACHED: NonZeroUsize = NonZeroUsize::new(4096).expect("it is not zero");

/// What opens sealed bodies.
pub trait Opens {
    /// Opens what [`Keyring::seal`] sealed; `None` once the key, or one above it, is destroyed.
    ///
    /// # Errors
    /// [`Error::Altered`] when it was not sealed under this key with this `aad`.
    fn open_sealed(&self, id: KeyId, aad: &[u8], sealed: &[u8]) -> Result<Option<Vec<u8>>>;
}

impl Opens for Keyring {
    fn open_sealed(&self, id: KeyId, aad: &[u8], sealed: &[u8]) -> Result<Option<Vec<u8>>> {
        Self::open_sealed(self, id, aad, sealed)
    }
}

impl Opens for Arc<Keyring> {
    fn open_sealed(&self, id: KeyId, aad: &[u8], sealed: &[u8]) -> Result<Option<Vec<u8>>> {
        Keyring::open_sealed(self, id, aad, sealed)
    }
}

/// The data keys of one journal. All methods may be called from several threads.
#[derive(Debug)]
pub struct Keyring {
    state: Mutex<State>,
    /// Held while a sync runs, so that nobody returns from a sync that another one has begun.
    syncing: Mutex<()>,
    /// Seals what belongs to nobody.
    system: Plain,
    /// The key of all lookups.
    lookups: Plain,
    /// What [`Keyring::derive`] derives from: the system key itself.
    master: Plain,
    clock: Clock,
}

#[derive(Debug)]
struct State {
    slots: Slots,
    root: RootKey,
    cache: LruCache<KeyId, Plain>,
}

impl Keyring {
    /// Opens the keys in the directory `dir`, and makes it with its first key if there is none.
    ///
    /// A change of the root key that a crash interrupted is brought to its end. The caller makes
    /// sure that no other process has the directory open.
    ///
    /// # Errors
    /// [`Error::Damaged`] when `root` is not the key that they were wrapped under, and when a
    /// slot is not what was written; both name the file and the remedy.
    pub fn open(dir: &Path, root: RootKey, clock: &Clock) -> Result<Self> {
        let slots = Slots::open(dir)?;
        let ring = Self::with(slots, root, clock)?;
        ring.finish_rotation()?;
        Ok(ring)
    }

    /// Keys that are never written anywhere, for tests and for journals in memory.
    ///
    /// # Panics
    /// Never: only files can fail.
    #[must_use]
    pub fn in_memory(clock: &Clock) -> Self {
        Self::with(Slots::in_memory(), RootKey::generate(clock), clock)
            .expect("memory does not fail")
    }

    fn with(mut slots: Slots, root: RootKey, clock: &Clock) -> Result<Self> {
        if slots.is_empty() {
            let slot = wrap(
                &fresh(clock),
                KeyId::SYSTEM,
                KeyId::SYSTEM,
                root.current(),
                clock,
            );
            slots.put(&slot)?;
            slots.sync()?;
        }
        let Some(slot) = slots.get(KeyId::SYSTEM)? else {
            return Err(slots.damaged(
                "the system key, which all others depend on, is not in it: restore the file from \
                 a backup",
            ));
        };
        let Some(master) = root.unwrap(&slot) else {
            return Err(wrong_root(&root, &slots));
        };
        drop_orphans(&mut slots)?;
        slots.sync()?;
        Ok(Self {
            state: Mutex::new(State {
                slots,
                root,
                cache: LruCache::new(CACHED),
            }),
            syncing: Mutex::new(()),
            system: Arc::new(derive(&master, "system bodies")),
            lookups: Arc::new(derive(&master, "lookups")),
            master,
            clock: clock.clone(),
        })
    }

    /// Makes the key `id`, wrapped under another one; [`KeyId::SYSTEM`] means the root key.
    ///
    /// A key that exists is left as it is. The key is written, but only [`Keyring::sync`] makes
    /// it durable: call it before anything that is sealed under the key is made durable.
    ///
    /// # Errors
    /// [`Error::NoKey`] when the wrapping key does not exist.
    pub fn create(&self, id: KeyId, under: KeyId) -> Result<()> {
        let mut state = self.state();
        if state.is_whole(id) {
            return Ok(());
        }
        let key = Arc::new(fresh(&self.clock));
        state.put(id, under, &key, &self.clock)
    }

    /// Wraps the key `id` under another one from now on; [`KeyId::SYSTEM`] means the root key.
    ///
    /// # Errors
    /// [`Error::NoKey`] names the key that does not exist, [`Error::KeyRefused`] one that would
    /// wrap itself.
    pub fn wrap(&self, id: KeyId, under: KeyId) -> Result<()> {
        if id == KeyId::SYSTEM {
            return Err(refused(
                id,
                "is the system key, which only the root key wraps",
            ));
        }
        let mut state = self.state();
        if state.chain(under).contains(&id) {
            return Err(refused(id, "cannot be wrapped under itself"));
        }
        let key = state.plain(id)?.ok_or(Error::NoKey(id.0))?;
        state.put(id, under, &key, &self.clock)
    }

    /// Destroys the key `id` and all that it wraps, overwritten and synced when this returns.
    ///
    /// A key that does not exist is no error, so that a repetition after a crash succeeds.
    ///
    /// # Errors
    /// [`Error::KeyRefused`] for the system key.
    pub fn destroy(&self, id: KeyId) -> Result<()> {
        self.destroy_all([id])
    }

    /// Destroys several keys with one sync; otherwise as [`Keyring::destroy`].
    ///
    /// # Errors
    /// [`Error::KeyRefused`] for the system key; then none is destroyed.
    pub fn destroy_all(&self, ids: impl IntoIterator<Item = KeyId>) -> Result<()> {
        let ids: HashSet<KeyId> = ids.into_iter().collect();
        if ids.contains(&KeyId::SYSTEM) {
            return Err(refused(
                KeyId::SYSTEM,
                "is the system key, which cannot be destroyed",
            ));
        }
        {
            let mut state = self.state();
            for id in &ids {
                state.slots.erase(*id)?;
            }
            let State { slots, cache, .. } = &mut *state;
            // What they wrapped goes with them, or a key made again under the same id would
            // seem to wrap it.
            if ids.iter().any(|id| slots.is_wrapping(*id)) {
                drop_orphans(slots)?;
                let cached = cache.iter().map(|(id, _)| *id);
                let gone: Vec<KeyId> = cached.filter(|id| !is_whole(slots, *id)).collect();
                for id in gone {
                    cache.pop(&id);
                }
            } else {
                for id in &ids {
                    cache.pop(id);
                }
            }
        }
        self.sync()
    }

    /// Makes every change durable (`fdatasync`); does nothing when nothing has changed.
    ///
    /// # Errors
    /// [`Error::Io`]. What was written may be lost then, so the caller stops writing.
    pub fn sync(&self) -> Result<()> {
        let _one_at_a_time = self.syncing.lock().unwrap_or_else(PoisonError::into_inner);
        let pending = self.state().slots.take_unsynced();
        pending.map_or(Ok(()), |file| file.sync())
    }

    /// Whether bodies under the key `id` can be opened: it and all keys above it exist.
    #[must_use]
    pub fn contains(&self, id: KeyId) -> bool {
        self.state().is_whole(id)
    }

    /// Whether the key `id` wraps others, or did before it was destroyed.
    #[must_use]
    pub(super) fn is_wrapping(&self, id: KeyId) -> bool {
        self.state().slots.is_wrapping(id)
    }

    /// Whether the key `id` is wrapped, directly or by way of others, under the key `above`.
    #[must_use]
    pub fn is_under(&self, id: KeyId, above: KeyId) -> bool {
        self.state().chain(id).contains(&above)
    }

    /// What wraps the key `id`, [`KeyId::SYSTEM`] for the root key; `None` when it, or one above it,
    /// does not exist.
    #[must_use]
    pub fn wrapper(&self, id: KeyId) -> Option<KeyId> {
        let state = self.state();
        state.slots.wrapper(id).filter(|_| state.is_whole(id))
    }

    /// The keys that are wrapped, directly or by way of others, under the key `above`.
    #[must_use]
    pub fn under(&self, above: KeyId) -> Vec<KeyId> {
        let state = self.state();
        let under = |id: &KeyId| *id != above && state.chain(*id).contains(&above);
        state.slots.ids().filter(under).collect()
    }

    /// Seals `plaintext` under the key `id`; `aad` is authenticated along with it.
    ///
    /// # Errors
    /// [`Error::NoKey`] when the key, or one above it, does not exist.
    pub fn seal(&self, id: KeyId, aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>> {
        let key = self.sealing(id)?.ok_or(Error::NoKey(id.0))?;
        Ok(cipher::seal(&key, aad, plaintext, &self.clock))
    }

    /// Opens what [`Keyring::seal`] sealed; `None` once the key, or one above it, is destroyed.
    ///
    /// # Errors
    /// [`Error::Altered`] when it was not sealed under this key with this `aad`.
    pub fn open_sealed(&self, id: KeyId, aad: &[u8], sealed: &[u8]) -> Result<Option<Vec<u8>>> {
        let Some(key) = self.sealing(id)? else {
            return Ok(None);
        };
        cipher::open(&key, aad, sealed)
            .map(Some)
            .ok_or(Error::Altered(id.0))
    }

    /// The HMAC under which a lookup key of `kind` is stored.
    #[must_use]
    pub fn lookup(&self, kind: Kind, key: &Key) -> Lookup {
        let mut mac = mac(&self.lookups);
        // Each part is preceded by its length, so that no two lookups run into each other.
        for part in [kind.as_str().as_bytes(), key.name.as_bytes(), &key.value] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        Lookup(mac.finalize().into_bytes().into())
    }

    /// A key for another purpose, such as signing cookies.
    ///
    /// The same for ever: neither a restart nor a new root key changes it.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> SecretBox<[u8; 32]> {
        derive(&self.master, &format!("purpose {purpose}"))
    }

    /// The key itself, for sealing; the system key has one derived for that.
    fn sealing(&self, id: KeyId) -> Result<Option<Plain>> {
        if id == KeyId::SYSTEM {
            return Ok(Some(Arc::clone(&self.system)));
        }
        self.state().plain(id)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_whole(&self, id: KeyId) -> bool {
        is_whole(&self.slots, id)
    }

    /// The key and all those above it, the root's last wrapped one at the end.
    fn chain(&self, id: KeyId) -> Vec<KeyId> {
        let mut chain = Vec::new();
        let mut next = Some(id);
        while let Some(id) = next.filter(|id| *id != KeyId::SYSTEM) {
            chain.push(id);
            next = self.slots.wrapper(id);
        }
        chain
    }

    /// The unwrapped key; `None` when it or one above it does not exist.
    fn plain(&mut self, id: KeyId) -> Result<Option<Plain>> {
        if !self.is_whole(id) {
            return Ok(None);
        }
        if let Some(key) = self.cache.get(&id) {
            return Ok(Some(Arc::clone(key)));
        }
        let Some(slot) = self.slots.get(id)? else {
            return Ok(None);
        };
        let key = if slot.wrapper == KeyId::SYSTEM {
            self.root.unwrap(&slot)
        } else {
            let Some(wrapper) = self.plain(slot.wrapper)? else {
                return Ok(None);
            };
            unwrap(&slot, &wrapper)
        };
        let Some(key) = key else {
            return Err(self.slots.damaged(&format!(
                "the key {} does not open under the key {} that wraps it: restore the file from \
                 a backup",
                id.0, slot.wrapper.0
            )));
        };
        self.cache.put(id, Arc::clone(&key));
        Ok(Some(key))
    }

    /// Writes `key` into its slot, wrapped under the key `under`.
    fn put(&mut self, id: KeyId, under: KeyId, key: &Plain, clock: &Clock) -> Result<()> {
        let slot = if under == KeyId::SYSTEM {
            wrap(key, id, under, self.root.current(), clock)
        } else {
            let wrapper = self.plain(under)?.ok_or(Error::NoKey(under.0))?;
            wrap(key, id, under, &wrapper, clock)
        };
        self.slots.put(&slot)?;
        self.cache.put(id, Arc::clone(key));
        Ok(())
    }
}

/// Whether the key and all those above it exist.
fn is_whole(slots: &Slots, mut id: KeyId) -> bool {
    loop {
        match slots.wrapper(id) {
            None => return false,
            Some(KeyId::SYSTEM) => return true,
            Some(wrapper) => id = wrapper,
        }
    }
}

/// Frees the slots of keys whose wrapper was destroyed: nothing can open them any more.
fn drop_orphans(slots: &mut Slots) -> Result<()> {
    let orphans: HashSet<KeyId> = slots.ids().filter(|id| !is_whole(slots, *id)).collect();
    for id in orphans {
        slots.erase(id)?;
    }
    Ok(())
}

fn refused(id: KeyId, problem: &'static str) -> Error {
    Error::KeyRefused { id: id.0, problem }
}

fn wrong_root(root: &RootKey, slots: &Slots) -> Error {
    let path = root.path().map_or_else(PathBuf::new, Path::to_path_buf);
    Error::Damaged {
        path,
        problem: format!(
            "this is not the root key that the keys in {} were wrapped under: put the right file \
             in its place from a backup, or name it in GATELOG_SECRET_KEY_FILE",
            slots.path().display()
        ),
    }
}
