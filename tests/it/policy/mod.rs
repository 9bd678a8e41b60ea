//! Policies as their users meet them: bound to flows of a running server.

mod aside;
mod bench;
mod bindings;
mod denial;
mod expressions;
mod invalid;
mod places;
mod planning;
