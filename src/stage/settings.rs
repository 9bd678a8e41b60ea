//! Turns the settings of a stage from JSON into its type and back. Judges no behaviour.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::field::{NON_FIELD_ERRORS, error, errors};
use super::{Error, Stage};
use crate::flow::event::Errors;

/// The settings with every default filled in; keys that the kind does not know are dropped, as
/// authentik's serialisers do with fields of other versions.
pub(super) fn validate<T>(settings: &Map<String, Value>) -> Result<Map<String, Value>, Errors>
where
    T: Stage + Serialize + DeserializeOwned,
{
    let stage: T = by_field(settings)?;
    let mut found = Errors::new();
    for invalid in stage.problems() {
        let complaint = error(invalid.problem.to_string(), invalid.problem.code());
        found
            .entry(invalid.field.to_owned())
            .or_default()
            .push(complaint);
    }
    if !found.is_empty() {
        return Err(found);
    }
    match serde_json::to_value(&stage) {
        Ok(Value::Object(settings)) => Ok(settings),
        _ => Err(errors(
            NON_FIELD_ERRORS,
            "The settings are no object.",
            "invalid",
        )),
    }
}

/// Reads settings; the complaint names the field that cannot be read, not only what is wrong.
fn by_field<T: DeserializeOwned>(settings: &Map<String, Value>) -> Result<T, Errors> {
    let whole = match serde_json::from_value(Value::Object(settings.clone())) {
        Ok(stage) => return Ok(stage),
        Err(error) => error.to_string(),
    };
    // The first field without which everything else can be read is the one to blame.
    for name in settings.keys() {
        let mut others = settings.clone();
        others.remove(name);
        let rest: Result<T, _> = serde_json::from_value(Value::Object(others));
        let missing = format!("missing field `{name}`");
        if rest.is_ok() || rest.is_err_and(|error| error.to_string() == missing) {
            return Err(errors(name, whole, "invalid"));
        }
    }
    let missing = whole
        .strip_prefix("missing field `")
        .and_then(|rest| rest.strip_suffix('`'));
    Err(match missing {
        Some(name) => errors(name, "This field is required.", "required"),
        None => errors(NON_FIELD_ERRORS, whole, "invalid"),
    })
}

/// Reads settings that were validated when they were stored.
pub(super) fn read<T: DeserializeOwned>(settings: &Map<String, Value>) -> Result<T, Error> {
    serde_json::from_value(Value::Object(settings.clone()))
        .map_err(|error| Error::Failed(format!("the stage's settings cannot be read: {error}")))
}

#[cfg(test)]
mod tests {
    use crate::stage::Kind;
    use serde_json::{Map, Value, json};

    fn object(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }

    #[test]
    fn defaults_are_filled_in_and_unknown_settings_dropped() {
        let settings = object(json!({"deny_message": "no", "template": "old.html"}));
        let validated = Kind::Deny.validate(&settings).expect("valid settings");
        assert_eq!(Value::Object(validated), json!({"deny_message": "no"}));
    }

    #[test]
    fn a_wrong_value_is_blamed_on_its_field() {
        let settings = object(json!({"backends": [], "failed_attempts_before_cancel": "many"}));
        let errors = Kind::Password
            .validate(&settings)
            .expect_err("not a number");
        assert!(
            errors.contains_key("failed_attempts_before_cancel"),
            "{errors:?}"
        );
        let errors = Kind::Password
            .validate(&Map::new())
            .expect_err("no back ends");
        assert_eq!(errors["backends"][0].code, "required");
    }
}
