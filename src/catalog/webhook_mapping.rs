//! A mapping: an expression that says what a provider is sent. Its name is authentik's, where it
//! also serves notifications.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Clock;
use crate::flow::field::{Invalid, text};
use crate::journal::object::Stored;
use crate::journal::{Key, Kind};

/// The most characters of a name.
const LONGEST: usize = 1024;

/// A mapping as an operator configured it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookMapping {
    /// Its identifier.
    pub pk: Uuid,
    /// What operators call it; unique.
    pub name: String,
    /// What gives a dictionary.
    pub expression: String,
}

impl WebhookMapping {
    /// A mapping that says nothing yet.
    #[must_use]
    pub fn new(clock: &Clock, name: &str) -> Self {
        Self {
            pk: clock.opaque_id(),
            name: name.to_owned(),
            expression: String::new(),
        }
    }

    /// What is wrong with it; nothing is when it may be stored.
    #[must_use]
    pub fn problems(&self) -> Vec<Invalid> {
        let problem = text(&self.name, LONGEST).err();
        problem
            .into_iter()
            .map(|problem| Invalid::new("name", problem))
            .collect()
    }
}

impl Stored for WebhookMapping {
    const KIND: Kind = Kind::new("webhook_mapping");

    fn id(&self) -> Uuid {
        self.pk
    }

    fn unique(&self) -> Vec<Key> {
        vec![Key::new("name", &self.name)]
    }
}
