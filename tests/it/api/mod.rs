//! The management API, as programs use it.

mod groups;
mod program;
mod roles;
mod sessions;
mod tokens;
mod users;
