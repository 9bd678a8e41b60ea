//! The root key: one small file that opens all the others, to be backed up apart from them.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretBox, SecretString};

use super::cipher::{Plain, fresh, unwrap};
use super::slot::Slot;
use crate::clock::Clock;
use crate::journal::{Error, Result};

/// The first line of the file, which tells people and programs what it is.
const HEADER: &str = "gatelog root key 1";

/// The key that wraps the data keys.
///
/// Its file has two lines: `gatelog root key 1`, and the 32 bytes in Base64. While the key is
/// being changed, the next one lies beside it in a file with `.new` added to the name.
#[derive(Debug)]
pub struct RootKey {
    key: SecretBox<[u8; 32]>,
    /// The key that a change in progress leads to. Slots are wrapped under either.
    next: Option<SecretBox<[u8; 32]>>,
    path: Option<PathBuf>,
}

impl RootKey {
    /// A new key that lies in no file yet.
    #[must_use]
    pub fn generate(clock: &Clock) -> Self {
        Self {
            key: fresh(clock),
            next: None,
            path: None,
        }
    }

    /// Reads the key from the file at `path`, or makes one there, for its owner only and synced.
    ///
    /// The caller holds the lock of the data directory, so that no two processes make one.
    ///
    /// # Errors
    /// [`Error::Damaged`] when others than the owner may read the file, and when it holds no
    /// root key; [`Error::Io`] when it cannot be read or written.
    pub fn load_or_create(path: &Path, clock: &Clock) -> Result<Self> {
        let next = read(&next_path(path))?;
        let key = if let Some(key) = read(path)? {
            key
        } else {
            if next.is_some() {
                return Err(damaged(
                    &next_path(path),
                    "a change of the root key was interrupted and the key that it started from \
                     is missing: restore the file without `.new` from a backup",
                ));
            }
            let key = fresh(clock);
            write(path, &key)?;
            key
        };
        Ok(Self {
            key,
            next,
            path: Some(path.to_path_buf()),
        })
    }

    /// The file that it was read from, if there is one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The key that new slots are wrapped under.
    pub(super) fn current(&self) -> &SecretBox<[u8; 32]> {
        self.next.as_ref().unwrap_or(&self.key)
    }

    /// Opens a slot that the root key wraps, whichever of the two wrapped it.
    pub(super) fn unwrap(&self, slot: &Slot) -> Option<Plain> {
        unwrap(slot, self.current()).or_else(|| unwrap(slot, &self.key))
    }

    /// What the file of this key holds.
    #[cfg(test)]
    pub(super) fn text(&self) -> SecretString {
        text(&self.key)
    }

    /// Whether a change is in progress.
    pub(super) fn is_changing(&self) -> bool {
        self.next.is_some()
    }

    /// Begins a change: from here on both keys are on disk, and either opens its slots.
    pub(super) fn begin(&mut self, new: &Self) -> Result<()> {
        if let Some(path) = &self.path {
            write(&next_path(path), &new.key)?;
        }
        self.next = Some(copy(&new.key));
        Ok(())
    }

    /// Ends a change, once every slot is wrapped under the new key and synced.
    pub(super) fn finish(&mut self) -> Result<()> {
        if let (Some(path), Some(_)) = (&self.path, &self.next) {
            fs::rename(next_path(path), path).map_err(|error| Error::io(path, error))?;
            sync_parent(path)?;
        }
        if let Some(next) = self.next.take() {
            self.key = next;
        }
        Ok(())
    }
}

fn copy(key: &SecretBox<[u8; 32]>) -> SecretBox<[u8; 32]> {
    SecretBox::init_with(|| *key.expose_secret())
}

/// Where the next key lies during a change.
fn next_path(path: &Path) -> PathBuf {
    with_ending(path, ".new")
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn read(path: &Path) -> Result<Option<SecretBox<[u8; 32]>>> {
    let file = match fs::metadata(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io(path, error)),
    };
    let mode = file.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(damaged(
            path,
            &format!(
                "others than its owner may use this file (mode {mode:04o}): run `chmod 600` on \
                 it, and change the key with `gatelog secret rotate` if somebody may have read it"
            ),
        ));
    }
    let text: SecretString = fs::read_to_string(path)
        .map_err(|error| Error::io(path, error))?
        .into();
    let mut lines = text.expose_secret().lines();
    let bytes = (lines.next() == Some(HEADER))
        .then(|| lines.next().and_then(|line| STANDARD.decode(line).ok()))
        .flatten()
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
        .filter(|_| lines.next().is_none());
    match bytes {
        Some(bytes) => Ok(Some(SecretBox::new(Box::new(bytes)))),
        None => Err(damaged(
            path,
            &format!(
                "this is not a root key: it must hold the line `{HEADER}` and a line of 32 bytes \
                 in Base64; restore it from a backup"
            ),
        )),
    }
}

/// Writes a key so that the file is there whole or not at all, and stays.
fn write(path: &Path, key: &SecretBox<[u8; 32]>) -> Result<()> {
    if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(|error| Error::io(dir, error))?;
    }
    let unfinished = with_ending(path, ".tmp");
    let text = text(key);
    let written = (|| {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&unfinished)?;
        // A file that a crash left behind keeps the mode that it had.
        file.set_permissions(Permissions::from_mode(0o600))?;
        file.write_all(text.expose_secret().as_bytes())?;
        file.sync_all()?;
        fs::rename(&unfinished, path)
    })();
    written.map_err(|error| Error::io(path, error))?;
    sync_parent(path)
}

/// What the file of a key holds.
fn text(key: &SecretBox<[u8; 32]>) -> SecretString {
    format!("{HEADER}\n{}\n", STANDARD.encode(key.expose_secret())).into()
}

fn sync_parent(path: &Path) -> Result<()> {
    let dir = match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    };
    File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(|error| Error::io(dir, error))
}

fn damaged(path: &Path, problem: &str) -> Error {
    Error::Damaged {
        path: path.to_path_buf(),
        problem: problem.into(),
    }
}
