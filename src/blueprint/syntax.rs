//! Who says whether an expression is understood.

use crate::expression::{self, Workers};

/// Whom an import asks about the expressions of its policies.
#[derive(Clone, Copy, Default)]
pub enum Syntax<'a> {
    /// Nobody: a new expression is an error.
    #[default]
    Unknown,
    /// The workers, which also run them: no text of a stranger is parsed in the server.
    Workers(&'a Workers),
    /// Nobody needs to be asked: these are texts of the program's own, which its tests have
    /// checked. A first start does not depend on the workers for them.
    Known,
    /// The process itself, for unit tests, which have no program to start as a worker.
    #[cfg(test)]
    Here,
}

impl Syntax<'_> {
    /// Whether this expression is understood; `None` where nobody can say.
    pub(super) async fn check(self, source: &str) -> Option<Result<(), expression::Error>> {
        match self {
            Self::Unknown => None,
            Self::Workers(workers) => Some(workers.check(source).await),
            Self::Known => Some(Ok(())),
            #[cfg(test)]
            Self::Here => Some(expression::check_here(source)),
        }
    }
}
