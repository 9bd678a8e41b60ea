//! How much room is left on the disk, and what may still be written into it.
//!
//! A store that runs into the end of a disk cannot be used before it is opened anew. So nothing is
//! written once little is left, which does no harm and passes as soon as there is room again; and
//! nothing new is begun a good while before that, so that what is under way can come to its end.

use std::path::{Path, PathBuf};

use super::super::{Error, Result};

/// So many bytes have to be free for anything to be written: a batch, what sled moves about for it, and
/// what of the state is on its way to the disk.
pub const FLOOR: u64 = 16 << 20;

/// The disk of a data directory.
#[derive(Debug)]
pub(super) struct Room {
    directory: PathBuf,
    reserve: u64,
}

impl Room {
    /// The disk on which this directory lies, of which so many bytes are reserved.
    pub(super) fn of(directory: &Path, reserve: u64) -> Self {
        Self {
            directory: directory.to_path_buf(),
            reserve,
        }
    }

    /// Whether something new may be begun.
    ///
    /// # Errors
    /// [`Error::Full`] says how much is free, and how much has to be.
    pub(super) fn for_something_new(&self) -> Result<()> {
        self.is_left(self.reserve)
    }

    /// Whether what is under way may be written.
    ///
    /// # Errors
    /// As [`Room::for_something_new`].
    pub(super) fn for_anything(&self) -> Result<()> {
        self.is_left(FLOOR.min(self.reserve / 4))
    }

    fn is_left(&self, least: u64) -> Result<()> {
        if least == 0 {
            return Ok(());
        }
        // A disk that does not say how full it is will say so when it is written to.
        let Ok(disk) = rustix::fs::statvfs(&self.directory) else {
            return Ok(());
        };
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free >= least {
            return Ok(());
        }
        Err(Error::Full { free, least })
    }
}
