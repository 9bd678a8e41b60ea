//! Python's view of values: what counts as true, and how mappings are merged.

use serde_json::{Map, Value};

use super::format::text;
use super::tag::{Expr, Form, Mode};

/// Whether Python would take the value for true.
pub(super) fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// How conditions of which these held are combined.
pub(super) fn combine(mode: Mode, held: &[bool]) -> bool {
    let odd = held.iter().filter(|held| **held).count() % 2 == 1;
    match mode {
        Mode::And => held.iter().all(|held| *held),
        Mode::Nand => !held.iter().all(|held| *held),
        Mode::Or => held.iter().any(|held| *held),
        Mode::Nor => !held.iter().any(|held| *held),
        Mode::Xor => odd,
        Mode::Xnor => !odd,
    }
}

/// What the body of `!Enumerate [.., MAP, ..]` made: a pair, or a mapping.
pub(super) fn pair(made: Value) -> Result<Map<String, Value>, &'static str> {
    match made {
        Value::Object(map) => Ok(map),
        Value::Array(items) => match <[Value; 2]>::try_from(items) {
            Ok([key, value]) => Ok(Map::from_iter([(text(&key), value)])),
            Err(_) => Err("!Enumerate with MAP needs a pair [key, value] or a mapping as its body"),
        },
        _ => Err("!Enumerate with MAP needs a pair [key, value] or a mapping as its body"),
    }
}

/// Merges deeply: mappings into mappings, lists one after the other, and else `from` wins.
pub(super) fn merge(into: &mut Map<String, Value>, from: Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Object(into)), Value::Object(from)) => merge(into, from),
            (Some(Value::Array(into)), Value::Array(from)) => into.extend(from),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

/// The same for a context, whose values may still be tags.
pub(super) fn merge_context(into: &mut Vec<(String, Expr)>, from: Vec<(String, Expr)>) {
    for (key, value) in from {
        let Some((_, present)) = into.iter_mut().find(|(name, _)| *name == key) else {
            into.push((key, value));
            continue;
        };
        match (&mut present.form, value.form) {
            (Form::Mapping(into), Form::Mapping(from)) => merge_context(into, from),
            (Form::Sequence(into), Form::Sequence(from)) => into.extend(from),
            (form, other) => *form = other,
        }
    }
}

/// How much room a value takes, about: one for each value in it, and more for long texts.
pub(super) fn weight(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(weight).sum::<usize>(),
        Value::Object(map) => 1 + map.values().map(weight).sum::<usize>(),
        Value::String(text) => 1 + text.len() / 64,
        _ => 1,
    }
}
