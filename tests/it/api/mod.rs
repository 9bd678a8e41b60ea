//! The management API, as programs use it.

mod clients;
mod fuzz;
mod groups;
mod inspector;
mod program;
mod reference;
mod roles;
mod sessions;
mod tokens;
mod users;
