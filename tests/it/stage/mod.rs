//! What each kind of stage asks, and what it takes.

mod identification;
mod invitation;
mod others;
mod password;
mod user_login;
mod user_write;
