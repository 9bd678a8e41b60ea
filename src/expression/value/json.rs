//! A value as the JSON that a context or a challenge holds.

use serde_json::{Map, Number, Value as Json};

use super::Value;
use crate::expression::MASK;

impl Value {
    /// As JSON: bytes, classes and the like as Python writes them, an object as its class and id,
    /// a moment as RFC 3339, a secret masked. Keys that are no texts become texts.
    pub fn to_json(&self) -> Json {
        match self {
            Self::None => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Int(value) => Json::from(*value),
            Self::Float(value) => Number::from_f64(*value).map_or(Json::Null, Json::Number),
            Self::Text(text) => Json::String(text.clone()),
            Self::List(items) | Self::Tuple(items) | Self::Set(items) => {
                Json::Array(items.iter().map(Self::to_json).collect())
            }
            Self::Dict(entries) => {
                let entries = entries.iter();
                Json::Object(
                    entries
                        .map(|(key, value)| (key.displayed(), value.to_json()))
                        .collect(),
                )
            }
            Self::Object(object) => {
                let mut named = Map::new();
                named.insert("class".to_owned(), Json::from(object.class.clone()));
                named.insert("id".to_owned(), Json::from(object.id.clone()));
                Json::Object(named)
            }
            Self::Secret(_) => Json::from(MASK),
            Self::Moment(_)
            | Self::Bytes(_)
            | Self::Class(_)
            | Self::Function(_)
            | Self::Opaque(_) => Json::String(self.shown()),
        }
    }
}
