//! The entries of one segment in sled: records cut into pieces, and notes.
//!
//! Sees records as bytes; [`super::fold`] knows what they mean.

use super::super::{Error, Result};
use super::place::{LogKey, Place};
use super::store::Store;

/// The most bytes of one value. sled keeps up to 17 values on a page and moves pages over
/// 128 KiB to files of their own, which would need a sync each.
const PIECE: usize = 4 << 10;

/// The most bytes of one entry: a record's limit and room for its frame.
pub(super) const ENTRY_LIMIT: usize = 5 << 20;

/// One record or note as it lies in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Where it lies.
    pub(super) place: Place,
    /// An encoded record or an encoded note.
    pub(super) bytes: Vec<u8>,
}

/// Adds an entry to a batch.
pub(super) fn insert(batch: &mut sled::Batch, entry: &Entry) {
    if !entry.place.is_record() {
        batch.insert(LogKey::Note(entry.place).to_bytes(), entry.bytes.as_slice());
        return;
    }
    let length = u32::try_from(entry.bytes.len()).expect("an entry is smaller than 4 GiB");
    let mut value = length.to_be_bytes().to_vec();
    let mut rest = entry.bytes.as_slice();
    let mut part = 1;
    loop {
        let (now, later) = rest.split_at(rest.len().min(PIECE - value.len()));
        value.extend_from_slice(now);
        let key = LogKey::Piece(entry.place.position, part).to_bytes();
        batch.insert(key, std::mem::take(&mut value));
        if later.is_empty() {
            return;
        }
        rest = later;
        part += 1;
    }
}

/// In how many pieces an entry lies in the log.
pub(super) fn pieces(entry: &Entry) -> u16 {
    u16::try_from((entry.bytes.len() + 4).div_ceil(PIECE)).expect("a record has few pieces")
}

/// The encoded record at `position`, if this log holds it.
pub(super) fn record(store: &Store, position: u64) -> Result<Option<Vec<u8>>> {
    let Some(first) = store.get(&LogKey::Piece(position, 1).to_bytes())? else {
        return Ok(None);
    };
    let (length, mut bytes) = first_piece(store, position, &first)?;
    let mut part = 1;
    while bytes.len() < length {
        part += 1;
        let Some(piece) = store.get(&LogKey::Piece(position, part).to_bytes())? else {
            return Err(damaged(
                store,
                &format!("piece {part} of position {position} is missing"),
            ));
        };
        bytes.extend_from_slice(&piece);
    }
    complete(store, position, length, bytes).map(Some)
}

/// The entries of a log from a place on, in order.
pub(super) struct Entries<'a> {
    store: &'a Store,
    iterator: sled::Iter,
    failed: bool,
}

/// The entries from `from` on.
pub(super) fn entries(store: &Store, from: Place) -> Entries<'_> {
    Entries {
        store,
        iterator: store.tree().range(LogKey::first_of(from)..),
        failed: false,
    }
}

/// The place of the last entry, if there is any.
pub(super) fn last(store: &Store) -> Result<Option<Place>> {
    let Some(last) = store.tree().iter().next_back() else {
        return Ok(None);
    };
    let (key, _) = last.map_err(|error| store.error(error))?;
    match LogKey::from_bytes(&key) {
        Some(LogKey::Piece(position, _)) => Ok(Some(Place::record(position))),
        Some(LogKey::Note(place)) => Ok(Some(place)),
        None => Err(damaged(store, "its last key is not one of ours")),
    }
}

impl Entries<'_> {
    fn read(&mut self) -> Result<Option<Entry>> {
        let Some((key, value)) = self.step()? else {
            return Ok(None);
        };
        match LogKey::from_bytes(&key) {
            Some(LogKey::Note(place)) => Ok(Some(Entry {
                place,
                bytes: value.to_vec(),
            })),
            Some(LogKey::Piece(position, 1)) => self.gather(position, &value).map(Some),
            Some(LogKey::Piece(position, part)) => Err(damaged(
                self.store,
                &format!("piece {part} of position {position} lies where none is expected"),
            )),
            None => Err(damaged(self.store, "a key is not one of ours")),
        }
    }

    fn gather(&mut self, position: u64, first: &[u8]) -> Result<Entry> {
        let (length, mut bytes) = first_piece(self.store, position, first)?;
        let mut part = 1;
        while bytes.len() < length {
            part += 1;
            match self.step()? {
                Some((key, piece))
                    if LogKey::from_bytes(&key) == Some(LogKey::Piece(position, part)) =>
                {
                    bytes.extend_from_slice(&piece);
                }
                _ => {
                    return Err(damaged(
                        self.store,
                        &format!("piece {part} of position {position} is missing"),
                    ));
                }
            }
        }
        Ok(Entry {
            place: Place::record(position),
            bytes: complete(self.store, position, length, bytes)?,
        })
    }

    fn step(&mut self) -> Result<Option<(sled::IVec, sled::IVec)>> {
        let next = self.iterator.next().transpose();
        next.map_err(|error| self.store.error(error))
    }
}

impl Iterator for Entries<'_> {
    type Item = Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let entry = self.read().transpose();
        self.failed = matches!(entry, Some(Err(_)));
        entry
    }
}

fn first_piece(store: &Store, position: u64, value: &[u8]) -> Result<(usize, Vec<u8>)> {
    let (length, bytes) = value
        .split_first_chunk::<4>()
        .ok_or_else(|| damaged(store, &format!("position {position} has no length")))?;
    let length = u32::from_be_bytes(*length) as usize;
    if length > ENTRY_LIMIT {
        return Err(damaged(
            store,
            &format!("position {position} claims {length} bytes, more than a record may have"),
        ));
    }
    Ok((length, bytes.to_vec()))
}

fn complete(store: &Store, position: u64, length: usize, bytes: Vec<u8>) -> Result<Vec<u8>> {
    if bytes.len() == length {
        return Ok(bytes);
    }
    Err(damaged(
        store,
        &format!(
            "position {position} has {} bytes instead of {length}",
            bytes.len()
        ),
    ))
}

fn damaged(store: &Store, problem: &str) -> Error {
    Error::Damaged {
        path: store.directory().to_path_buf(),
        problem: problem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_every_size_come_back_in_order() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let store = Store::open(directory.path(), 1 << 20, None).expect("opens");
        let mut written = Vec::new();
        let mut place = Place::START;
        for length in [0, 1, PIECE - 4, PIECE - 3, PIECE * 3, 4 << 20] {
            place = place.next_note();
            written.push(Entry {
                place,
                bytes: vec![1; 10],
            });
            place = place.next_record();
            let bytes = (0..length).map(|n| n.to_le_bytes()[0]).collect();
            written.push(Entry { place, bytes });
        }
        let mut batch = sled::Batch::default();
        for entry in &written {
            insert(&mut batch, entry);
        }
        store.apply(batch).expect("applies");
        let read: Result<Vec<Entry>> = entries(&store, Place::START.next_note()).collect();
        assert!(read.expect("reads") == written);
        assert_eq!(last(&store).expect("reads"), Some(place));
        for entry in written.iter().filter(|entry| entry.place.is_record()) {
            let one = record(&store, entry.place.position).expect("reads");
            assert!(one.as_deref() == Some(&entry.bytes));
        }
        store.flush().expect("flushes");
        let blobs = std::fs::read_dir(directory.path().join("blobs")).expect("lists");
        assert_eq!(
            blobs.count(),
            0,
            "no page is so large that it leaves the file `db`"
        );
    }
}
