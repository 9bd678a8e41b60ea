//! Policies as their users meet them: bound to flows of a running server.

mod api;
mod aside;
mod bench;
mod bindings;
mod blueprints;
mod command;
mod denial;
mod expressions;
mod hostile;
mod interleaving;
mod invalid;
mod mail;
mod passwords;
mod places;
mod planning;
mod reference;
mod reputation;
mod trail;
