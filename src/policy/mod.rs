//! Policies: what decides who may use a flow and which stages a plan holds.
//!
//! So far the Python expressions only, in [`expression`]. A policy sees the world through what it
//! is handed, never by itself, so that an evaluation can be recorded and run again.

pub mod expression;
