//! Gatelog executes authentication flows and remembers every step.

pub mod clock;
pub mod journal;
pub mod settings;
