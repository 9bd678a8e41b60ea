//! Stages.
pub mod field;
