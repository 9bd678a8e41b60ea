//! A configured policy: a kind, a name, and settings that only the kind understands.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::clock::Clock;
use crate::flow::field::{Invalid, Problem};
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{Key, Kind, Objects, Result};

/// A policy as an operator configured it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// Its identifier.
    pub pk: Uuid,
    /// What operators call it; unique among the policies of all kinds.
    pub name: String,
    /// Which kind of policy it is, such as `expression`.
    pub kind: String,
    /// Whether each evaluation is also written into the server's log. The trail of an execution
    /// has it in any case.
    pub execution_logging: bool,
    /// The settings of that kind.
    pub settings: Map<String, Value>,
}

impl Policy {
    /// A policy with these settings.
    #[must_use]
    pub fn new(clock: &Clock, kind: &str, name: &str, settings: Map<String, Value>) -> Self {
        Self {
            pk: clock.opaque_id(),
            name: name.to_owned(),
            kind: kind.to_owned(),
            execution_logging: false,
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

impl Stored for Policy {
    const KIND: Kind = Kind::new("policy");

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

/// The policy with this name.
pub async fn policy_by_name(
    objects: &(impl Objects + ?Sized),
    name: &str,
) -> Result<Option<Versioned<Policy>>> {
    object::find(objects, Key::new("name", name)).await
}

/// The policies of a kind, by name.
pub async fn policies_of_kind(
    objects: &(impl Objects + ?Sized),
    kind: &str,
) -> Result<Vec<Versioned<Policy>>> {
    let mut found: Vec<Versioned<Policy>> = object::scan(objects, Key::new("kind", kind)).await?;
    found.sort_by(|a, b| a.value.name.cmp(&b.value.name));
    Ok(found)
}
