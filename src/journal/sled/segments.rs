//! The segments of the log, by the position of their first record.
//!
//! The last one is open for writing, in sled. The others are read from their export once there
//! is one, and from their sled directory until then. Nothing here reads what is in an entry.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use super::super::{Error, Result};
use super::disk;
use super::export::Export;
use super::log::Entry;
use super::place::Place;
use super::segment::{Segment, Source};
use super::store::Store;

/// What the names of exports end with.
const EXPORT: &str = ".export.gz";

/// What is left of a file that was being written when the process ended.
pub(super) const PARTIAL: &str = ".partial";

/// What is left of a directory that was being removed when the process ended.
pub(super) const GONE: &str = ".gone";

/// How sled is opened.
#[derive(Clone)]
pub(super) struct Tuning {
    /// Bytes of cache for each directory that is open for writing.
    pub(super) cache: u64,
    /// Called after each sync.
    pub(super) on_sync: Option<disk::OnSync>,
}

/// All segments of a log.
pub(super) struct Segments {
    directory: PathBuf,
    tuning: Tuning,
    list: RwLock<Vec<Arc<Segment>>>,
}

impl Segments {
    /// What to say when the log ends at `last` although it was on the disk up to `durable`.
    pub(super) fn lost(&self, last: Place, durable: Place) -> Error {
        Error::Damaged {
            path: self.directory.clone(),
            problem: format!(
                "it ends at {last}, but it had been written to the disk up to {durable}: restore \
                 it from a backup, or, to accept the loss, move `checkpoints` away and run \
                 `gatelog journal rebuild`"
            ),
        }
    }

    /// Finds the segments in `directory`, opens the last one for writing and makes it if there
    /// is none. What an interrupted export or removal left is cleared away.
    pub(super) fn open(directory: &Path, tuning: Tuning) -> Result<Self> {
        disk::create_directory(directory)?;
        let mut found = find(directory)?;
        for problem in gaps(&found) {
            tracing::error!("{problem}; what needs it fails until it is restored from a backup");
        }
        let writable = found.last().is_some_and(|last| !last.has_export());
        if !writable {
            let next = match found.last() {
                Some(last) => match last.read()?.last()? {
                    Some(place) => place.last_record() + 1,
                    None => last.first(),
                },
                None => 1,
            };
            let path = directory.join(name_of(next));
            found.push(Arc::new(Segment::new(next, path)));
        }
        let segments = Self {
            directory: directory.to_path_buf(),
            tuning,
            list: RwLock::new(found),
        };
        segments.activate(&segments.last())?;
        Ok(segments)
    }

    /// Lists the segments of a log without changing anything or opening sled.
    pub(super) fn look(directory: &Path, tuning: Tuning) -> Result<Self> {
        Ok(Self {
            directory: directory.to_path_buf(),
            tuning,
            list: RwLock::new(list(directory)?),
        })
    }

    /// The segment that is open for writing.
    pub(super) fn last(&self) -> Arc<Segment> {
        let list = self.list.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(list.last().expect("there is always one to write to"))
    }

    /// Closes the last segment and opens the next one, whose first record will be `first`.
    pub(super) fn roll(&self, first: u64) -> Result<Arc<Store>> {
        let path = self.directory.join(name_of(first));
        let segment = Arc::new(Segment::new(first, path));
        let store = self.activate(&segment)?;
        self.list
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(segment);
        Ok(store)
    }

    /// The store of the segment that is open for writing.
    pub(super) fn open_for_writing(&self) -> Result<Arc<Store>> {
        let last = self.last();
        match last.read()? {
            Source::Sled(store) => Ok(store),
            Source::Export(_) => self.activate(&last),
        }
    }

    /// The closed segments, oldest first.
    pub(super) fn closed(&self) -> Vec<Arc<Segment>> {
        let mut list = self.all();
        list.pop();
        list
    }

    /// All segments, oldest first.
    pub(super) fn all(&self) -> Vec<Arc<Segment>> {
        let list = self.list.read().unwrap_or_else(PoisonError::into_inner);
        list.clone()
    }

    /// The encoded record at `position`.
    pub(super) fn record(&self, position: u64) -> Result<Option<Vec<u8>>> {
        let segment = {
            let list = self.list.read().unwrap_or_else(PoisonError::into_inner);
            let after = list.partition_point(|segment| segment.first() <= position);
            after.checked_sub(1).map(|at| Arc::clone(&list[at]))
        };
        match segment {
            Some(segment) => segment.read()?.record(position),
            None => Ok(None),
        }
    }

    /// Whether the record at `position` can be had in microseconds.
    pub(super) fn is_fast(&self, position: u64) -> bool {
        self.last().first() <= position
    }

    /// Calls `visit` with every entry from `from` on, and the path of its file, until it says
    /// false. The same entry is never shown twice, and a missing one is not noticed here.
    pub(super) fn visit(
        &self,
        from: Place,
        mut visit: impl FnMut(&Path, Entry) -> Result<bool>,
    ) -> Result<()> {
        let list = self.all();
        // A note before a segment's first record may lie in the segment before it.
        let start = list.partition_point(|segment| segment.first() < from.position);
        for segment in &list[start.saturating_sub(1)..] {
            let source = segment.read()?;
            for entry in source.entries(from) {
                if !visit(source.path(), entry?)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The place of the last entry; [`Place::START`] in an empty log.
    pub(super) fn last_place(&self) -> Result<Place> {
        for segment in self.all().iter().rev() {
            if let Some(place) = segment.read()?.last()? {
                return Ok(place);
            }
        }
        Ok(Place::START)
    }

    fn activate(&self, segment: &Segment) -> Result<Arc<Store>> {
        let path = segment.directory();
        let opened = Store::open(path, self.tuning.cache, self.tuning.on_sync.clone());
        let store = Arc::new(opened.map_err(|error| cannot_open(path, error))?);
        segment.set(Source::Sled(Arc::clone(&store)));
        Ok(store)
    }
}

/// The name of the directory of the segment whose first record has this position.
fn name_of(first: u64) -> String {
    format!("{first:012}")
}

/// Finds the segments and clears away what was left half done.
fn find(directory: &Path) -> Result<Vec<Arc<Segment>>> {
    for entry in fs::read_dir(directory).map_err(|error| Error::io(directory, error))? {
        let path = entry.map_err(|error| Error::io(directory, error))?.path();
        let name = path.to_string_lossy();
        let removed = if name.ends_with(PARTIAL) {
            fs::remove_file(&path)
        } else if name.ends_with(GONE) {
            fs::remove_dir_all(&path)
        } else {
            Ok(())
        };
        removed.map_err(|error| Error::io(&path, error))?;
    }
    list(directory)
}

fn list(directory: &Path) -> Result<Vec<Arc<Segment>>> {
    let mut found: BTreeMap<u64, Segment> = BTreeMap::new();
    for entry in fs::read_dir(directory).map_err(|error| Error::io(directory, error))? {
        let path = entry.map_err(|error| Error::io(directory, error))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let number = name.strip_suffix(EXPORT).unwrap_or(&name);
        let Some(first) = number
            .parse()
            .ok()
            .filter(|first| name_of(*first) == number)
        else {
            if !name.ends_with(PARTIAL) && !name.ends_with(GONE) && !name.contains(".broken-") {
                tracing::warn!(path = %path.display(), "this is no part of the log; it is ignored");
            }
            continue;
        };
        let segment = found
            .entry(first)
            .or_insert_with(|| Segment::new(first, directory.join(name_of(first))));
        if name.ends_with(EXPORT) {
            segment.note_export();
        }
    }
    Ok(found.into_values().map(Arc::new).collect())
}

/// What is missing between the segments or cannot be read, where that can be told from exports
/// alone. It is no reason to stay down: most answers need the state and the last segment only.
fn gaps(found: &[Arc<Segment>]) -> Vec<String> {
    let mut gaps = Vec::new();
    let mut expected = Some(1);
    for segment in found {
        let path = segment.directory().display();
        let first = segment.first();
        if let Some(expected) = expected.filter(|expected| first > *expected) {
            gaps.push(format!(
                "the log has nothing from position {expected} up to {path}: a part of it is missing"
            ));
        }
        // A directory would have to be opened for this, which takes sled a while.
        expected = None;
        if segment.has_export() && !segment.directory().exists() {
            match Export::open(&segment.export()) {
                Ok(export) => expected = export.last().map(|last| last.last_record() + 1),
                Err(error) => gaps.push(error.to_string()),
            }
        }
    }
    gaps
}

/// The path of the export beside a segment's directory.
pub(super) fn export_path(directory: &Path) -> PathBuf {
    let mut name = directory.file_name().unwrap_or_default().to_os_string();
    name.push(EXPORT);
    directory.with_file_name(name)
}

/// A segment that is written to has no export yet, so nothing can take its place.
fn cannot_open(path: &Path, error: Error) -> Error {
    match error {
        Error::Damaged { problem, .. } => Error::Damaged {
            path: path.to_path_buf(),
            problem: format!(
                "this part of the log cannot be opened ({problem}): restore the directory from a \
                 backup. Without one, move it away and start again: what it holds is lost then"
            ),
        },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_the_log_that_is_missing_or_cut_off_is_named() {
        let log = tempfile::tempdir().expect("a directory");
        fs::write(log.path().join("000000000303.export.gz"), "cut off").expect("written");
        let found = list(log.path()).expect("listed");
        let found = gaps(&found);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("from position 1 up to"), "{found:?}");
        assert!(found[1].contains("000000000303.export.gz"), "{found:?}");

        fs::create_dir(log.path().join("000000000001")).expect("made");
        fs::create_dir(log.path().join("000000000303")).expect("made");
        assert_eq!(gaps(&list(log.path()).expect("listed")), [""; 0]);
    }
}
