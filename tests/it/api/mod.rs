//! The management API, as programs use it.

mod clients;
mod reference;
