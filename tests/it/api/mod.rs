//! The management API, as programs use it.

mod acting;
mod clients;
mod fuzz;
mod groups;
mod inspector;
mod invitations;
mod policies;
mod prompts;
mod reference;
mod stages;
mod program;
mod roles;
mod sessions;
mod tokens;
mod users;
