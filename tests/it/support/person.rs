//! Somebody with an account, whose every value is found nowhere by accident.

use super::{Canaries, random};

/// What is known of somebody.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    /// What they log in with.
    pub(crate) username: String,
    /// What they are called.
    pub(crate) name: String,
    /// Their mail address.
    pub(crate) mail: String,
    /// What only they know.
    pub(crate) password: String,
}

impl Person {
    /// Somebody new; the canaries learn everything about them.
    pub(crate) fn new(canaries: &Canaries) -> Self {
        let person = Self {
            username: format!("user-{}", random(16)),
            name: format!("Name {}", random(16)),
            mail: format!("{}@{}.example", random(16), random(16)),
            password: format!("Pass/{}?+ {}", random(16), random(8)),
        };
        canaries.personal("a username", &person.username);
        canaries.personal("a name", &person.name);
        canaries.personal("a mail address", &person.mail);
        canaries.secret("a password", &person.password);
        person
    }
}
