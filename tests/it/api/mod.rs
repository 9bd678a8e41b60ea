//! The management API, as programs use it.

mod acting;
mod clients;
mod events;
mod feed;
mod fuzz;
mod inspector;
mod invitations;
mod policies;
mod prompts;
mod reference;
mod stages;
