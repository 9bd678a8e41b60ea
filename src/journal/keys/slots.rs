//! The slot file: wrapped keys in slots of 128 bytes, overwritten in place.
//!
//! A plain file and not a tree of the store, because a store keeps old bytes. (So does a file
//! system that copies on write, or a snapshot of one; the operator's guide says so.) A slot never
//! crosses a sector, so it is written whole or not at all. The file begins with a header of the
//! same size; zeros are a free slot. This module knows nothing of plain keys.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::by_id::ById;
use super::slot::{SIZE, Slot};
use crate::journal::{Error, KeyId, Result};

const HEADER: &[u8] = b"gatelog data keys 1\n";
/// The file grows by so many slots at once, so that its size seldom has to be synced too. A file
/// system grows a file in one step, so any other size means that the end was lost.
const GROWTH: u32 = 1024;

/// The table that has the slots of a database.
pub(super) const TABLE: &str = "data_key";

/// How often [`inspect`] looks before it says that something is wrong.
const ATTEMPTS: usize = 3;
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Debug)]
enum Bytes {
    File(Synced),
    Memory(HashMap<u32, [u8; SIZE]>),
}

/// A file with its name, for syncing it without holding a lock on the slots.
#[derive(Clone, Debug)]
pub(super) struct Synced {
    file: Arc<File>,
    path: PathBuf,
}

impl Synced {
    /// Returns once every byte written so far is on stable storage.
    pub(super) fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(|error| self.io(error))
    }

    fn io(&self, error: std::io::Error) -> Error {
        Error::io(&self.path, error)
    }
}

/// All slots. In memory lies only where each key is and what wraps it, about 60 bytes per key.
#[derive(Debug)]
pub(super) struct Slots {
    bytes: Bytes,
    places: ById<Place>,
    /// How many keys each key wraps, for those that wrap any.
    wrapping: ById<u32>,
    free: Vec<u32>,
    /// How many slots the file has room for, the header among them.
    room: u32,
    /// The first slot that was never used.
    end: u32,
    unsynced: bool,
    /// What was written, for whoever brings it to a database; `None` where nobody does.
    written: Option<Vec<Slot>>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    slot: u32,
    wrapper: KeyId,
}

impl Slots {
    /// Slots that are never written to a file.
    pub(super) fn in_memory() -> Self {
        Self::empty(Bytes::Memory(HashMap::new()))
    }

    fn empty(bytes: Bytes) -> Self {
        Self {
            bytes,
            places: ById::default(),
            wrapping: ById::default(),
            free: Vec::new(),
            room: 1,
            end: 1,
            unsynced: false,
            written: None,
        }
    }

    /// Slots in memory that keep what is written to them for [`Slots::take_written`].
    pub(super) fn noted() -> Self {
        Self {
            written: Some(Vec::new()),
            ..Self::in_memory()
        }
    }

    /// What was written since the last call, in that order.
    pub(super) fn take_written(&mut self) -> Vec<Slot> {
        self.written
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// Opens the file `slots` in `dir`, which is made when it does not exist, and reads it once.
    pub(super) fn open(dir: &Path) -> Result<Self> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(|error| Error::io(dir, error))?;
        let path = dir.join("slots");
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|error| Error::io(&path, error))?;
        let synced = Synced {
            file: Arc::new(file),
            path,
        };
        let mut slots = Self::empty(Bytes::File(synced.clone()));
        let length = synced.file.metadata().map_err(|error| synced.io(error))?;
        if length.len() < SIZE as u64 {
            slots.begin(&synced, dir)?;
        } else {
            slots.load(&synced, length.len())?;
        }
        Ok(slots)
    }

    /// Writes the header of a new file. One that is shorter never got as far as its first key.
    fn begin(&mut self, synced: &Synced, dir: &Path) -> Result<()> {
        let mut header = [0; SIZE];
        header[..HEADER.len()].copy_from_slice(HEADER);
        let sync = |path: &Path| File::open(path).and_then(|dir| dir.sync_all());
        synced
            .file
            .write_all_at(&header, 0)
            .and_then(|()| synced.file.sync_all())
            .and_then(|()| sync(dir))
            .and_then(|()| dir.parent().filter(|dir| dir.exists()).map_or(Ok(()), sync))
            .map_err(|error| synced.io(error))?;
        self.unsynced = true;
        Ok(())
    }

    fn load(&mut self, synced: &Synced, length: u64) -> Result<()> {
        let mut reader = BufReader::with_capacity(1 << 20, &*synced.file);
        self.places
            .reserve(usize::try_from(length).unwrap_or(0) / SIZE);
        let mut bytes = [0; SIZE];
        let mut number: u32 = 0;
        loop {
            match reader.read_exact(&mut bytes) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => break,
                Err(error) => return Err(synced.io(error)),
            }
            if number == 0 {
                if !bytes.starts_with(HEADER) {
                    return Err(self.damaged("this is not a file of data keys of this version"));
                }
            } else {
                self.take_in(number, &bytes)?;
            }
            number += 1;
        }
        self.room = number;
        self.end = number;
        self.is_of_full_length(length)
    }

    /// A file that was cut off must not pass for one whose last keys were erased.
    fn is_of_full_length(&self, length: u64) -> Result<()> {
        let grown = self.room.saturating_sub(1).div_ceil(GROWTH) * GROWTH;
        let full = offset(1 + grown);
        if length == full {
            return Ok(());
        }
        Err(self.damaged(&format!(
            "it was cut off: it has {length} bytes and must have at least {full}: restore the file \
             from a backup, or `truncate -s {full}` it to give up the keys that stood at its end"
        )))
    }

    fn take_in(&mut self, number: u32, bytes: &[u8; SIZE]) -> Result<()> {
        match Slot::decode(bytes) {
            Ok(None) => self.free.push(number),
            Ok(Some(slot)) => {
                let place = Place {
                    slot: number,
                    wrapper: slot.wrapper,
                };
                if let Some(other) = self.remember(slot.id, place) {
                    return Err(self.damaged(&format!(
                        "the key {} lies in it twice, in slots {} and {number}: restore the file \
                         from a backup",
                        slot.id.0, other.slot
                    )));
                }
            }
            Err(()) => return Err(self.bad_slot(number)),
        }
        Ok(())
    }

    fn bad_slot(&self, number: u32) -> Error {
        self.damaged(&format!(
            "slot {number} (128 bytes at byte {}) does not match its checksum: restore the file \
             from a backup, or overwrite these bytes with zeros to give up the one key in them",
            u64::from(number) * SIZE as u64
        ))
    }

    /// An error that names the file.
    pub(super) fn damaged(&self, problem: &str) -> Error {
        Error::Damaged {
            path: self.path().to_path_buf(),
            problem: problem.into(),
        }
    }

    /// The file; the table where they lie in a database, and empty when they lie nowhere.
    pub(super) fn path(&self) -> &Path {
        match &self.bytes {
            Bytes::File(synced) => &synced.path,
            Bytes::Memory(_) if self.written.is_some() => Path::new(TABLE),
            Bytes::Memory(_) => Path::new(""),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Whether the key wraps other keys, or did so when it was erased.
    pub(super) fn is_wrapping(&self, id: KeyId) -> bool {
        self.wrapping.contains_key(&id)
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = KeyId> {
        self.places.keys().copied()
    }

    /// What wraps the key; `None` when there is no such key.
    pub(super) fn wrapper(&self, id: KeyId) -> Option<KeyId> {
        self.places.get(&id).map(|place| place.wrapper)
    }

    /// Reads the slot of a key.
    pub(super) fn get(&self, id: KeyId) -> Result<Option<Slot>> {
        let Some(place) = self.places.get(&id) else {
            return Ok(None);
        };
        let mut bytes = [0; SIZE];
        match &self.bytes {
            Bytes::File(synced) => synced
                .file
                .read_exact_at(&mut bytes, offset(place.slot))
                .map_err(|error| synced.io(error))?,
            Bytes::Memory(slots) => bytes = slots.get(&place.slot).copied().unwrap_or(bytes),
        }
        match Slot::decode(&bytes) {
            Ok(Some(slot)) if slot.id == id => Ok(Some(slot)),
            _ => Err(self.bad_slot(place.slot)),
        }
    }

    /// Writes the slot over the one that the key has, or into a free one.
    pub(super) fn put(&mut self, slot: &Slot) -> Result<()> {
        let number = match self.places.get(&slot.id) {
            Some(place) => place.slot,
            None => self.free_slot()?,
        };
        self.write(number, &slot.encode())?;
        if let Some(written) = &mut self.written {
            written.push(slot.clone());
        }
        let place = Place {
            slot: number,
            wrapper: slot.wrapper,
        };
        self.remember(slot.id, place);
        Ok(())
    }

    /// Notes where a key is now; returns where it was before.
    fn remember(&mut self, id: KeyId, place: Place) -> Option<Place> {
        *self.wrapping.entry(place.wrapper).or_default() += 1;
        let before = self.places.insert(id, place);
        if let Some(before) = before {
            self.unwrap_one(before.wrapper);
        }
        before
    }

    fn unwrap_one(&mut self, wrapper: KeyId) {
        if let Entry::Occupied(mut wrapped) = self.wrapping.entry(wrapper) {
            *wrapped.get_mut() -= 1;
            if *wrapped.get() == 0 {
                wrapped.remove();
            }
        }
    }

    /// Overwrites the slot of a key with zeros and frees it.
    pub(super) fn erase(&mut self, id: KeyId) -> Result<()> {
        if let Some(place) = self.places.get(&id).copied() {
            self.write(place.slot, &[0; SIZE])?;
            self.places.remove(&id);
            self.unwrap_one(place.wrapper);
            self.free.push(place.slot);
        }
        Ok(())
    }

    fn free_slot(&mut self) -> Result<u32> {
        if let Some(number) = self.free.pop() {
            return Ok(number);
        }
        if self.end == self.room {
            self.room += GROWTH;
            if let Bytes::File(synced) = &self.bytes {
                synced
                    .file
                    .set_len(offset(self.room))
                    .map_err(|error| synced.io(error))?;
            }
        }
        self.end += 1;
        Ok(self.end - 1)
    }

    fn write(&mut self, number: u32, bytes: &[u8; SIZE]) -> Result<()> {
        match &mut self.bytes {
            Bytes::File(synced) => {
                self.unsynced = true;
                synced
                    .file
                    .write_all_at(bytes, offset(number))
                    .map_err(|error| synced.io(error))?;
            }
            Bytes::Memory(slots) => {
                slots.insert(number, *bytes);
            }
        }
        Ok(())
    }

    /// The file, if it has changed since it was last asked for; whoever asks has to sync it.
    pub(super) fn take_unsynced(&mut self) -> Option<Synced> {
        match &self.bytes {
            Bytes::File(synced) if std::mem::take(&mut self.unsynced) => Some(synced.clone()),
            _ => None,
        }
    }

    /// Makes every change durable before it returns.
    pub(super) fn sync(&mut self) -> Result<()> {
        self.take_unsynced().map_or(Ok(()), |file| file.sync())
    }
}

/// Looks at the file `slots` in `dir` without the root key: its length, and the checksum of each
/// slot. Others may be writing to it. No directory is no keys.
///
/// # Errors
/// [`Error::Damaged`] names the first slot that is not what was written.
pub fn inspect(dir: &Path) -> Result<()> {
    let path = dir.join("slots");
    let mut looked = Ok(());
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            // Somebody may have been in the middle of making the file longer.
            std::thread::sleep(PAUSE);
        }
        looked = look(&path);
        if looked.is_ok() {
            break;
        }
    }
    looked
}

fn look(path: &Path) -> Result<()> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io(path, error)),
    };
    let synced = Synced {
        file: Arc::new(file),
        path: path.to_path_buf(),
    };
    let length = synced.file.metadata().map_err(|error| synced.io(error))?;
    if length.len() < SIZE as u64 {
        return Ok(());
    }
    Slots::empty(Bytes::File(synced.clone())).load(&synced, length.len())
}

fn offset(number: u32) -> u64 {
    u64::from(number) * SIZE as u64
}
