//! Audit events as authentik's clients know them: read out of the journal, and kept beside it.
//!
//! [`execution::events_of`] and [`change::events_of`] say what a record tells, and only compute;
//! [`resolve`] looks up what people and objects are called; the [`Auditor`] follows the journal and
//! writes each event once. Nothing here decides what happens, and nobody else depends on it.

pub mod change;
pub mod cleanse;
mod draft;
pub mod execution;
mod expire;
mod model;
mod projector;
pub mod resolve;

pub use draft::{Condition, Draft, Letter, Origin, Reference, Who};
pub use projector::{Auditor, Options, READER};

#[cfg(test)]
mod tests;
