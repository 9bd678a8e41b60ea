//! What a flow is and what may happen to an execution of it. Pure: no clock, no store, no IO.
//!
//! [`decide`] turns a state and a command into events, [`evolve`] folds events into the next
//! state. This module may use only itself, `serde`, `uuid`, `jiff` and
//! `thiserror`, and says with `utoipa` what its words are in the description of the API.

pub mod challenge;
pub mod client;
pub mod code;
pub mod command;
pub mod context;
mod decide;
pub mod effect;
mod entry;
pub mod event;
mod evolve;
pub mod execution;
pub mod field;
pub mod input;
pub mod model;
pub mod next;
pub mod plan;
pub mod query;
pub mod timer;
pub mod verdict;

pub use code::{Code, code};
pub use command::{Command, Rejection};
pub use context::Context;
pub use decide::decide;
pub use entry::Entry;
pub use event::Event;
pub use evolve::{evolve, fold};
pub use execution::Execution;
