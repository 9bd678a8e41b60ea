//! The files of the watched folder as they were last read, for whoever lists or applies them.
//! Nothing is read from a disk here: the watcher puts in what it read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use sha2::{Digest, Sha512};

/// A file.
#[derive(Clone, Debug, PartialEq)]
pub struct Filed {
    /// What is in it.
    pub content: Arc<str>,
    /// The SHA-512 of that, in hexadecimal.
    pub hash: String,
    /// When it was last changed.
    pub modified: Timestamp,
}

impl Filed {
    /// A file with this in it.
    #[must_use]
    pub fn new(content: &str, modified: Timestamp) -> Self {
        Self {
            content: content.into(),
            hash: hash(content),
            modified,
        }
    }
}

/// The SHA-512 of a blueprint, in hexadecimal.
#[must_use]
pub fn hash(content: &str) -> String {
    base16ct::lower::encode_string(&Sha512::digest(content))
}

/// The files by their path within the folder.
#[derive(Debug, Default)]
pub struct Library {
    files: Mutex<BTreeMap<String, Filed>>,
}

impl Library {
    /// All files, by path.
    #[must_use]
    pub fn all(&self) -> Vec<(String, Filed)> {
        let files = self.files();
        files
            .iter()
            .map(|(path, file)| (path.clone(), file.clone()))
            .collect()
    }

    /// The file at this path.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<Filed> {
        self.files().get(path).cloned()
    }

    /// Puts in what was read at this path.
    pub fn put(&self, path: &str, file: Filed) {
        self.files().insert(path.to_owned(), file);
    }

    /// Forgets a file that is gone.
    pub fn forget(&self, path: &str) {
        self.files().remove(path);
    }

    // Nothing is left half-done in there, so a panic elsewhere does no harm.
    fn files(&self) -> MutexGuard<'_, BTreeMap<String, Filed>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
