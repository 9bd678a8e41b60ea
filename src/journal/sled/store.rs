//! One sled directory, opened so that we alone decide when its bytes reach the disk.
//!
//! sled's own `flush` hands the bytes to the kernel and waits for `sync_file_range`, which does
//! not make them durable; [`Store::sync`] does. No sled type leaves a store but its tree.

use std::collections::HashSet;
use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::super::{Error, Result};
use super::disk::{self, OnSync};

/// sled releases its lock in a background thread, a moment after the last handle has gone.
const LOCK_ATTEMPTS: u32 = 40;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// An open sled directory with one tree.
pub(super) struct Store {
    db: sled::Db,
    file: File,
    directory: PathBuf,
    on_sync: Option<OnSync>,
    synced_blobs: Mutex<HashSet<PathBuf>>,
    damage_marker: Option<PathBuf>,
}

impl Store {
    /// Opens the directory, which is made when it does not exist.
    pub(super) fn open(directory: &Path, cache: u64, on_sync: Option<OnSync>) -> Result<Self> {
        let new = !directory.join("db").exists();
        disk::create_directory(directory)?;
        let db = open_sled(directory, cache)?;
        let path = directory.join("db");
        let file = File::open(&path).map_err(|error| Error::io(&path, error))?;
        if new {
            file.sync_all().map_err(|error| Error::io(&path, error))?;
            disk::sync_directory(directory)?;
        }
        Ok(Self {
            db,
            file,
            directory: directory.to_path_buf(),
            on_sync,
            synced_blobs: Mutex::default(),
            damage_marker: None,
        })
    }

    /// Leaves the file `marker` when damage is found, so that the next start does not trust it.
    pub(super) fn marking_damage(self, marker: PathBuf) -> Self {
        Self {
            damage_marker: Some(marker),
            ..self
        }
    }

    /// Where it lies.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The one tree.
    pub(super) fn tree(&self) -> &sled::Tree {
        &self.db
    }

    /// Reads one value.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<sled::IVec>> {
        self.db.get(key).map_err(|error| self.error(error))
    }

    /// Changes all of `batch` or nothing, in memory.
    pub(super) fn apply(&self, batch: sled::Batch) -> Result<()> {
        self.db
            .apply_batch(batch)
            .map_err(|error| self.error(error))
    }

    /// Hands everything to the kernel: it survives the process from now on, not the machine.
    pub(super) fn flush(&self) -> Result<()> {
        self.db.flush().map(drop).map_err(|error| self.error(error))
    }

    /// Makes everything flushed before durable.
    pub(super) fn sync(&self) -> Result<()> {
        self.sync_blobs()?;
        let path = self.directory.join("db");
        #[cfg(feature = "shifted-clock")]
        super::faults::before_sync().map_err(|error| Error::io(&path, error))?;
        self.file
            .sync_data()
            .map_err(|error| Error::io(&path, error))?;
        self.report(&path);
        Ok(())
    }

    /// Syncs the files of large pages. Records are cut so small that none should ever exist.
    fn sync_blobs(&self) -> Result<()> {
        let blobs = self.directory.join("blobs");
        let Ok(entries) = fs::read_dir(&blobs) else {
            return Ok(());
        };
        let mut synced = self
            .synced_blobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut present = HashSet::new();
        let mut any_new = false;
        for entry in entries {
            let path = entry.map_err(|error| Error::io(&blobs, error))?.path();
            if !synced.contains(&path) {
                match File::open(&path).and_then(|file| file.sync_data()) {
                    Ok(()) => self.report(&path),
                    // A page that was replaced meanwhile takes its file along.
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(Error::io(path, error)),
                }
                any_new = true;
            }
            present.insert(path);
        }
        *synced = present;
        if any_new {
            disk::sync_directory(&blobs)?;
        }
        Ok(())
    }

    fn report(&self, path: &Path) {
        if let Some(on_sync) = &self.on_sync {
            on_sync(path);
        }
    }

    /// An error of sled, with the directory.
    pub(super) fn error(&self, error: sled::Error) -> Error {
        let error = from_sled(&self.directory, error);
        if matches!(error, Error::Damaged { .. }) {
            self.mark_damage(&error);
        }
        error
    }

    /// The error for a value that is not what was written.
    pub(super) fn unreadable(&self, what: impl std::fmt::Display) -> Error {
        let error = Error::Damaged {
            path: self.directory.clone(),
            problem: format!("{what} is not what was written; restart, and it is rebuilt"),
        };
        self.mark_damage(&error);
        error
    }

    fn mark_damage(&self, error: &Error) {
        if let Some(marker) = &self.damage_marker {
            let marked = fs::write(marker, format!("{error}\n"));
            tracing::error!(%error, marked = marked.is_ok(), "the next start rebuilds the state");
        }
    }
}

fn open_sled(directory: &Path, cache: u64) -> Result<sled::Db> {
    let mut attempt = 1;
    loop {
        // sled panics on some damaged files where it should return an error.
        let opened = catch_unwind(AssertUnwindSafe(|| {
            sled::Config::new()
                .path(directory)
                .mode(sled::Mode::HighThroughput)
                .cache_capacity(cache)
                .flush_every_ms(None)
                .use_compression(false)
                .open()
        }));
        match opened {
            Ok(Ok(db)) => return Ok(db),
            Ok(Err(sled::Error::Io(error))) if is_lock(&error) => {
                if attempt == LOCK_ATTEMPTS {
                    return Err(Error::Unavailable(
                        format!(
                            "{} is open in another process; stop that one first",
                            directory.display()
                        )
                        .into(),
                    ));
                }
                attempt += 1;
                std::thread::sleep(LOCK_PAUSE);
            }
            Ok(Err(error)) => return Err(from_sled(directory, error)),
            Err(_) => {
                return Err(Error::Damaged {
                    path: directory.to_path_buf(),
                    problem: "sled gave up while it opened this directory".into(),
                });
            }
        }
    }
}

fn is_lock(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::WouldBlock
        || error.to_string().contains("could not acquire lock")
}

fn from_sled(path: &Path, error: sled::Error) -> Error {
    match error {
        sled::Error::Io(source) => Error::io(path, source),
        other => Error::Damaged {
            path: path.to_path_buf(),
            problem: other.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_sync_names_the_file_that_holds_the_bytes() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let seen: Arc<Mutex<Vec<PathBuf>>> = Arc::default();
        let hook: OnSync = {
            let seen = Arc::clone(&seen);
            Arc::new(move |path: &Path| seen.lock().expect("no panic").push(path.to_path_buf()))
        };
        let store = Store::open(&directory.path().join("s"), 1 << 20, Some(hook)).expect("opens");
        store.flush().expect("flushes");
        store.sync().expect("syncs");
        assert_eq!(
            *seen.lock().expect("no panic"),
            [directory.path().join("s/db")]
        );
    }

    #[test]
    fn a_second_opening_is_told_that_somebody_has_it() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let _first = Store::open(directory.path(), 1 << 20, None).expect("opens");
        let second = Store::open(directory.path(), 1 << 20, None).map(drop);
        assert!(matches!(second, Err(Error::Unavailable(why)) if why.contains("another process")));
    }

    #[test]
    fn a_page_that_became_a_file_of_its_own_is_synced_too() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let seen: Arc<Mutex<Vec<PathBuf>>> = Arc::default();
        let hook: OnSync = {
            let seen = Arc::clone(&seen);
            Arc::new(move |path: &Path| seen.lock().expect("no panic").push(path.to_path_buf()))
        };
        let store = Store::open(directory.path(), 1 << 20, Some(hook)).expect("opens");
        let mut batch = sled::Batch::default();
        batch.insert(b"large", vec![7; 300_000]);
        store.apply(batch).expect("applies");
        store.flush().expect("flushes");
        store.sync().expect("syncs");
        let seen = seen.lock().expect("no panic");
        assert!(
            seen.iter()
                .any(|path| path.starts_with(directory.path().join("blobs")))
        );
    }
}
