//! The socket on which the command line reaches the server: where it is, and its making.
//!
//! Only the holder of the lock may make or remove it.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::lock::{Error, Lock};

const FILE: &str = "gatelog.sock";
/// Holds the socket's path when it is not in the data directory itself.
const POINTER: &str = "gatelog.sock.path";
/// The longest path of a socket that all systems take, in bytes.
const LONGEST: usize = 103;

/// The socket, until it is dropped.
#[derive(Debug)]
pub struct Socket {
    path: PathBuf,
    pointer: Option<PathBuf>,
    owner: u32,
}

impl Socket {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The user id of this process, to which the socket belongs.
    #[must_use]
    pub fn owner(&self) -> u32 {
        self.owner
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // What cannot be removed now is stale and goes when the next holder binds.
        let _ = std::fs::remove_file(&self.path);
        if let Some(pointer) = &self.pointer {
            let _ = std::fs::remove_file(pointer);
        }
    }
}

/// Where the holder's socket is, as far as a caller can tell.
#[must_use]
pub fn find(directory: &Path) -> PathBuf {
    std::fs::read_to_string(directory.join(POINTER)).map_or_else(
        |_| directory.join(FILE),
        |path| PathBuf::from(path.trim_end()),
    )
}

/// Binds the socket of the locked directory; one that a dead process left is removed.
///
/// # Errors
/// When it cannot be made, or its path is too long and there is no other place.
pub fn bind(lock: &Lock) -> Result<(UnixListener, Socket), Error> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    bind_at(lock, runtime.as_deref())
}

fn bind_at(lock: &Lock, runtime: Option<&Path>) -> Result<(UnixListener, Socket), Error> {
    let directory = lock.directory();
    let pointer = directory.join(POINTER);
    remove(&find(directory))?;
    remove(&directory.join(FILE))?;
    remove(&pointer)?;
    let near = directory.join(FILE);
    let (path, pointer) = if near.as_os_str().len() <= LONGEST {
        (near, None)
    } else {
        let path = elsewhere(directory, runtime)?;
        remove(&path)?;
        std::fs::write(&pointer, path.to_string_lossy().as_bytes()).map_err(Error::io(&pointer))?;
        (path, Some(pointer))
    };
    let listener = UnixListener::bind(&path).map_err(Error::io(&path))?;
    std::fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(Error::io(&path))?;
    let owner = std::fs::metadata(&path).map_err(Error::io(&path))?.uid();
    let socket = Socket {
        path,
        pointer,
        owner,
    };
    Ok((listener, socket))
}

/// A place with a short path: the user's own runtime directory.
fn elsewhere(directory: &Path, runtime: Option<&Path>) -> Result<PathBuf, Error> {
    let refuse = |problem: &str| Error::Io {
        path: directory.to_owned(),
        source: std::io::Error::other(format!(
            "its path is too long for a socket in it, and {problem}; use a shorter path"
        )),
    };
    let runtime = runtime.ok_or_else(|| refuse("XDG_RUNTIME_DIR is not set"))?;
    let metadata = std::fs::metadata(runtime)
        .map_err(|error| refuse(&format!("XDG_RUNTIME_DIR cannot be used ({error})")))?;
    // In a directory that others may write to, they could put their own socket in our place.
    if !metadata.is_dir() || metadata.mode() & 0o022 != 0 {
        return Err(refuse("XDG_RUNTIME_DIR is no directory of this user alone"));
    }
    let canonical = directory.canonicalize().map_err(Error::io(directory))?;
    let digest = Sha256::digest(canonical.as_os_str().as_encoded_bytes());
    let short = digest
        .iter()
        .take(8)
        .fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    let path = runtime.join(format!("gatelog-{short:016x}.sock"));
    if path.as_os_str().len() > LONGEST {
        return Err(refuse("so is that of XDG_RUNTIME_DIR"));
    }
    Ok(path)
}

fn remove(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::lock::{Role, prepare, take};
    use crate::clock::Clock;
    use std::os::unix::net::UnixStream;

    fn locked(directory: &Path) -> Lock {
        prepare(directory).expect("made");
        take(directory, Role::Server, &Clock::system()).expect("free")
    }

    #[test]
    fn a_stale_socket_gives_way() {
        let parent = tempfile::tempdir().expect("a temporary directory");
        let lock = locked(parent.path());
        // A listener that is closed leaves its file behind, as a killed process does.
        drop(UnixListener::bind(parent.path().join(FILE)).expect("bound"));
        let (_listener, socket) = bind(&lock).expect("bound over the stale one");
        assert_eq!(find(parent.path()), socket.path());
        UnixStream::connect(socket.path()).expect("somebody listens");
        assert_eq!(
            socket.owner(),
            std::fs::metadata("/proc/self").expect("proc").uid()
        );
    }

    #[test]
    fn a_long_path_has_its_socket_elsewhere_and_a_pointer_to_it() {
        let parent = tempfile::tempdir().expect("a temporary directory");
        let runtime = tempfile::tempdir().expect("a temporary directory");
        let directory = parent.path().join("long/".repeat(30));
        let lock = locked(&directory);
        assert!(bind_at(&lock, None).is_err());
        let (_listener, socket) = bind_at(&lock, Some(runtime.path())).expect("bound");
        assert!(socket.path().starts_with(runtime.path()));
        UnixStream::connect(find(&directory)).expect("found through the pointer");
        drop(socket);
        assert!(!directory.join(POINTER).exists());
    }
}
