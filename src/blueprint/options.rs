//! How a blueprint is applied, and why it was not.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::host::Host;
use super::problem::Problem;
use super::syntax::Syntax;
use crate::directory::change::Author;
use crate::directory::password::{Busy, Pool};
use crate::directory::permission::Granted;
use crate::directory::turns::Turns;
use crate::{expression, journal};

/// How a blueprint is applied.
#[derive(Clone)]
pub struct Options<'a> {
    /// What overrides the context of the blueprints that are named, deeply.
    pub context: Map<String, Value>,
    /// What `!Env` and `!File` may read.
    pub host: Host,
    /// Leaves out entries of models that this version does not have, and entries that build on
    /// them, and reports each; otherwise the first of them is an error.
    pub skip_unsupported: bool,
    /// Goes through everything but writes nothing.
    pub dry_run: bool,
    /// Blueprints that others can ask for: `metadata.name` and source.
    pub known: &'a [(&'a str, &'a str)],
    /// Encodes passwords; without it, an entry with a password is an error.
    pub passwords: Option<&'a Pool>,
    /// Says whether the expressions of policies and prompts are understood.
    pub syntax: Syntax<'a>,
    /// The request on whose behalf; without one, the commit gets a new correlation.
    pub correlation: Option<Uuid>,
    /// Who is noted to have done it.
    pub author: Author,
    /// The turns of all who change objects; without them, nobody else may.
    pub turns: Option<&'a Turns>,
    /// What whoever asked for it may do; without that, everything. It only says what must not be
    /// learned by it: whether they may have it applied at all is judged before.
    pub granted: Option<&'a Granted>,
}

impl Default for Options<'_> {
    /// Applies for real, knows the default blueprints, and is closed to the machine.
    fn default() -> Self {
        Self {
            context: Map::new(),
            host: Host::Closed,
            skip_unsupported: false,
            dry_run: false,
            known: super::default::defaults(),
            passwords: None,
            syntax: Syntax::Unknown,
            correlation: None,
            author: Author::server(),
            turns: None,
            granted: None,
        }
    }
}

/// Why nothing was applied.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The blueprint is wrong or asks for what cannot be.
    #[error("{}", lines(.0))]
    Invalid(Vec<Problem>),
    /// The journal failed, or others kept writing to the same objects.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// Too many passwords are being checked.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// It could not be found out whether an expression is understood.
    #[error("an expression could not be checked: {0}")]
    Unchecked(#[source] expression::Error),
}

fn lines(problems: &[Problem]) -> String {
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
