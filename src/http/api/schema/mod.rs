//! The description of the API (`OpenAPI` 3.1): the schemas of what it takes and shows, made from the
//! types and tables that serve the requests, and the document around them.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::ToSchema;

mod answer;
mod challenge;
mod device;
mod document;
mod field;
mod own;
mod served;
pub(super) mod shape;

pub(crate) use document::document;
pub(crate) use field::request;
pub(crate) use served::operations;

/// The schemas of the description, by their names.
#[derive(Default)]
pub(crate) struct Components(BTreeMap<String, Value>);

impl Components {
    /// Adds the schema of a type, and of what it refers to.
    pub(crate) fn add<T: ToSchema>(&mut self) {
        let mut found = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut found);
        for (name, schema) in found {
            self.put(&name, json!(schema));
        }
    }

    /// Adds a schema of this name.
    pub(crate) fn put(&mut self, name: &str, schema: Value) {
        self.0.insert(name.to_owned(), schema);
    }

    /// A schema that was added before.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// What words go by that are listed in place.
    pub(crate) fn name_of_words(&self, schema: &Value) -> Option<&str> {
        let words = schema.get("enum")?;
        let mut all = self.0.iter();
        let found = all.find(|(_, known)| known.get("enum") == Some(words));
        found.map(|(name, _)| name.as_str())
    }

    /// All of them.
    pub(crate) fn into_map(self) -> BTreeMap<String, Value> {
        self.0
    }
}

/// Adds the schemas of what no type stands for; one that is there already stays.
pub(crate) fn describe(components: &mut Components) {
    let all = challenge::schemas().into_iter().chain(answer::schemas());
    for (name, schema) in all.chain(device::schemas()).chain(own::schemas()) {
        if components.get(name).is_none() {
            components.put(name, schema);
        }
    }
}

/// A reference to the schema of this name.
pub(crate) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// The schema of an identifier.
pub(crate) fn uuid() -> Value {
    json!({ "type": "string", "format": "uuid" })
}

/// The schema of a text that is one of these words.
pub(crate) fn words(all: &[&str]) -> Value {
    json!({ "type": "string", "enum": all })
}
