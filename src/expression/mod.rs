//! Python expressions, as the authors of authentik's policies write them.
//!
//! An expression runs in a worker process (`gatelog evaluate`), inside an interpreter that has no
//! file, no network, no clock and no process. Whatever it wants to know beyond what it was handed
//! is a question to the server, answered by a [`Host`]; so every answer can be recorded. Past its
//! deadline the worker is killed and replaced; nothing that happens in it can touch the server.
//!
//! This module knows neither users nor flows nor policies' results: that is the engine's part.
//! Only `interpreter` names the interpreter's crate.

mod difference;
mod error;
mod evaluation;
mod host;
mod interpreter;
mod keeper;
mod process;
mod told;
mod value;
mod wire;
pub mod worker;
mod workers;

pub use error::{Error, Frame, SyntaxError, Unfinished};
pub use evaluation::{Change, DEEPEST, Evaluation, Level, Limits, LogLine, Outcome, Plan, Root};
pub use host::{Call, Failure, Host, Raised, policy_called};
pub use told::{Asked, Asking, End, Told};
pub use value::{Object, Value};
pub use workers::{Options, Vitals, WAIT, Workers, retell};

/// Whether the expression can be understood, found out in this process. For unit tests, which
/// have no program to start as a worker.
#[cfg(test)]
pub(crate) fn check_here(source: &str) -> Result<(), Error> {
    interpreter::Program::compile(&wire::Text::checked(source))?;
    Ok(())
}

/// What stands in a text in the place of a secret.
pub const MASK: &str = "‹secret›";
