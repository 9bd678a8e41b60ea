//! Policies as their users meet them: bound to flows of a running server.

mod aside;
mod bindings;
mod denial;
mod invalid;
mod planning;
