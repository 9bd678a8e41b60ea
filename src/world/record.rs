//! What one command leaves in the stream of its execution.

use serde::{Deserialize, Serialize};

use super::Observation;
use crate::flow::event::Event;
use crate::flow::input::Input;
use crate::journal::Kind;

/// The streams of executions.
pub const KIND: Kind = Kind::new("execution");

/// The schema number of [`Record`].
pub const SCHEMA: u16 = 1;

/// Everything about one command: what came in, what the world said, what happened.
///
/// Given the input and the observations, today's code must come to the same events; that is
/// what a replay checks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// What came in.
    pub input: Input,
    /// What the world answered, in order.
    pub observations: Vec<Observation>,
    /// What happened, in order.
    pub events: Vec<Event>,
}

#[cfg(test)]
mod tests;
