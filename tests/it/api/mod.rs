//! The management API, as programs use it.

mod events;
mod feed;
