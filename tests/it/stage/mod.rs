//! What each kind of stage asks, and what it takes.

mod identification;
mod others;
mod password;
mod prompt;
mod user_login;
