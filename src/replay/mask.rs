//! Masks what is a secret by its name. Real secrets are not even in the trail; but an expression may
//! write down whatever it likes, and what it calls a password is shown to nobody.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::flow::Event;
use crate::flow::context;

/// Shown in the place of what nobody may see.
pub const MASK: &str = "********************";

/// Parts of the names of what nobody may see.
const SECRETS: [&str; 6] = [
    "password",
    "secret",
    "token",
    "private",
    "api_key",
    "credential",
];

/// Whether what is called so is a secret.
pub(super) fn is_secret(name: &str) -> bool {
    let lower = name.to_lowercase();
    SECRETS.iter().any(|it| lower.contains(it))
}

/// A value, or the mask where its name says that it is secret; within it as well.
#[must_use]
pub fn masked(name: &str, value: Value) -> Value {
    match value {
        Value::Object(entries) => entries
            .into_iter()
            .map(|(name, value)| (name.clone(), masked(&name, value)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.into_iter().map(|it| masked(name, it)).collect(),
        Value::String(_) if is_secret(name) => MASK.into(),
        value => value,
    }
}

/// The mask in the place of every handle of a secret in the vault, in what was serialised with types.
#[must_use]
pub(super) fn handles(value: Value) -> Value {
    match value {
        Value::Object(mut entries) if entries.get("is").is_some_and(|it| it == "secret") => {
            entries.insert("value".to_owned(), MASK.into());
            entries.into()
        }
        Value::Object(entries) => entries
            .into_iter()
            .map(|(name, value)| (name, handles(value)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.into_iter().map(handles).collect(),
        other => other,
    }
}

/// An event as it may be shown.
#[must_use]
pub fn event(event: &Event) -> Event {
    match event.clone() {
        Event::ContextChanged { key, value, by } => Event::ContextChanged {
            value: value.map(|value| of_context(&key, value)),
            key,
            by,
        },
        Event::CustomEvent {
            action,
            details,
            by,
        } => Event::CustomEvent {
            details: masked("", details),
            action,
            by,
        },
        Event::ChallengeIssued {
            number,
            component,
            fields,
        } => Event::ChallengeIssued {
            number,
            component,
            fields: masked("", fields),
        },
        other => other,
    }
}

/// A value of the context as it may be shown, by the name that it has there.
pub(super) fn of_context(name: &str, value: context::Value) -> context::Value {
    use context::Value as Known;
    match value {
        Known::Json(json) => Known::Json(masked(name, json)),
        Known::List(items) => {
            let items = items.into_iter();
            Known::List(items.map(|it| of_context(name, it)).collect())
        }
        Known::Map(entries) => {
            let entries = entries.into_iter();
            let masked: BTreeMap<_, _> = entries
                .map(|(name, value)| (name.clone(), of_context(&name, value)))
                .collect();
            Known::Map(masked)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_has_the_name_of_a_secret_is_masked_however_deep() {
        let known = json!({
            "password": "a",
            "prompt_data": { "new_password": ["b"], "colour": "red", "size": 3 },
            "auth_method_args": { "mfa_devices": [{ "Secret": "c" }] },
        });
        let shown = masked("", known);
        assert_eq!(
            shown,
            json!({
                "password": MASK,
                "prompt_data": { "new_password": [MASK], "colour": "red", "size": 3 },
                "auth_method_args": { "mfa_devices": [{ "Secret": MASK }] },
            })
        );
    }

    #[test]
    fn what_an_expression_wrote_down_is_masked_in_its_event() {
        let noted = |key: &str, value: context::Value| Event::ContextChanged {
            key: key.to_owned(),
            value: Some(value),
            by: "policy".to_owned(),
        };
        let text = context::Value::text;
        assert_eq!(
            event(&noted("api_key", text("k"))),
            noted("api_key", text(MASK))
        );
        let map = |secret| {
            let user = context::Value::User(uuid::Uuid::nil());
            context::Value::Map(BTreeMap::from([
                ("token".to_owned(), text(secret)),
                ("user".to_owned(), user),
            ]))
        };
        assert_eq!(
            event(&noted("prompt_data", map("t"))),
            noted("prompt_data", map(MASK))
        );
    }
}
