//! The schemas of what callers may write, made from the tables by which it is checked.

use serde_json::{Map, Value, json};

use super::{Components, reference, uuid, words};
use crate::blueprint::edit::{Field, Shape};

/// Adds the schemas of the bodies that make and change objects of this name: `<name>Request` and
/// `Patched<name>Request`. `settings` are those of a stage or a policy, as an object's schema.
pub(crate) fn request<'a>(
    components: &mut Components,
    name: &str,
    fields: impl Iterator<Item = &'a Field>,
    settings: Option<&Value>,
) {
    let mut properties = Map::new();
    let mut required: Vec<&str> = Vec::new();
    for field in fields {
        properties.insert(field.name.to_owned(), schema(components, field.shape));
        if field.required {
            required.push(field.name);
        }
    }
    if let Some(settings) = settings {
        let of = |key: &str| settings.get(key).cloned().unwrap_or_default();
        if let Value::Object(more) = of("properties") {
            properties.extend(more);
        }
        let needed = settings.get("required").and_then(Value::as_array);
        required.extend(needed.into_iter().flatten().filter_map(Value::as_str));
    }
    required.sort_unstable();
    let mut whole = json!({ "type": "object", "properties": properties });
    components.put(&format!("Patched{name}Request"), whole.clone());
    if !required.is_empty() {
        whole["required"] = required.into();
    }
    components.put(&format!("{name}Request"), whole);
}

/// The schema of what fits in a field of this shape.
fn schema(components: &mut Components, shape: Shape) -> Value {
    match shape {
        Shape::Text { blank, most } => {
            let mut text = json!({ "type": "string" });
            if !blank {
                text["minLength"] = 1.into();
            }
            if most < crate::blueprint::edit::ANY_LENGTH {
                text["maxLength"] = most.into();
            }
            text
        }
        Shape::Prose => json!({ "type": "string" }),
        Shape::Slug => json!({
            "type": "string",
            "minLength": 1,
            "pattern": "^[-a-zA-Z0-9_]+$",
        }),
        Shape::Word(of) => {
            components.put(of.name, words(&(of.all)()));
            reference(of.name)
        }
        Shape::ForwardAuth => {
            components.add::<super::super::applications::ForwardAuth>();
            super::super::applications::nullable()
        }
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Integer => json!({ "type": "integer", "minimum": i32::MIN, "maximum": i32::MAX }),
        Shape::Count => json!({ "type": "integer", "minimum": 0, "maximum": i32::MAX }),
        Shape::Object => json!({ "type": "object", "additionalProperties": {} }),
        Shape::Moment => json!({ "type": ["string", "null"], "format": "date-time" }),
        Shape::One(_) | Shape::Target => uuid(),
        Shape::Maybe(_) | Shape::Nothing { many: false } => {
            json!({ "type": ["string", "null"], "format": "uuid" })
        }
        Shape::Many(_) | Shape::Nothing { many: true } => {
            json!({ "type": "array", "items": uuid() })
        }
        Shape::Permissions => json!({ "type": "array", "items": { "type": "string" } }),
        Shape::Users => json!({ "type": "array", "items": { "type": "integer" } }),
        Shape::User => json!({ "type": "integer" }),
        Shape::MaybeUser => json!({ "type": ["integer", "null"] }),
    }
}
