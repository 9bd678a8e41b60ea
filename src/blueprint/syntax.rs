//! Who says whether an expression is understood.

use crate::expression::{self, Workers};

/// How often the workers are asked. On a slow machine they may still be starting when the first
/// blueprints are applied.
const ATTEMPTS: usize = 3;

/// Whom an import asks about the expressions of its policies.
#[derive(Clone, Copy, Default)]
pub enum Syntax<'a> {
    /// Nobody: a new expression is an error.
    #[default]
    Unknown,
    /// The workers, which also run them: no text of a stranger is parsed in the server.
    Workers(&'a Workers),
    /// The process itself, for unit tests, which have no program to start as a worker.
    #[cfg(test)]
    Here,
}

impl Syntax<'_> {
    /// Whether this expression is understood; `None` where nobody can say.
    pub(super) async fn check(self, source: &str) -> Option<Result<(), expression::Error>> {
        match self {
            Self::Unknown => None,
            Self::Workers(workers) => Some(patiently(workers, source).await),
            #[cfg(test)]
            Self::Here => Some(expression::check_here(source)),
        }
    }
}

async fn patiently(workers: &Workers, source: &str) -> Result<(), expression::Error> {
    let mut checked = workers.check(source).await;
    for _ in 1..ATTEMPTS {
        if !matches!(checked, Err(expression::Error::Timeout { .. })) {
            break;
        }
        checked = workers.check(source).await;
    }
    checked
}
