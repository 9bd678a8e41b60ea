//! The ways by which browsers come to an execution.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::query::Query;

/// What a browser has to ask for, and in which session, to come to a certain execution.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Entry {
    /// The browser's session.
    pub session: Uuid,
    /// The flow's slug.
    pub slug: String,
    /// What tells it from other executions of the flow in the session, see [`Query::identity`].
    pub identity: String,
}

impl Entry {
    /// The way of a request with this query string.
    #[must_use]
    pub fn new(session: Uuid, slug: &str, query: &str) -> Self {
        Self {
            session,
            slug: slug.to_owned(),
            identity: Query::parse(query).identity(),
        }
    }

    /// Where the visitor wants to be afterwards.
    #[must_use]
    pub fn next(&self) -> Option<String> {
        Query::parse(&self.identity).next().map(str::to_owned)
    }
}
