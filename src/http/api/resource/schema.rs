//! What the description says of the address of an object, and of how a list is filtered.

use serde_json::{Value, json};

use super::super::operation::Operation;
use super::super::schema::{reference, uuid};
use super::{Fits, KeyField, Resource, Scope};
use crate::blueprint::edit::{Model, Shape, fields};
use crate::directory::User;

/// The schema of the key in the path.
pub(super) fn key(resource: &Resource) -> Value {
    match resource.key_field {
        KeyField::Field(_) => json!({ "type": "string" }),
        KeyField::Pk if resource.scope.kind() == <User as crate::journal::object::Stored>::KIND => {
            json!({ "type": "integer" })
        }
        KeyField::Pk => uuid(),
    }
}

/// The parameters of a list: its filters, and those that every list has.
pub(super) fn list_parameters(mut operation: Operation, resource: &Resource) -> Operation {
    for filter in resource.filters {
        let schema = match filter.fits {
            Fits::Text | Fits::Object => json!({ "type": "string" }),
            Fits::Flag => json!({ "type": "boolean" }),
            Fits::Integer => json!({ "type": "integer" }),
            Fits::Uuid => uuid(),
            Fits::Uuids => json!({ "type": "array", "items": uuid() }),
            Fits::Word(words) => named(resource, filter.name)
                .unwrap_or_else(|| json!({ "type": "string", "enum": words() })),
            Fits::Texts => json!({ "type": "array", "items": { "type": "string" } }),
            Fits::Integers => json!({ "type": "array", "items": { "type": "integer" } }),
            Fits::Words(words) => {
                json!({ "type": "array", "items": { "type": "string", "enum": words() } })
            }
            Fits::Moment => json!({ "type": "string", "format": "date-time" }),
        };
        operation = operation.asks(filter.name, schema);
    }
    operation.paged()
}

/// The name of the words that fit in a field, where its objects have that field.
fn named(resource: &Resource, field: &str) -> Option<Value> {
    let Scope::Of(model) = resource.scope else {
        return None;
    };
    if let Some(own) = fields(model).iter().find(|it| it.name == field) {
        return match own.shape {
            Shape::Word(words) => Some(reference(words.name)),
            _ => None,
        };
    }
    let described = match model {
        Model::Stage(kind) => kind.described(),
        Model::Policy(kind) => kind.described(),
        _ => return None,
    };
    let property = json!(described.settings.properties.get(field)?);
    let parts = property["oneOf"].as_array();
    let mut parts = parts.into_iter().flatten().chain([&property]);
    let of = parts.find_map(|part| part.get("$ref"))?;
    Some(json!({ "$ref": of }))
}
