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

/// Settings that say where a stage sends its secrets, and how well hidden they are on their way.
const PLACES: &[&str] = &[
    "account_sid",
    "api_hostname",
    "api_url",
    "host",
    "port",
    "use_ssl",
    "use_tls",
];

/// What whoever changes one of `PLACES` is told.
pub const POINTED: &str =
    "What is secret is sent there, so it has to be given anew together with this.";

impl Stage {
    /// The first of the given settings by which a secret of this stage would be sent to another
    /// place, or in another way, unless all that is secret is given anew as well: whoever may change
    /// that must not thereby learn what they may not see.
    #[must_use]
    pub fn sends_elsewhere(&self, given: &Map<String, Value>) -> Option<&'static str> {
        let had = |name: &&&str| match self.settings.get(**name) {
            Some(Value::String(text)) => !text.is_empty(),
            other => other.is_some_and(|it| !it.is_null()),
        };
        let is_anew = |name: &&str| given.get(*name).is_some_and(|it| !it.is_null());
        if SECRETS.iter().filter(had).all(is_anew) {
            return None;
        }
        let is_other = |name: &&str| {
            let given = given.get(*name);
            given.is_some_and(|given| self.settings.get(*name) != Some(given))
        };
        PLACES.iter().copied().find(is_other)
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn elsewhere(had: &Value, given: &Value) -> Option<&'static str> {
        let map = |value: &Value| value.as_object().cloned().unwrap_or_default();
        Stage::new(&Clock::system(), "email", "e", map(had)).sends_elsewhere(&map(given))
    }

    #[test]
    fn a_secret_goes_nowhere_else_unless_it_is_given_anew() {
        let had = json!({ "api_url": "https://a.example", "private_key": "s" });
        let there = json!({ "api_url": "https://b.example" });
        assert_eq!(elsewhere(&had, &there), Some("api_url"));
        let anew = json!({ "api_url": "https://b.example", "private_key": "t" });
        assert_eq!(elsewhere(&had, &anew), None);
        let null = json!({ "api_url": "https://b.example", "private_key": null });
        assert_eq!(elsewhere(&had, &null), Some("api_url"));
        let same = json!({ "api_url": "https://a.example" });
        assert_eq!(elsewhere(&had, &same), None);
        assert_eq!(elsewhere(&had, &json!({ "public_key": "p" })), None);
        let none = json!({ "api_url": "https://a.example", "private_key": "" });
        assert_eq!(elsewhere(&none, &there), None);
    }

    #[test]
    fn a_secret_does_not_lose_its_cover_either() {
        let had = json!({ "host": "h", "use_tls": true, "use_ssl": false, "password": "s" });
        assert_eq!(
            elsewhere(&had, &json!({ "use_tls": false })),
            Some("use_tls")
        );
        assert_eq!(elsewhere(&had, &json!({ "use_tls": true })), None);
    }
}
