//! The journal told to others as it grows: executions with all that happened in them, changes and
//! remarks, in the order in which they were written, none left out and each at least once.
//!
//! An item is one record; its place in the journal is the cursor. [`format`](mod@format) writes items down, [`Feed`]
//! brings them to a webhook and to standard output. [`checkpoint`] posts what the journal was, signed.
//! Nothing here decides who may read.

pub mod checkpoint;
mod deliver;
pub mod format;
pub mod item;
mod sign;
mod stdout;
mod webhook;

pub use deliver::{Feed, READERS};
pub use item::Item;
pub use sign::signature;
