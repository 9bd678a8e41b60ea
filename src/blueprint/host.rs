//! What `!Env` and `!File` may read of the machine.

use std::collections::BTreeMap;

use super::MAX_BYTES;

/// The machine as far as a blueprint sees it.
#[derive(Clone, Debug, Default)]
pub enum Host {
    /// Nothing: both tags are errors. For blueprints from callers who are not trusted with the
    /// server's environment and files.
    #[default]
    Closed,
    /// The environment and the files of this process.
    Machine,
    /// Just these, and nothing of the machine.
    Given {
        /// Environment variables.
        variables: BTreeMap<String, String>,
        /// Texts of files by path.
        files: BTreeMap<String, String>,
    },
}

impl Host {
    /// The variable `name`; an empty one counts as unset.
    ///
    /// # Errors
    /// A message when this caller may not know.
    pub(super) fn variable(&self, name: &str) -> Result<Option<String>, String> {
        let found = match self {
            Self::Closed => return Err("!Env is not allowed here".to_owned()),
            Self::Machine => std::env::var(name).ok(),
            Self::Given { variables, .. } => variables.get(name).cloned(),
        };
        Ok(found.filter(|value| !value.is_empty()))
    }

    /// The text of the file at `path` without blanks around it; `None` when it cannot be read.
    ///
    /// # Errors
    /// A message when this caller may not know.
    pub(super) fn file(&self, path: &str) -> Result<Option<String>, String> {
        let found = match self {
            Self::Closed => return Err("!File is not allowed here".to_owned()),
            Self::Machine => read(path),
            Self::Given { files, .. } => files.get(path).cloned(),
        };
        Ok(found.map(|text| text.trim().to_owned()))
    }
}

/// The text of a file. Devices and pipes, which may never end, and very large files are not read.
fn read(path: &str) -> Option<String> {
    let about = std::fs::metadata(path).ok()?;
    let size = usize::try_from(about.len()).ok()?;
    (about.is_file() && size <= MAX_BYTES)
        .then(|| std::fs::read_to_string(path).ok())
        .flatten()
}
