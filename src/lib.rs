//! Gatelog executes authentication flows and remembers every step.

pub mod app;
pub mod blueprint;
pub mod catalog;
pub mod cli;
pub mod clock;
pub mod directory;
pub mod execution;
pub mod flow;
pub mod http;
pub mod journal;
pub mod policy;
pub mod replay;
pub mod settings;
pub mod stage;
pub mod web;
pub mod world;
