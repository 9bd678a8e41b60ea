//! What is the same of stages, policies, mappings and sources: each is of some kind, and shows its
//! settings beside what all kinds have.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::schema::{Components, request};
use crate::blueprint::edit::Field;
use crate::catalog::schema::Described;

/// A kind that one can choose.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = TypeCreate)]
pub(super) struct Sort {
    /// What people call it.
    pub(super) name: &'static str,
    /// What it does.
    pub(super) description: &'static str,
    /// What edits it in authentik's interface.
    pub(super) component: String,
    /// The name of its model, without that of the application.
    pub(super) model_name: &'static str,
    /// No kind has to be paid for.
    #[schema(required = false)]
    pub(super) requires_enterprise: bool,
    /// No kind is about to go.
    #[schema(required = false)]
    pub(super) deprecated: bool,
}

/// Kinds as they are shown, by name.
pub(super) fn sorted(sorts: impl Iterator<Item = Sort>) -> Vec<Value> {
    let mut sorts: Vec<Sort> = sorts.collect();
    sorts.sort_by_key(|it| it.name);
    sorts.iter().map(|it| json!(it)).collect()
}

/// The part of a model's name after that of its application.
pub(super) fn noun(model: &'static str) -> &'static str {
    model.split_once('.').map_or(model, |(_, noun)| noun)
}

/// Adds the schemas of a kind: what all kinds have (`base`), what can be written of them (`fields`),
/// its settings, and what is shown besides.
pub(super) fn describe(
    components: &mut Components,
    base: &Value,
    fields: &[Field],
    described: Described,
    more: &[(&str, Value)],
) {
    let settings = json!(described.settings);
    request(components, &described.name, fields.iter(), Some(&settings));
    components.put(&described.name, shown(base, &settings, more));
    for (name, schema) in described.refers {
        components.put(&name, json!(schema));
    }
}

/// The schema of objects of a kind as they are shown: what all kinds have, the settings but for
/// those that are only written, and what is shown besides.
fn shown(base: &Value, settings: &Value, more: &[(&str, Value)]) -> Value {
    let of = |schema: &Value| {
        let properties = schema["properties"].as_object().cloned();
        properties.unwrap_or_default()
    };
    let is_shown = |property: &Value| property["writeOnly"] != true;
    let mut required: Vec<Value> = base["required"].as_array().cloned().unwrap_or_default();
    let mut properties = of(base);
    let needed = settings["required"].as_array().into_iter().flatten();
    let own: Map<String, Value> = of(settings)
        .into_iter()
        .filter(|(_, property)| is_shown(property))
        .map(|(name, property)| (name, unbound(property)))
        .collect();
    required.extend(
        needed
            .filter(|name| name.as_str().is_some_and(|name| own.contains_key(name)))
            .cloned(),
    );
    properties.extend(own);
    for (name, schema) in more {
        let mut schema = schema.clone();
        schema["readOnly"] = true.into();
        properties.insert((*name).to_owned(), schema);
        required.push((*name).into());
    }
    json!({ "type": "object", "properties": properties, "required": required })
}

/// A text that may not be empty when it is written may have become so before that was asked.
fn unbound(mut property: Value) -> Value {
    if let Some(property) = property.as_object_mut() {
        property.remove("minLength");
    }
    property
}
