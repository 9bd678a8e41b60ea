//! An auditor, who has a public key and files, and no server.

use std::fs;
use std::path::{Path, PathBuf};

use gatelog::journal::evidence::{Checkpoint, Verifier, read_all};

use super::TestServer;
use super::command::{Ran, run};

/// What an auditor's machine has: files, and the program.
pub(crate) struct Auditor {
    directory: tempfile::TempDir,
    /// The public key.
    pub(crate) key: String,
}

impl Auditor {
    /// Gets the key once, from whoever runs the server.
    pub(crate) fn meets(server: &TestServer) -> Self {
        let key = server.gatelog(&["journal", "checkpoint", "--key"]);
        Self {
            directory: tempfile::tempdir().expect("a directory"),
            key: key.succeeds().stdout.trim().to_owned(),
        }
    }

    /// Where a file of theirs is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The same as text.
    pub(crate) fn name(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Looks at what they hold with the key, and nothing else.
    pub(crate) fn verifies(&self, arguments: &[&str]) -> Ran {
        self.verifies_with(&self.key, arguments)
    }

    /// The same with another key. There is no data directory, and no server.
    pub(crate) fn verifies_with(&self, key: &str, arguments: &[&str]) -> Ran {
        let nowhere = ("GATELOG_DATA".to_owned(), self.name("nowhere"));
        let verify = ["journal", "verify", "--key", key];
        run(&[&verify[..], arguments].concat(), &[nowhere], "")
    }

    /// The checkpoints in a file of theirs, all of them signed.
    pub(crate) fn checkpoints(&self, path: &Path) -> Vec<Checkpoint> {
        let key: Verifier = self.key.parse().expect("a key");
        let text = fs::read_to_string(path).expect("reads");
        let signed = read_all(&text, Some(&key)).expect("all are signed");
        signed.into_iter().map(|it| it.checkpoint).collect()
    }
}
