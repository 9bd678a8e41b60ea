//! A plain copy of a part of the journal, which needs neither sled nor a key to be read.
//!
//! A file is a row of gzip members, so `zcat` shows all of it. Each member holds some 64 KiB of
//! entries (place, length, bytes, checksum) and says in its header how long it is and which
//! places it covers, so one record is found by reading one member. The last one is empty.
//! Nothing here writes to a log.

use std::fs::File;
use std::io::Write;
use std::num::NonZeroUsize;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;

use super::super::{Error, Result};
use super::log::Entry;
use super::place::Place;
use member::{HEADER, Header};

mod member;

/// How many decompressed members are kept of each open export.
const CACHED: NonZeroUsize = NonZeroUsize::new(16).expect("16 is not zero");

/// Entries are gathered until they have this many bytes.
const MEMBER: usize = 64 << 10;

/// Writes entries as an export.
pub(super) struct Writer<W> {
    to: W,
    path: PathBuf,
    raw: Vec<u8>,
    first: Option<Place>,
    last: Place,
}

impl<W: Write> Writer<W> {
    /// Begins an export; `path` is for error messages only.
    pub(super) fn new(to: W, path: &Path) -> Self {
        Self {
            to,
            path: path.to_path_buf(),
            raw: Vec::with_capacity(MEMBER),
            first: None,
            last: Place::START,
        }
    }

    /// Adds the next entry.
    pub(super) fn write(&mut self, entry: &Entry) -> Result<()> {
        self.first.get_or_insert(entry.place);
        self.last = entry.place;
        member::push(&mut self.raw, entry);
        if self.raw.len() >= MEMBER {
            self.end_member()?;
        }
        Ok(())
    }

    /// Ends the export and gives back what it was written to.
    pub(super) fn finish(mut self) -> Result<W> {
        self.end_member()?;
        self.put(Place::START)?;
        self.to
            .flush()
            .map_err(|error| Error::io(&self.path, error))?;
        Ok(self.to)
    }

    fn end_member(&mut self) -> Result<()> {
        match self.first.take() {
            Some(first) => self.put(first),
            None => Ok(()),
        }
    }

    fn put(&mut self, first: Place) -> Result<()> {
        let bytes = member::compress(&self.raw, first, self.last)
            .and_then(|bytes| self.to.write_all(&bytes));
        bytes.map_err(|error| Error::io(&self.path, error))?;
        self.raw.clear();
        Ok(())
    }
}

/// An export that is read.
pub(super) struct Export {
    path: PathBuf,
    file: File,
    members: Vec<(u64, Header)>,
    cache: Mutex<LruCache<usize, Arc<Vec<Entry>>>>,
}

impl Export {
    /// Opens an export and reads the headers of its members.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|error| Error::io(path, error))?;
        let mut export = Self {
            path: path.to_path_buf(),
            file,
            members: Vec::new(),
            cache: Mutex::new(LruCache::new(CACHED)),
        };
        let size = export
            .file
            .metadata()
            .map_err(|error| Error::io(path, error))?
            .len();
        let mut offset = 0;
        loop {
            let bytes = export.bytes(offset, HEADER as u64, size)?;
            let header = Header::read(&bytes).map_err(|problem| export.damaged(offset, problem))?;
            let next = offset + u64::from(header.length);
            if next > size {
                return Err(export.damaged(offset, "the file is cut off"));
            }
            if header.is_end() {
                if next != size {
                    return Err(export.damaged(next, "something follows the end"));
                }
                export.check_end(offset, header)?;
                return Ok(export);
            }
            export.members.push((offset, header));
            offset = next;
        }
    }

    /// Where the file lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The place of the last entry, if there is any.
    pub(super) fn last(&self) -> Option<Place> {
        self.members.last().map(|(_, header)| header.last)
    }

    /// The encoded record at `position`, if this export holds it.
    pub(super) fn record(&self, position: u64) -> Result<Option<Vec<u8>>> {
        let place = Place::record(position);
        let number = self.member_of(place);
        if number >= self.members.len() {
            return Ok(None);
        }
        let entries = self.member(number)?;
        let found = entries.binary_search_by_key(&place, |entry| entry.place);
        Ok(found.ok().map(|at| entries[at].bytes.clone()))
    }

    /// The entries from `from` on; ends after the first error.
    pub(super) fn entries(&self, from: Place) -> impl Iterator<Item = Result<Entry>> + '_ {
        let mut failed = false;
        (self.member_of(from)..self.members.len())
            .map_while(move |number| {
                if failed {
                    return None;
                }
                let member = self.read_member(number);
                failed = member.is_err();
                Some(member)
            })
            .flat_map(|member| match member {
                Ok(entries) => entries.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error)],
            })
            .filter(move |entry| entry.as_ref().map_or(true, |entry| entry.place >= from))
    }

    /// The first member that ends at `place` or later.
    fn member_of(&self, place: Place) -> usize {
        self.members
            .partition_point(|(_, header)| header.last < place)
    }

    fn member(&self, number: usize) -> Result<Arc<Vec<Entry>>> {
        let cached = {
            let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
            cache.get(&number).cloned()
        };
        if let Some(entries) = cached {
            return Ok(entries);
        }
        let entries = Arc::new(self.read_member(number)?);
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.put(number, Arc::clone(&entries));
        Ok(entries)
    }

    /// Compares the checksums of all members, before anything in them is believed.
    pub(super) fn check(&self) -> Result<()> {
        self.members.iter().try_for_each(|(offset, header)| {
            let bytes = self.bytes(*offset, u64::from(header.length), u64::MAX)?;
            if member::is_whole(&bytes) {
                Ok(())
            } else {
                Err(self.damaged(*offset, "its checksum is wrong"))
            }
        })
    }

    fn read_member(&self, number: usize) -> Result<Vec<Entry>> {
        let (offset, header) = self.members[number];
        let bytes = self.bytes(offset, u64::from(header.length), u64::MAX)?;
        member::entries(&bytes, header).map_err(|problem| self.damaged(offset, problem))
    }

    fn check_end(&self, offset: u64, header: Header) -> Result<()> {
        let bytes = self.bytes(offset, u64::from(header.length), u64::MAX)?;
        let entries =
            member::entries(&bytes, header).map_err(|problem| self.damaged(offset, problem))?;
        if entries.is_empty() && header.last == self.last().unwrap_or(Place::START) {
            Ok(())
        } else {
            Err(self.damaged(offset, "it does not end where it says"))
        }
    }

    fn bytes(&self, offset: u64, length: u64, size: u64) -> Result<Vec<u8>> {
        if offset.saturating_add(length) > size {
            return Err(self.damaged(offset, "the file is cut off"));
        }
        let length = usize::try_from(length).expect("a member is smaller than 4 GiB");
        let mut bytes = vec![0; length];
        self.file
            .read_exact_at(&mut bytes, offset)
            .map_err(|error| Error::io(&self.path, error))?;
        Ok(bytes)
    }

    fn damaged(&self, offset: u64, problem: impl std::fmt::Display) -> Error {
        Error::Damaged {
            path: self.path.clone(),
            problem: format!("at byte {offset}: {problem}"),
        }
    }
}

#[cfg(test)]
mod tests;
