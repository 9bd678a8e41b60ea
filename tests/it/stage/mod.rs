//! What each kind of stage asks, and what it takes.

mod captcha;
mod identification;
mod invitation;
mod known_device;
mod others;
mod password;
mod prompt;
mod session_binding;
mod sources;
mod user_login;
mod user_write;
