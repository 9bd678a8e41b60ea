//! Who there is: users, groups, sessions, tokens and logins, and what the installation itself remembers.
//!
//! Versioned objects and how they are found. Reads are plain functions; writes are returned for
//! somebody else's commit, except in [`command`] and the other modules that are named so. Nothing
//! here knows of HTTP.

pub mod act;
pub mod attributes;
pub mod avatar;
pub mod change;
pub mod command;
pub mod consent;
pub mod consent_command;
pub mod departure;
pub mod device;
pub mod device_command;
pub mod erasure;
mod error;
pub mod event;
pub mod group;
pub mod install;
pub mod invitation;
pub mod link;
pub mod login;
pub mod mail_attempts;
pub mod mfa_attempts;
pub mod password;
pub mod password_history;
pub mod permission;
pub mod push_attempts;
pub mod remark;
pub mod reputation;
pub mod role;
pub mod session;
pub mod session_command;
pub mod setup;
pub mod token;
pub mod turns;
pub mod user;

#[cfg(test)]
mod tests;

pub use act::Act;
pub use change::Author;
pub use command::{create_user, set_password};
pub use consent::UserConsent;
pub use consent_command::revoke_consent;
pub use device::{Authenticator, Device, DeviceClass, devices_of};
pub use device_command::{add_device, remove_devices, rename_device};
pub use error::{Error, problem_of};
pub use event::AuditEvent;
pub use group::{Group, group_by_name, groups_of, is_superuser};
pub use install::{Install, Setup, install};
pub use invitation::Invitation;
pub use login::{Login, logins_of};
pub use mfa_attempts::MfaAttempts;
pub use password_history::{Keeping, PasswordHistory};
pub use permission::{Granted, granted};
pub use push_attempts::{PushAttempts, push_attempts};
pub use remark::{Remark, remark};
pub use reputation::Reputation;
pub use role::Role;
pub use session::{Session, session_by_sid, sessions_of};
pub use session_command::end_sessions;
pub use token::{Token, app_password, token_by_identifier, token_by_key};
pub use user::{LookupField, NewUser, User, user_by_pk, user_by_username, users, users_matching};
