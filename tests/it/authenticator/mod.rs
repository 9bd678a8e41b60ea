//! Second factors.

mod webauthn;
