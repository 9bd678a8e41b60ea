//! The management API, as programs use it.

mod acting;
mod invitations;
mod policies;
mod prompts;
mod stages;
