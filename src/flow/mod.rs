//! PURE: what a flow is and what may happen to an execution of it.
//!
//! Nothing here reads a clock, a disk or a network, or imports anything else of ours.

pub mod field;
pub mod model;
