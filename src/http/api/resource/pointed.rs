//! Where the secrets of a stage are sent: whoever may change that must not thereby learn them.

use serde_json::{Map, Value};

use super::super::body::wrong;
use crate::blueprint::edit::Object;
use crate::catalog::stage::SECRETS;
use crate::http::Error;

/// The settings that say where a stage sends its secrets.
const PLACES: [&str; 5] = ["api_url", "api_hostname", "host", "port", "account_sid"];

/// Checks that a stage's secrets are given anew where they are to be sent to another place.
///
/// # Errors
/// A complaint about the place.
pub(super) fn check(object: &Object, fields: &Map<String, Value>) -> Result<(), Error> {
    let Object::Stage(stage) = object else {
        return Ok(());
    };
    let had = |name: &&str| match stage.settings.get(*name) {
        Some(Value::String(text)) => !text.is_empty(),
        other => other.is_some_and(|it| !it.is_null()),
    };
    let keeps_one = SECRETS
        .iter()
        .filter(|it| had(it))
        .any(|it| !fields.contains_key(*it));
    let moved = PLACES.into_iter().find(|name| {
        let given = fields.get(*name);
        given.is_some_and(|given| stage.settings.get(*name) != Some(given))
    });
    match moved {
        Some(name) if keeps_one => Err(wrong(
            name,
            "What is secret is sent there, so it has to be given anew together with this.",
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Stage;
    use crate::clock::Clock;
    use serde_json::json;

    fn allows(had: &Value, fields: &Value) -> bool {
        let map = |value: &Value| value.as_object().cloned().unwrap_or_default();
        let stage = Stage::new(&Clock::system(), "captcha", "c", map(had));
        check(&Object::Stage(stage), &map(fields)).is_ok()
    }

    #[test]
    fn a_secret_goes_nowhere_else_unless_it_is_given_anew() {
        let had = json!({ "api_url": "https://a.example", "private_key": "s" });
        let there = json!({ "api_url": "https://b.example" });
        assert!(!allows(&had, &there));
        let anew = json!({ "api_url": "https://b.example", "private_key": "t" });
        assert!(allows(&had, &anew));
        assert!(allows(&had, &json!({ "api_url": "https://a.example" })));
        assert!(allows(&had, &json!({ "public_key": "p" })));
        assert!(allows(
            &json!({ "api_url": "https://a.example", "private_key": "" }),
            &there
        ));
    }
}
