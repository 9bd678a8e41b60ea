//! The lock on the data directory: one process owns the journal, the keys and the socket.
//!
//! The lock belongs to the open file, so the kernel releases it when the process ends in any
//! way; the file's text only tells others who holds it.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clock::Clock;

const FILE: &str = "lock";

/// What a data directory has as soon as a server has begun it: the log, and the keys that open it.
const PARTS: [&str; 2] = ["log", "keys"];

/// What the holder of the lock does with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It serves until it is stopped.
    Server,
    /// It carries out one command and lets go soon.
    Command,
}

/// Who holds the lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its process id.
    pub pid: u32,
    /// When it took the lock.
    pub since: Timestamp,
    /// What for.
    pub role: Role,
}

/// Why the data directory cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process has it.
    #[error("{}", held(directory, holder.as_ref()))]
    Held {
        /// The data directory.
        directory: PathBuf,
        /// Who has it, if it said so already.
        holder: Option<Holder>,
    },
    /// There is none, and the caller may not make one.
    #[error("{}", missing(directory))]
    Missing {
        /// Where it was looked for.
        directory: PathBuf,
    },
    /// A file operation failed.
    #[error("{}", unusable(path, source))]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
}

impl Error {
    pub(super) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        |source| Self::Io { path, source }
    }
}

fn held(directory: &Path, holder: Option<&Holder>) -> String {
    let directory = directory.display();
    match holder {
        Some(Holder { pid, since, role }) => {
            let role = match role {
                Role::Server => "a server",
                Role::Command => "a command",
            };
            format!("{directory} is held by {role}, process {pid}, since {since:.0}")
        }
        None => format!("{directory} is held by another process"),
    }
}

fn missing(directory: &Path) -> String {
    const REMEDY: &str = "`gatelog serve` makes one, or name another with --data or GATELOG_DATA";
    let shown = directory.display();
    if directory.is_dir() {
        format!(
            "{shown} is no data directory: there is no journal in it, or its volume is not mounted; \
             {REMEDY}"
        )
    } else {
        format!("there is no data directory {shown}; {REMEDY}")
    }
}

/// Without the cause, which whoever prints the error adds.
fn unusable(path: &Path, source: &std::io::Error) -> String {
    let path = path.display();
    match source.kind() {
        ErrorKind::PermissionDenied => format!(
            "{path} cannot be used by this user; the data directory has to belong to whoever runs \
             Gatelog, and --data or GATELOG_DATA names another"
        ),
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
            format!("{path} is no directory; --data or GATELOG_DATA names the data directory")
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            format!("there is no room left for {path}; make room on its disk and try again")
        }
        ErrorKind::ReadOnlyFilesystem => format!(
            "{path} is on a disk that can only be read; mount it for writing, or name a copy of the \
             data directory with --data or GATELOG_DATA"
        ),
        _ => format!("{path} cannot be used"),
    }
}

/// The right to use a data directory, until it is dropped.
#[derive(Debug)]
pub struct Lock {
    directory: PathBuf,
    file: File,
}

impl Lock {
    /// The directory that is locked.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Only a courtesy to readers; closing the file is what lets go.
        let _ = self.file.set_len(0);
    }
}

/// Makes the data directory if there is none, and keeps everybody else out of it.
///
/// # Errors
/// When it cannot be made or does not belong to this user.
pub fn prepare(directory: &Path) -> Result<(), Error> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(Error::io(directory))?;
    let mode = mode(directory)?;
    if mode & 0o077 != 0 {
        tracing::warn!(
            directory = %directory.display(),
            "the data directory was open to others (mode {:o}); now it is 700",
            mode & 0o777
        );
        std::fs::set_permissions(directory, Permissions::from_mode(0o700))
            .map_err(Error::io(directory))?;
    }
    Ok(())
}

fn mode(path: &Path) -> Result<u32, Error> {
    let metadata = std::fs::metadata(path).map_err(Error::io(path))?;
    Ok(metadata.permissions().mode())
}

/// Takes the lock, or says who has it. A command gets it only where a server has begun a journal,
/// and makes nothing anywhere else: in an empty directory whatever it looks for would seem to be
/// gone.
///
/// # Errors
/// [`Error::Held`] when another process has it, [`Error::Missing`] when there is no directory, or
/// no journal for a command.
pub fn take(directory: &Path, role: Role, clock: &Clock) -> Result<Lock, Error> {
    let is_there = match role {
        Role::Server => directory.is_dir(),
        // Where only the keys are gone, opening the journal says how to get them back.
        Role::Command => {
            let [log, keys] = PARTS.map(|part| directory.join(part));
            log.is_dir() && (keys.exists() || has_entries(&log))
        }
    };
    hold(directory, role, clock, is_there)
}

/// As [`take`], for a node whose journal is in a database: in its directory are only its lock, its socket
/// and what it writes for itself, so a command needs no more than the directory.
///
/// # Errors
/// As [`take`].
pub fn take_beside_a_database(directory: &Path, role: Role, clock: &Clock) -> Result<Lock, Error> {
    hold(directory, role, clock, directory.is_dir())
}

/// Takes the lock of what is left of a data directory, for whoever looks what is missing.
///
/// # Errors
/// As [`take`].
pub(super) fn take_remains(directory: &Path, clock: &Clock) -> Result<Lock, Error> {
    let is_there = PARTS.iter().any(|part| directory.join(part).exists());
    hold(directory, Role::Command, clock, is_there)
}

fn has_entries(directory: &Path) -> bool {
    let entries = directory.read_dir();
    entries.is_ok_and(|mut entries| entries.next().is_some())
}

fn hold(directory: &Path, role: Role, clock: &Clock, is_there: bool) -> Result<Lock, Error> {
    if !is_there {
        return Err(Error::Missing {
            directory: directory.to_owned(),
        });
    }
    let path = directory.join(FILE);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(Error::io(&path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(Error::Held {
                directory: directory.to_owned(),
                holder: read(&mut file),
            });
        }
        Err(TryLockError::Error(source)) => return Err(Error::Io { path, source }),
    }
    let holder = Holder {
        pid: std::process::id(),
        since: clock.now(),
        role,
    };
    let text = serde_json::json!(holder).to_string();
    // Only a courtesy to readers, which a full disk does not allow: the lock is held without it.
    let _ = file
        .set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(text.as_bytes()));
    Ok(Lock {
        directory: directory.to_owned(),
        file,
    })
}

fn read(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.take(4096).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_taker_is_told_who_holds_it_since_when() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let clock = Clock::fixed(Timestamp::UNIX_EPOCH);
        begin(directory.path());
        let lock = take(directory.path(), Role::Server, &clock).expect("free");
        let error = take(directory.path(), Role::Command, &clock).expect_err("held");
        let text = error.to_string();
        assert!(
            text.contains(&format!("process {}", std::process::id())),
            "{text}"
        );
        assert!(text.contains("since 1970-01-01T00:00:00Z"), "{text}");
        drop(lock);
        take(directory.path(), Role::Command, &clock).expect("free again");
    }

    #[test]
    fn the_directory_is_made_for_its_owner_alone() {
        let parent = tempfile::tempdir().expect("a temporary directory");
        let directory = parent.path().join("a/data");
        prepare(&directory).expect("made");
        assert_eq!(mode(&directory).expect("there") & 0o777, 0o700);
        std::fs::set_permissions(&directory, Permissions::from_mode(0o755)).expect("opened");
        prepare(&directory).expect("closed again");
        assert_eq!(mode(&directory).expect("there") & 0o777, 0o700);
    }

    fn begin(directory: &Path) {
        for part in PARTS {
            std::fs::create_dir(directory.join(part)).expect("made");
        }
    }

    #[test]
    fn a_command_makes_nothing_where_no_journal_is() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let taken = |directory: &Path| take(directory, Role::Command, &Clock::system());
        let error = taken(directory.path()).expect_err("no journal");
        assert!(matches!(error, Error::Missing { .. }));
        let text = error.to_string();
        assert!(text.contains("is no data directory"), "{text}");
        std::fs::create_dir(directory.path().join("keys")).expect("made");
        taken(directory.path()).expect_err("the log is missing");
        assert!(!directory.path().join(FILE).exists());
        take_remains(directory.path(), &Clock::system()).expect("a part is there");
        std::fs::create_dir(directory.path().join("log")).expect("made");
        taken(directory.path()).expect("a data directory");
    }

    #[test]
    fn a_disk_without_room_for_the_text_is_no_reason_against_the_lock() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        std::os::unix::fs::symlink("/dev/full", directory.path().join(FILE)).expect("a link");
        take(directory.path(), Role::Server, &Clock::system()).expect("held without its text");
    }

    #[test]
    fn a_full_disk_and_one_for_reading_are_told_with_a_remedy() {
        let told = |kind: ErrorKind| Error::io("/data/lock")(kind.into()).to_string();
        assert!(told(ErrorKind::StorageFull).contains("make room"));
        assert!(told(ErrorKind::ReadOnlyFilesystem).contains("mount it for writing"));
    }

    #[test]
    fn a_command_makes_no_directory() {
        let parent = tempfile::tempdir().expect("a temporary directory");
        let directory = parent.path().join("data");
        let error = take(&directory, Role::Command, &Clock::system()).expect_err("missing");
        assert!(matches!(error, Error::Missing { .. }));
        assert!(!directory.exists());
    }
}
