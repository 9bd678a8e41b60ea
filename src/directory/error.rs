//! What can go wrong when somebody changes the directory.

use crate::flow::field::{Invalid, Problem, sentence};
use crate::journal;

/// Why the directory was not changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// What was filled in cannot be stored; nothing was written.
    #[error("{}", sentence(.0))]
    Invalid(Vec<Invalid>),
    /// There is no such user.
    #[error("there is no user {0:?}; `gatelog user list` shows all")]
    NoSuchUser(String),
    /// The installation has not been prepared yet.
    #[error("the data directory has not been set up yet; start the server once")]
    NotInstalled,
    /// Others kept changing the same objects.
    #[error("somebody else kept changing the same objects; try again")]
    Contended,
    /// The journal failed.
    #[error(transparent)]
    Journal(journal::Error),
}

impl From<journal::Error> for Error {
    /// A unique key that is taken is a problem of the field with its name.
    fn from(error: journal::Error) -> Self {
        match problem_of(&error) {
            Some(problem) => Self::Invalid(vec![problem]),
            None => Self::Journal(error),
        }
    }
}

/// The problem behind a refused commit, when it is one that whoever filled in the fields can mend.
#[must_use]
pub fn problem_of(error: &journal::Error) -> Option<Invalid> {
    let journal::Error::Taken { name, .. } = error else {
        return None;
    };
    ["username", "name", "identifier", "key", "managed"]
        .into_iter()
        .find(|field| field == name)
        .map(|field| Invalid::new(field, Problem::NotUnique))
}
