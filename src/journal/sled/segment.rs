//! One segment of the log, and the two forms in which it is read: sled and export.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::super::{Error, Result};
use super::export::Export;
use super::log::{self, Entry};
use super::place::Place;
use super::segments::export_path;
use super::store::Store;

/// Closed segments are read seldom, so they get little memory: 4 MiB.
const CLOSED_CACHE: u64 = 4 << 20;

/// A part of the log.
pub(super) struct Segment {
    first: u64,
    directory: PathBuf,
    has_export: AtomicBool,
    open: Mutex<Option<Source>>,
}

/// What a segment is read from.
#[derive(Clone)]
pub(super) enum Source {
    /// Its sled directory.
    Sled(Arc<Store>),
    /// Its export.
    Export(Arc<Export>),
}

impl Segment {
    /// The segment in this directory, not opened yet.
    pub(super) fn new(first: u64, directory: PathBuf) -> Self {
        Self {
            first,
            directory,
            has_export: AtomicBool::new(false),
            open: Mutex::new(None),
        }
    }

    /// The position of its first record.
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    /// Its sled directory, which may be gone.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where its export is or would be.
    pub(super) fn export(&self) -> PathBuf {
        export_path(&self.directory)
    }

    /// Whether there is a verified export.
    pub(super) fn has_export(&self) -> bool {
        self.has_export.load(Ordering::Acquire)
    }

    /// Says that there is one.
    pub(super) fn note_export(&self) {
        self.has_export.store(true, Ordering::Release);
    }

    /// Reads it from `source` from now on; gives back what it was read from.
    pub(super) fn set(&self, source: Source) -> Option<Source> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.replace(source)
    }

    /// Opens it if it is not open.
    ///
    /// A closed segment is read from its export. When that cannot be opened, or there is none
    /// yet, from its directory.
    pub(super) fn read(&self) -> Result<Source> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(source) = &*open {
            return Ok(source.clone());
        }
        let source = if self.has_export() {
            match Export::open(&self.export()) {
                Ok(export) => Source::Export(Arc::new(export)),
                Err(error) if self.directory.join("db").exists() => {
                    tracing::warn!(
                        %error,
                        "an export of the log cannot be read; its directory is read instead"
                    );
                    self.open_sled()?
                }
                Err(error) => return Err(error),
            }
        } else {
            self.open_sled()?
        };
        *open = Some(source.clone());
        Ok(source)
    }

    /// Opens its sled directory, whatever it is read from.
    pub(super) fn open_sled(&self) -> Result<Source> {
        if !self.directory.join("db").exists() {
            return Err(Error::Damaged {
                path: self.directory.clone(),
                problem:
                    "this part of the log is missing: restore it, or its export, from a backup"
                        .into(),
            });
        }
        let store = Store::open(&self.directory, CLOSED_CACHE, None);
        store.map(|store| Source::Sled(Arc::new(store))).map_err(|error| match error {
            Error::Damaged { path, problem } => Error::Damaged {
                path,
                problem: format!(
                    "this part of the log cannot be opened ({problem}): restore the directory, or \
                     its export, from a backup"
                ),
            },
            other => other,
        })
    }
}

impl Source {
    /// The file or directory that is read.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Sled(store) => store.directory(),
            Self::Export(export) => export.path(),
        }
    }

    /// The encoded record at `position`, if it is here.
    pub(super) fn record(&self, position: u64) -> Result<Option<Vec<u8>>> {
        match self {
            Self::Sled(store) => log::record(store, position),
            Self::Export(export) => export.record(position),
        }
    }

    /// The entries from `from` on; ends after the first error.
    pub(super) fn entries(&self, from: Place) -> Box<dyn Iterator<Item = Result<Entry>> + '_> {
        match self {
            Self::Sled(store) => Box::new(log::entries(store, from)),
            Self::Export(export) => Box::new(export.entries(from)),
        }
    }

    /// The place of the last entry, if there is any.
    pub(super) fn last(&self) -> Result<Option<Place>> {
        match self {
            Self::Sled(store) => log::last(store),
            Self::Export(export) => Ok(export.last()),
        }
    }
}
