//! Files that a command makes, which are there whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// A file that is being written under another name. One that is not finished is removed, so that
/// the command can be repeated.
#[derive(Debug)]
pub(super) struct NewFile {
    path: PathBuf,
    partial: PathBuf,
    file: File,
    is_finished: bool,
}

impl NewFile {
    /// Begins one; what a killed command left of it is replaced.
    pub(super) fn begin(path: &Path, mode: u32) -> anyhow::Result<Self> {
        is_free(path)?;
        let cannot = || format!("{} cannot be made", path.display());
        let Some(name) = path.file_name() else {
            bail!(cannot());
        };
        let mut partial = OsString::from(name);
        partial.push(".partial");
        let partial = path.with_file_name(partial);
        match fs::remove_file(&partial) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(cannot);
            }
            _ => {}
        }
        let file = File::options()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&partial)
            .with_context(cannot)?;
        Ok(Self {
            path: path.to_owned(),
            partial,
            file,
            is_finished: false,
        })
    }

    /// Adds to it.
    pub(super) fn write(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.file
            .write_all(bytes)
            .with_context(|| format!("{} cannot be written", self.path.display()))
    }

    /// Gives it its name, when all of it is on the disk.
    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        let cannot = |path: &Path| format!("{} cannot be written", path.display());
        self.file.sync_all().with_context(|| cannot(&self.path))?;
        is_free(&self.path)?;
        fs::rename(&self.partial, &self.path).with_context(|| cannot(&self.path))?;
        self.is_finished = true;
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_finished {
            // The error that led here says more than that this failed.
            let _ = fs::remove_file(&self.partial);
        }
    }
}

/// Nothing that is there is overwritten.
fn is_free(path: &Path) -> anyhow::Result<()> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("{} cannot be made", path.display())),
        Ok(_) => bail!("{} cannot be made: it is there already", path.display()),
    }
}

/// Makes a file of this.
pub(super) fn put(path: &Path, mode: u32, bytes: &[u8]) -> anyhow::Result<()> {
    let mut file = NewFile::begin(path, mode)?;
    file.write(bytes)?;
    file.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_finished_is_removed_and_does_not_block_the_next() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("backup.gz");
        let partial = folder.path().join("backup.gz.partial");
        let mut file = NewFile::begin(&path, 0o600).expect("made");
        file.write(b"half").expect("written");
        assert!(partial.exists() && !path.exists());
        drop(file);
        assert!(!partial.exists() && !path.exists());
        fs::write(&partial, "of one that was killed").expect("a file");
        put(&path, 0o600, b"whole").expect("written");
        assert_eq!(fs::read(&path).expect("there"), b"whole");
        assert!(!partial.exists());
        let again = put(&path, 0o600, b"other").expect_err("it is there");
        assert!(again.to_string().contains("there already"), "{again}");
        assert_eq!(fs::read(&path).expect("there"), b"whole");
    }
}
