//! The management API, as programs use it.

mod acting;
mod applications;
mod blueprints;
mod clients;
mod contended;
mod events;
mod executions;
mod feed;
mod fuzz;
mod groups;
mod inspector;
mod invitations;
mod policies;
mod program;
mod prompts;
mod reference;
mod replay;
mod roles;
mod sessions;
mod stages;
mod tokens;
mod users;
