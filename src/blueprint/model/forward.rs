//! How an application is protected, as whoever writes it says it: flows by their slugs or identifiers,
//! origins as usual. Checks and spells; changes nothing.

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::resolve::Miss;
use super::super::staged::Staged;
use super::Object;
use crate::catalog::{Flow, ForwardAuth};
use crate::flow::field::Problem;
use crate::journal::object::Stored;

/// The members that name flows.
const FLOWS: [&str; 2] = ["authentication_flow", "invalidation_flow"];

/// All members.
const MEMBERS: [&str; 6] = [
    "hosts",
    "skip_paths",
    FLOWS[0],
    FLOWS[1],
    "session_seconds",
    "cache_seconds",
];

/// What is stored of `value`.
pub(super) fn check(value: &Value, staged: &Staged) -> Result<Value, Miss> {
    let Value::Object(given) = value else {
        return Err(Miss::Wrong("Expected a dictionary.".to_owned()));
    };
    let mut given = given.clone();
    // What is misspelt would be missed: something would be open, or closed, that should not be.
    if let Some(unknown) = given.keys().find(|it| !MEMBERS.contains(&it.as_str())) {
        return Err(Miss::Wrong(format!("{unknown}: there is no such member.")));
    }
    for name in FLOWS {
        if let Some(value) = given.get_mut(name).filter(|value| !value.is_null()) {
            *value = flow(name, value, staged)?;
        }
    }
    let read: ForwardAuth = serde_json::from_value(given.into())
        .map_err(|error| Miss::Wrong(format!("It cannot be read: {error}.")))?;
    let spelt = read.spelt();
    let spelt = spelt.map_err(|problem| Miss::Wrong(format!("hosts: {problem}")))?;
    Ok(json!(spelt))
}

/// The identifier of a flow that is named by that or by its slug.
fn flow(name: &str, value: &Value, staged: &Staged) -> Result<Value, Miss> {
    let text = value.as_str().unwrap_or_default();
    let found = match text.parse::<Uuid>() {
        Ok(id) => staged.get(Flow::KIND, id)?,
        Err(_) => staged.holder(Flow::KIND, "slug", text.as_bytes().to_vec())?,
    };
    let no_such = || {
        let shown = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Miss::Wrong(format!("{name}: {}", Problem::NoSuchObject(shown)))
    };
    found.map(Object::pk).ok_or_else(no_such)
}
