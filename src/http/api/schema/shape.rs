//! A plain notation for what JSON looks like, from which its schema is made.
//!
//! For what no type of ours stands for: challenges, which stages put together member by member, and
//! the kinds of authentik's that this server never sends but whose clients know them.

use serde_json::{Map, Value, json};

/// What a value looks like.
#[derive(Clone, Copy, Debug)]
pub(in crate::http::api) enum Of {
    /// Text.
    Text,
    /// Text of one of these.
    Word(&'static [&'static str]),
    /// Text that is not empty, with at most so many characters; zero is without end.
    Filled(u32),
    /// Text in a format: `uuid`, `date-time`, `uri`, `email`.
    Format(&'static str),
    /// A whole number.
    Number,
    /// A number.
    Real,
    /// Yes or no.
    Flag,
    /// An object with any members.
    Object,
    /// An object whose members all look the same.
    Each(&'static Of),
    /// A list.
    List(&'static Of),
    /// Another schema, by its name.
    To(&'static str),
    /// The same, or null.
    OrNull(&'static Of),
}

/// A member of an object.
#[derive(Clone, Copy, Debug)]
pub(in crate::http::api) struct Member {
    name: &'static str,
    of: Of,
    required: bool,
    default: Option<bool>,
}

/// A member that is always there.
pub(in crate::http::api) const fn has(name: &'static str, of: Of) -> Member {
    Member {
        name,
        of,
        required: true,
        default: None,
    }
}

/// A member that may be there.
pub(in crate::http::api) const fn may(name: &'static str, of: Of) -> Member {
    Member {
        name,
        of,
        required: false,
        default: None,
    }
}

/// Yes or no, which is this where it is not said.
pub(in crate::http::api) const fn flag(name: &'static str, default: bool) -> Member {
    Member {
        name,
        of: Of::Flag,
        required: false,
        default: Some(default),
    }
}

impl Of {
    /// The schema.
    pub(in crate::http::api) fn schema(self) -> Value {
        match self {
            Self::Text => json!({ "type": "string" }),
            Self::Word(words) => json!({ "type": "string", "enum": words }),
            Self::Filled(0) => json!({ "type": "string", "minLength": 1 }),
            Self::Filled(most) => json!({ "type": "string", "minLength": 1, "maxLength": most }),
            Self::Format(format) => json!({ "type": "string", "format": format }),
            Self::Number => json!({ "type": "integer" }),
            Self::Real => json!({ "type": "number" }),
            Self::Flag => json!({ "type": "boolean" }),
            Self::Object => json!({ "type": "object", "additionalProperties": {} }),
            Self::Each(of) => json!({ "type": "object", "additionalProperties": of.schema() }),
            Self::List(of) => json!({ "type": "array", "items": of.schema() }),
            Self::To(name) => json!({ "$ref": format!("#/components/schemas/{name}") }),
            Self::OrNull(Self::To(name)) => json!({
                "oneOf": [{ "type": "null" }, Self::To(name).schema()]
            }),
            Self::OrNull(of) => {
                let mut schema = of.schema();
                schema["type"] = json!([schema["type"], "null"]);
                schema
            }
        }
    }
}

/// The schema of an object with these members.
pub(in crate::http::api) fn object(members: impl IntoIterator<Item = Member>) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for member in members {
        let mut schema = member.of.schema();
        if let Some(default) = member.default {
            schema["default"] = default.into();
        }
        properties.insert(member.name.to_owned(), schema);
        if member.required {
            required.push(member.name);
        }
    }
    required.sort_unstable();
    let mut schema = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    schema
}

/// One of these schemas, told apart by a member that says which.
pub(in crate::http::api) fn one_of(
    member: &str,
    schemas: impl Iterator<Item = (&'static str, &'static str)>,
) -> Value {
    let mut all = Vec::new();
    let mut mapping = Map::new();
    for (value, name) in schemas {
        let reference = format!("#/components/schemas/{name}");
        all.push(json!({ "$ref": reference }));
        mapping.insert(value.to_owned(), reference.into());
    }
    json!({
        "oneOf": all,
        "discriminator": { "propertyName": member, "mapping": mapping },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_says_which_members_are_always_there() {
        let schema = object([
            has("to", Of::Text),
            may("size", Of::OrNull(&Of::Number)),
            flag("shown", true),
            may("theme", Of::OrNull(&Of::To("Theme"))),
        ]);
        assert_eq!(
            schema,
            json!({
                "type": "object",
                "properties": {
                    "to": { "type": "string" },
                    "size": { "type": ["integer", "null"] },
                    "shown": { "type": "boolean", "default": true },
                    "theme": { "oneOf": [
                        { "type": "null" },
                        { "$ref": "#/components/schemas/Theme" },
                    ] },
                },
                "required": ["to"],
            })
        );
    }
}
