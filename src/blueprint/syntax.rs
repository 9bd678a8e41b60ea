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
    async fn check(self, source: &str) -> Option<Result<(), expression::Error>> {
        match self {
            Self::Unknown => None,
            Self::Workers(workers) => Some(workers.check(source).await),
            Self::Known => Some(Ok(())),
            #[cfg(test)]
            Self::Here => Some(expression::check_here(source)),
        }
    }

    /// What is wrong with this expression, if anything is; the outer `None` where nobody can say.
    ///
    /// # Errors
    /// When nobody came to check it, which is not its fault.
    pub(super) async fn problem(
        self,
        source: &str,
    ) -> Result<Option<Option<String>>, expression::Error> {
        use expression::Error as Expression;
        Ok(match self.check(source).await {
            None => None,
            Some(Ok(())) => Some(None),
            Some(Err(Expression::Syntax(error))) => {
                Some(Some(format!("Expression Syntax Error: {error}")))
            }
            Some(Err(
                error
                @ (Expression::Unavailable(_) | Expression::Timeout { .. } | Expression::Busy),
            )) => return Err(error),
            Some(Err(error)) => Some(Some(format!("The expression cannot be checked: {error}"))),
        })
    }
}
