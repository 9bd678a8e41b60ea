//! What would have to be known, and was never recorded.

use serde::Serialize;
use uuid::Uuid;

use crate::journal::Kind;

/// Why nobody knows how an execution would go. Nothing personal is in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, thiserror::Error)]
#[serde(tag = "missing", rename_all = "snake_case")]
pub enum Missing {
    /// A stage would ask the visitor, who never answered that.
    #[error("the stage \"{stage}\" would ask, and was never answered")]
    Answer {
        /// The stage.
        stage: String,
    },
    /// A stage would wait for another server.
    #[error("the stage \"{stage}\" would wait for another server, which was never asked")]
    Outcome {
        /// The stage.
        stage: String,
    },
    /// A password would be checked.
    #[error("a password would be checked that was not checked then")]
    Password,
    /// A code or another secret would be compared.
    #[error("a secret would be compared that was not compared then")]
    Secret,
    /// A policy would be handed what was typed in secret, which is not kept.
    #[error("a policy would see a secret, and no secret is kept")]
    Handed,
    /// An evaluation was ended before it came to its own end, which says nothing of then.
    #[error("the evaluation of the policy {policy} did not come to an end: {cause}")]
    Evaluation {
        /// The policy.
        policy: Uuid,
        /// Why.
        cause: String,
    },
    /// Nothing can run expressions here.
    #[error("nothing here runs expressions")]
    Workers,
    /// A counter would be read.
    #[error("a counter of attempts would be read that was not read then")]
    Counter,
    /// A reputation would be read.
    #[error("a reputation would be read that was not read then")]
    Reputation,
    /// It would be looked up where an address is.
    #[error("the place of an address would be looked up that was not looked up then")]
    Place,
    /// The lists of stolen passwords would be asked.
    #[error("a password would be looked for in lists of stolen ones, which was not done then")]
    Breaches,
    /// The strength of a password would be looked at.
    #[error("the strength of a password would be looked at, which was not done then")]
    Strength,
    /// A device would have to prove itself.
    #[error("a device would have to prove itself that did not do so then")]
    Credential,
    /// Something would be looked up that was not looked up then, and that no history answers.
    #[error("objects of the kind {kind} would be looked up that were not looked up then")]
    Lookup {
        /// The kind.
        kind: Kind,
    },
    /// What an object was then cannot be read any more.
    #[error("what an object of the kind {kind} was then can no longer be read")]
    Erased {
        /// The kind.
        kind: Kind,
    },
    /// The code cannot go on.
    #[error("the code cannot go on: {problem}")]
    Code {
        /// Why.
        problem: String,
    },
}
