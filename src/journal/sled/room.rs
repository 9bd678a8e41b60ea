//! How much room is left on the disk, and what may still be written into it.
//!
//! A store that runs into the end of a disk cannot be used before it is opened anew. So nothing is
//! written once little is left, which does no harm and passes as soon as there is room again; and
//! nothing new is begun a good while before that, so that what is under way can come to its end.

use std::path::{Path, PathBuf};

use super::super::{Error, Left, Result};

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
        self.is_left(
            self.reserve,
            "before anything new is begun (journal.reserve)",
        )
    }

    /// Whether what is under way may be written.
    ///
    /// # Errors
    /// As [`Room::for_something_new`].
    pub(super) fn for_anything(&self) -> Result<()> {
        self.is_left(
            FLOOR.min(self.reserve / 4),
            "before anything is written at all",
        )
    }

    /// How much is free, where the disk says so.
    pub(super) fn left(&self) -> Option<Left> {
        let free = self.free()?;
        let reserve = self.reserve;
        Some(Left { free, reserve })
    }

    fn is_left(&self, least: u64, what: &'static str) -> Result<()> {
        if least == 0 {
            return Ok(());
        }
        // A disk that does not say how full it is will say so when it is written to.
        match self.free() {
            Some(free) if free < least => Err(Error::Full { free, least, what }),
            _ => Ok(()),
        }
    }

    fn free(&self) -> Option<u64> {
        let disk = rustix::fs::statvfs(&self.directory).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// More than any disk has.
    const MUCH: u64 = 1 << 60;

    #[test]
    fn only_what_a_setting_reserves_names_the_setting() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let room = Room::of(directory.path(), MUCH);
        let refused = room.for_something_new().expect_err("there is not so much");
        assert!(
            refused.to_string().ends_with("(journal.reserve)"),
            "{refused}"
        );
        let refused = room
            .is_left(MUCH, "before anything is written at all")
            .expect_err("there is not so much");
        assert!(
            !refused.to_string().contains("journal.reserve"),
            "{refused}"
        );
        assert!(refused.is_about_room());
    }

    #[test]
    fn it_says_how_much_is_left() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let left = Room::of(directory.path(), MUCH).left().expect("a disk");
        assert_eq!(left.reserve, MUCH);
        assert!((1..MUCH).contains(&left.free), "{left:?}");
    }
}
