//! Turns the settings of a stage or a policy from JSON into its type and back. Judges no
//! behaviour.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::flow::event::{Errors, NON_FIELD_ERRORS, error, errors};
use crate::flow::field::Invalid;

/// The settings with every default filled in; keys that the kind does not know are dropped, as
/// authentik's serialisers do with fields of other versions. `problems` finds what is wrong
/// beyond what the type says.
///
/// # Errors
/// The problems, by field.
pub fn validate<T>(
    settings: &Map<String, Value>,
    problems: impl Fn(&T) -> Vec<Invalid>,
) -> Result<Map<String, Value>, Errors>
where
    T: Serialize + DeserializeOwned,
{
    let settings: T = by_field(settings)?;
    let mut found = Errors::new();
    for invalid in problems(&settings) {
        let complaint = error(invalid.problem.to_string(), invalid.problem.code());
        found
            .entry(invalid.field.to_owned())
            .or_default()
            .push(complaint);
    }
    if !found.is_empty() {
        return Err(found);
    }
    match serde_json::to_value(&settings) {
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
///
/// # Errors
/// What cannot be read, in a sentence.
pub fn read<T: DeserializeOwned>(settings: &Map<String, Value>) -> Result<T, String> {
    serde_json::from_value(Value::Object(settings.clone()))
        .map_err(|error| format!("its settings cannot be read: {error}"))
}
