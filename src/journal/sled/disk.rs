//! Files and directories that are still there after the power has gone.
//!
//! Knows paths and bytes; nothing of records.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::{Error, Result};

/// Called with a file's path after each `fdatasync` of it has returned.
pub type OnSync = Arc<dyn Fn(&Path) + Send + Sync>;

/// Creates a directory and those above it, and syncs each directory that got a new entry.
pub(super) fn create_directory(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        create_directory(parent)?;
    }
    match fs::create_dir(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(Error::io(path, error)),
    }
    sync_parent(path)
}

/// Syncs a directory, so that its entries survive.
pub(super) fn sync_directory(path: &Path) -> Result<()> {
    File::open(path)
        .and_then(|directory| directory.sync_all())
        .map_err(|error| Error::io(path, error))
}

/// Syncs the directory that holds `path`.
pub(super) fn sync_parent(path: &Path) -> Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_directory(parent),
        _ => sync_directory(Path::new(".")),
    }
}

/// Renames within one directory and syncs that directory.
pub(super) fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|error| Error::io(from, error))?;
    sync_parent(to)
}

/// Removes a directory with all that is in it, if it is there.
pub(super) fn remove_directory(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path, error)),
        _ => Ok(()),
    }
}

/// Moves something that is broken out of the way, to the first free `NAME.broken-N`.
pub(super) fn move_aside(path: &Path) -> Result<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut number = 1_u32;
    loop {
        let aside = path.with_file_name(format!("{name}.broken-{number}"));
        if !aside.exists() {
            rename(path, &aside)?;
            return Ok(aside);
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_broken_is_moved_to_the_first_free_name() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        for number in 1..=2 {
            let state = directory.path().join("a/state");
            create_directory(&state).expect("creates");
            let aside = move_aside(&state).expect("moves");
            assert_eq!(
                aside,
                directory.path().join(format!("a/state.broken-{number}"))
            );
            assert!(aside.is_dir() && !state.exists());
        }
    }
}
