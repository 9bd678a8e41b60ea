//! Turns the settings of a stage or a policy from JSON into its type and back. Judges no
//! behaviour.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::schema::{self, Described};
use crate::flow::event::{Errors, FieldError, NON_FIELD_ERRORS, error, errors};
use crate::flow::field::{Invalid, Problem};

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
    T: Serialize + DeserializeOwned + ToSchema,
{
    let given = settings;
    let settings: T = by_field(given)?;
    let unfit = schema::complaints(&Described::of::<T>(), given);
    let mut found = unfit.clone();
    // A value that does not fit its field at all has nothing more said about it.
    let problems = problems(&settings).into_iter();
    for invalid in problems.filter(|invalid| !unfit.contains_key(invalid.field)) {
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

/// Reads settings; the complaints name every field that cannot be read.
fn by_field<T: DeserializeOwned>(settings: &Map<String, Value>) -> Result<T, Errors> {
    let read = |settings| serde_json::from_value::<T>(Value::Object(settings));
    let whole = match read(settings.clone()) {
        Ok(settings) => return Ok(settings),
        Err(problem) => problem.to_string(),
    };
    // A field is to blame if it cannot be read alone either. That others are missing then is no
    // fault of its own.
    let mut found = Errors::new();
    let mut others = settings.clone();
    for (name, value) in settings {
        let alone = read(Map::from_iter([(name.clone(), value.clone())]));
        let problem = alone.err().map(|problem| problem.to_string());
        if let Some(problem) = problem.filter(|problem| missing(problem).is_none()) {
            found.insert(name.clone(), vec![complaint(&problem)]);
            others.remove(name);
        }
    }
    let rest = read(others).err().map(|problem| problem.to_string());
    let absent = rest.as_deref().and_then(missing);
    if let Some(name) = absent.filter(|name| !settings.contains_key(*name)) {
        let required = error(Problem::Required.to_string(), Problem::Required.code());
        found.insert(name.to_owned(), vec![required]);
    }
    Err(if found.is_empty() {
        errors(NON_FIELD_ERRORS, whole, "invalid")
    } else {
        found
    })
}

fn missing(problem: &str) -> Option<&str> {
    problem
        .strip_prefix("missing field `")
        .and_then(|rest| rest.strip_suffix('`'))
}

/// What serde says of a value, in the words of the wire; unusual things stay as they are.
fn complaint(problem: &str) -> FieldError {
    if let Some(rest) = problem.strip_prefix("unknown variant `") {
        let word = rest
            .rsplit_once("`, expected")
            .map_or(rest, |(word, _)| word);
        let choice = Problem::NotAChoice(word.to_owned());
        return error(choice.to_string(), choice.code());
    }
    let Some((what, expected)) = problem
        .strip_prefix("invalid type: ")
        .or_else(|| problem.strip_prefix("invalid value: "))
        .and_then(|rest| rest.rsplit_once(", expected "))
    else {
        return error(problem, "invalid");
    };
    if what == "null" {
        return error(Problem::Null.to_string(), Problem::Null.code());
    }
    match expected {
        "a string" => error("Not a valid string.", "invalid"),
        "a boolean" => error("Must be a valid boolean.", "invalid"),
        "f32" | "f64" => error("A valid number is required.", "invalid"),
        "a sequence" => {
            let text = format!(
                "Expected a list of items but got type \"{}\".",
                python(what)
            );
            error(text, "not_a_list")
        }
        "a map" => {
            let text = format!(
                "Expected a dictionary of items but got type \"{}\".",
                python(what)
            );
            error(text, "not_a_dict")
        }
        number => match (integers(number), what.starts_with("integer `")) {
            (Some((least, _)), true) if what.starts_with("integer `-") => error(
                format!("Ensure this value is greater than or equal to {least}."),
                "min_value",
            ),
            (Some((_, most)), true) => error(
                format!("Ensure this value is less than or equal to {most}."),
                "max_value",
            ),
            (Some(_), false) => error("A valid integer is required.", "invalid"),
            (None, _) => error(problem, "invalid"),
        },
    }
}

/// The least and the largest integer of a type, by its name.
fn integers(name: &str) -> Option<(i64, u64)> {
    Some(match name {
        "u8" => (0, u8::MAX.into()),
        "u16" => (0, u16::MAX.into()),
        "u32" => (0, u32::MAX.into()),
        "u64" | "usize" => (0, u64::MAX),
        "i32" => (i32::MIN.into(), i32::MAX.unsigned_abs().into()),
        "i64" => (i64::MIN, i64::MAX.unsigned_abs()),
        _ => return None,
    })
}

/// What Python calls a value that serde describes.
fn python(what: &str) -> &'static str {
    match what.split([' ', '`']).next() {
        Some("boolean") => "bool",
        Some("integer") => "int",
        Some("floating") => "float",
        Some("sequence") => "list",
        Some("map") => "dict",
        _ => "str",
    }
}

/// Reads settings that were validated when they were stored.
///
/// # Errors
/// What cannot be read, in a sentence.
pub fn read<T: DeserializeOwned>(settings: &Map<String, Value>) -> Result<T, String> {
    serde_json::from_value(Value::Object(settings.clone()))
        .map_err(|error| format!("its settings cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
    struct Settings {
        needed: String,
        #[serde(default)]
        count: u32,
        #[serde(default)]
        offset: i32,
        #[serde(default)]
        share: f64,
        #[serde(default)]
        on: bool,
        #[serde(default)]
        words: Vec<Word>,
        #[serde(default)]
        numbers: Vec<u16>,
        #[serde(default)]
        map: Map<String, Value>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
    #[serde(rename_all = "snake_case")]
    enum Word {
        Yes,
        No,
    }

    fn complaints(settings: &Value) -> Vec<(String, String, String)> {
        let settings = settings.as_object().expect("an object");
        let found = validate::<Settings>(settings, |_| Vec::new()).expect_err("something is wrong");
        let found = found.into_iter().flat_map(|(field, complaints)| {
            complaints
                .into_iter()
                .map(move |it| (field.clone(), it.string, it.code))
        });
        found.collect()
    }

    fn complaint_of(field: &str, value: &Value) -> (String, String) {
        let mut settings = json!({ "needed": "x" });
        settings[field] = value.clone();
        match &complaints(&settings)[..] {
            [(name, text, code)] if name == field => (text.clone(), code.clone()),
            other => panic!("{field}: {value}: {other:?}"),
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_in_the_words_of_the_wire() {
        for (field, value, text, code) in [
            (
                "count",
                json!("1"),
                "A valid integer is required.",
                "invalid",
            ),
            (
                "count",
                json!(1.5),
                "A valid integer is required.",
                "invalid",
            ),
            (
                "count",
                json!(true),
                "A valid integer is required.",
                "invalid",
            ),
            (
                "count",
                json!([1]),
                "A valid integer is required.",
                "invalid",
            ),
            (
                "count",
                json!(-1),
                "Ensure this value is greater than or equal to 0.",
                "min_value",
            ),
            (
                "count",
                json!(4_294_967_296_u64),
                "Ensure this value is less than or equal to 4294967295.",
                "max_value",
            ),
            (
                "offset",
                json!(-2_147_483_649_i64),
                "Ensure this value is greater than or equal to -2147483648.",
                "min_value",
            ),
            ("count", Value::Null, "This field may not be null.", "null"),
            (
                "share",
                json!("x"),
                "A valid number is required.",
                "invalid",
            ),
            ("needed", json!(1), "Not a valid string.", "invalid"),
            ("needed", Value::Null, "This field may not be null.", "null"),
            (
                "on",
                json!("on, expected a string"),
                "Must be a valid boolean.",
                "invalid",
            ),
            (
                "words",
                json!("yes"),
                "Expected a list of items but got type \"str\".",
                "not_a_list",
            ),
            (
                "words",
                json!({}),
                "Expected a list of items but got type \"dict\".",
                "not_a_list",
            ),
            (
                "map",
                json!([]),
                "Expected a dictionary of items but got type \"list\".",
                "not_a_dict",
            ),
            (
                "words",
                json!(["yes", "maybe"]),
                "\"maybe\" is not a valid choice.",
                "invalid_choice",
            ),
            (
                "numbers",
                json!([1, -1]),
                "Ensure this value is greater than or equal to 0.",
                "min_value",
            ),
            (
                "numbers",
                json!([1, "2"]),
                "A valid integer is required.",
                "invalid",
            ),
        ] {
            let expected = (text.to_owned(), code.to_owned());
            assert_eq!(complaint_of(field, &value), expected, "{field}: {value}");
        }
    }

    #[test]
    fn every_field_that_is_wrong_is_named_and_no_other() {
        let wrong = json!({ "count": "x", "numbers": "x", "on": 1, "share": 1.5, "old": 1 });
        let found = complaints(&wrong);
        let fields: Vec<_> = found.iter().map(|(field, ..)| field.as_str()).collect();
        assert_eq!(fields, ["count", "needed", "numbers", "on"]);
        assert_eq!(found[1].1, "This field is required.");
        assert_eq!(found[1].2, "required");
    }

    #[test]
    fn settings_that_can_be_read_come_back_with_their_defaults() {
        let settings = json!({ "needed": "x", "old": 1 });
        let settings = settings.as_object().expect("an object");
        let read: Settings = by_field(settings).expect("nothing is wrong");
        assert_eq!(read.count, 0);
        let kept = validate::<Settings>(settings, |_| Vec::new()).expect("nothing is wrong");
        assert!(kept.contains_key("words") && !kept.contains_key("old"));
    }
}
