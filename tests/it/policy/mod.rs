//! Policies as their users meet them: bound to flows of a running server.

mod places;
