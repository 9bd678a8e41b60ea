//! Blueprints.

mod document;
mod format;
mod host;
mod node;
mod problem;
mod resolve;
mod scalar;
mod tag;
