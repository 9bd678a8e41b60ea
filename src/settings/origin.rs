//! Where a value came from, and what is said about it.

use std::fmt;
use std::path::PathBuf;

/// The place that gave a setting its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A line of the settings file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// The environment variable of this name.
    Environment(String),
    /// The flag of this name, such as `--listen`.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{} line {line}", path.display()),
            Self::Environment(name) => write!(f, "environment variable {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// A value that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands.
    pub origin: Origin,
    /// What is wrong with it, and what would be right.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.text)
    }
}

/// All problems, one to a line.
pub(super) fn lines(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// A setting in a form that may be shown to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its name, such as `journal.cache_capacity`.
    pub key: &'static str,
    /// Its value as it could be written in the file; `None` when it is not set.
    /// A secret is replaced by [`Shown::REDACTED`].
    pub value: Option<String>,
    /// Who set it.
    pub origin: Origin,
}

impl Shown {
    /// What stands in the place of a secret.
    pub const REDACTED: &'static str = "‹secret›";
}
