//! Second factors, from setting one up to logging in with it.

mod email;
mod sms;
