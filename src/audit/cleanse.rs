//! Makes the context of an event fit to be shown: nothing in it that is a secret by its name, and
//! nothing that clients stumble over.
//!
//! Source: authentik `events/utils.py`. It goes by names alone, so what is no secret is masked as
//! well where it is called like one, such as `author` or `monkey`.

use serde_json::{Map, Value};

/// What stands in the place of a secret.
pub const MASK: &str = "********************";

/// What the name of a secret has in it somewhere, in whatever case.
const SECRET: [&str; 8] = [
    "API",
    "AUTH",
    "TOKEN",
    "KEY",
    "SECRET",
    "PASS",
    "SIGNATURE",
    "HTTP_COOKIE",
];

/// What the name of no secret has in it.
const OPEN: [&str; 2] = ["PASSING", "PASSWORD_CHANGE_DATE"];

/// Names of no secrets.
const OPEN_NAMES: [&str; 2] = ["AUTH_METHOD", "AUTH_METHOD_ARGS"];

/// Masks secrets, and takes out what cannot be stored or shown.
#[must_use]
pub fn cleanse(context: Map<String, Value>) -> Map<String, Value> {
    let entries = context.into_iter();
    entries
        .map(|(name, value)| {
            let value = item(&name, value);
            (name, value)
        })
        .collect()
}

fn item(name: &str, value: Value) -> Value {
    match value {
        Value::Object(inner) => Value::Object(cleanse(inner)),
        Value::Array(items) => {
            let items = items.into_iter().filter(says_something);
            Value::Array(items.map(|it| item(name, it)).collect())
        }
        _ if is_secret(name) => MASK.into(),
        Value::String(text) if text.contains('\0') => text.replace('\0', "").into(),
        other => other,
    }
}

/// What is empty is left out of lists.
fn says_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(entries) => !entries.is_empty(),
        Value::Bool(true) => true,
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_uppercase();
    let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    has(&SECRET) && !has(&OPEN) && !OPEN_NAMES.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn cleansed(value: Value) -> Value {
        match value {
            Value::Object(entries) => Value::Object(cleanse(entries)),
            other => panic!("{other} is no object"),
        }
    }

    #[test]
    fn what_is_called_like_a_secret_is_masked_however_deep() {
        let given = json!({
            "username": "jane", "password": "p", "password_repeat": null, "flow_token": 7,
            "compass": "north", "nested": { "api_key": "k", "plain": "x" },
            "tokens": ["a", "b"], "secret": { "inner": "seen", "pass": true },
        });
        let expected = json!({
            "username": "jane", "password": MASK, "password_repeat": MASK, "flow_token": MASK,
            "compass": MASK, "nested": { "api_key": MASK, "plain": "x" },
            "tokens": [MASK, MASK], "secret": { "inner": "seen", "pass": MASK },
        });
        assert_eq!(cleansed(given), expected);
    }

    #[test]
    fn names_that_only_look_like_secrets_are_left() {
        let open = json!({
            "passing": true, "password_change_date": "2026-01-01", "auth_method": "password",
            "auth_method_args": { "known_device": false },
        });
        assert_eq!(cleansed(open.clone()), open);
    }

    #[test]
    fn nothing_is_left_that_clients_stumble_over() {
        let given = json!({ "text": "a\u{0}b", "list": ["", 0, null, "x", [], {}] });
        assert_eq!(cleansed(given), json!({ "text": "ab", "list": ["x"] }));
    }
}
