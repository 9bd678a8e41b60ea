//! The management API, as programs use it.

mod clients;
mod fuzz;
mod inspector;
mod reference;
