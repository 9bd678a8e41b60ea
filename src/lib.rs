//! Gatelog executes authentication flows and remembers every step.

pub mod blueprint;
pub mod catalog;
pub mod clock;
pub mod directory;
pub mod execution;
pub mod flow;
pub mod journal;
pub mod stage;
pub mod world;
