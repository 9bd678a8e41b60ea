//! A configured stage: a kind, a name, and settings that only the kind understands.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::clock::Clock;
use crate::flow::field::{Invalid, Problem};
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{Key, Kind, Objects, Result};

/// A stage as an operator configured it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// Its identifier.
    pub pk: Uuid,
    /// What operators call it; unique among the stages of all kinds.
    pub name: String,
    /// Which kind of stage it is, such as `identification`.
    pub kind: String,
    /// The settings of that kind.
    pub settings: Map<String, Value>,
}

/// Settings that are written and never shown again, whoever asks, in whatever kind of stage.
pub const SECRETS: &[&str] = &[
    "admin_secret_key",
    "auth",
    "auth_password",
    "client_secret",
    "password",
    "private_key",
];

impl Stage {
    /// A stage with these settings.
    #[must_use]
    pub fn new(clock: &Clock, kind: &str, name: &str, settings: Map<String, Value>) -> Self {
        Self {
            pk: clock.opaque_id(),
            name: name.to_owned(),
            kind: kind.to_owned(),
            settings,
        }
    }

    /// What is wrong with what all kinds have in common.
    #[must_use]
    pub fn problems(&self) -> Vec<Invalid> {
        if self.name.trim().is_empty() {
            vec![Invalid::new("name", Problem::Blank)]
        } else {
            Vec::new()
        }
    }
}

impl Stored for Stage {
    const KIND: Kind = Kind::new("stage");

    fn id(&self) -> Uuid {
        self.pk
    }

    fn unique(&self) -> Vec<Key> {
        vec![Key::new("name", &self.name)]
    }

    fn index(&self) -> Vec<Key> {
        vec![Key::new("kind", &self.kind)]
    }
}

/// The stage with this name.
pub async fn stage_by_name(
    objects: &(impl Objects + ?Sized),
    name: &str,
) -> Result<Option<Versioned<Stage>>> {
    object::find(objects, Key::new("name", name)).await
}
