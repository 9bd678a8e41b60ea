//! The values that cross the border between an expression and the server.
//!
//! A value never holds the text of a secret, only the handle under which the host knows it; so
//! a value may be recorded as it is.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How deeply containers may be nested in a value that crosses the border.
pub(super) const DEPTH: usize = 24;
/// How many bytes the texts and elements of one value may take, roughly.
pub(super) const SIZE: usize = 512 * 1024;

/// A Python value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An `int` of at most 64 bits; a longer one arrives as [`Value::Opaque`].
    Int(i64),
    /// A `float`, infinities and NaN included.
    Float(#[serde(with = "float")] f64),
    /// A `str`.
    Text(String),
    /// A `bytes`.
    Bytes(#[serde(with = "base64")] Vec<u8>),
    /// A `list`.
    List(Vec<Value>),
    /// A `tuple`.
    Tuple(Vec<Value>),
    /// A `set` or `frozenset`, in no particular order.
    Set(Vec<Value>),
    /// A `dict`, in the order of insertion.
    Dict(Vec<(Value, Value)>),
    /// An aware `datetime`; one without a time zone is taken as UTC.
    Moment(Timestamp),
    /// A handle to something that only the host knows.
    Object(Object),
    /// A class of the host's, by its name: `User`. For `isinstance` and for `User.objects`.
    Class(String),
    /// A function of the host's, by its name.
    Function(String),
    /// A text that must not be read anywhere, by the handle under which the host reveals it.
    Secret(String),
    /// What has no form outside the expression (a function, an iterator), as Python writes it.
    Opaque(String),
}

/// A handle to something that only the host knows: a user, a plan, the request.
///
/// Reading an attribute that is not among `fields` and calling a method are questions to the
/// host. Two handles are equal to an expression when class, id and fields are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Object {
    /// The name of its class, as Python shows it.
    pub class: String,
    /// What the host knows it by; unique within the class.
    pub id: String,
    /// Attributes handed over at once. An expression may change its copy (`user.attributes["x"]`);
    /// the host sees the changed ones when `save()` is called, or when the object is handed back.
    pub fields: Vec<(String, Value)>,
}

impl Object {
    /// A handle without fields.
    pub fn new(class: impl Into<String>, id: impl Into<String>) -> Self {
        Self {
            class: class.into(),
            id: id.into(),
            fields: Vec::new(),
        }
    }

    /// Adds an attribute that is handed over at once.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }
}

impl Value {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A `dict` with texts as keys.
    pub fn dict<K: Into<String>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        let entries = entries.into_iter();
        Self::Dict(entries.map(|(k, v)| (Self::text(k), v)).collect())
    }

    /// The entry of a `dict`; of nothing else.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Self::Dict(entries) = self else {
            return None;
        };
        let mut entries = entries.iter();
        entries.find_map(|(k, v)| (k.as_text() == Some(key)).then_some(v))
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The handle, if it is one.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// Whether Python would take it for true.
    pub fn truthy(&self) -> bool {
        match self {
            Self::None => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Text(value) => !value.is_empty(),
            Self::Bytes(value) => !value.is_empty(),
            Self::List(value) | Self::Tuple(value) | Self::Set(value) => !value.is_empty(),
            Self::Dict(value) => !value.is_empty(),
            _ => true,
        }
    }

    /// As `str()` writes it: a text as it is, all else as [`Value::shown`].
    pub fn displayed(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            other => other.shown(),
        }
    }

    /// As `repr()` writes it, or nearly; a secret is masked.
    pub fn shown(&self) -> String {
        let mut out = String::new();
        self.show(&mut out);
        out
    }

    fn show(&self, out: &mut String) {
        // Writing into a string cannot fail.
        let _ = match self {
            Self::None => out.write_str("None"),
            Self::Bool(true) => out.write_str("True"),
            Self::Bool(false) => out.write_str("False"),
            Self::Int(value) => write!(out, "{value}"),
            Self::Float(value) => write!(out, "{value:?}"),
            Self::Text(text) => write!(out, "{text:?}"),
            Self::Bytes(bytes) => write!(out, "b'{}'", bytes.escape_ascii()),
            Self::List(items) => return series(out, "[", items, "]"),
            Self::Tuple(items) => return series(out, "(", items, ")"),
            Self::Set(items) => return series(out, "{", items, "}"),
            Self::Dict(entries) => {
                out.push('{');
                for (at, (key, value)) in entries.iter().enumerate() {
                    if at > 0 {
                        out.push_str(", ");
                    }
                    key.show(out);
                    out.push_str(": ");
                    value.show(out);
                }
                out.write_char('}')
            }
            Self::Moment(moment) => write!(out, "{moment}"),
            Self::Object(object) => write!(out, "<{} {}>", object.class, object.id),
            Self::Class(name) => write!(out, "<class '{name}'>"),
            Self::Function(name) => write!(out, "<function {name}>"),
            Self::Secret(_) => out.write_str(super::MASK),
            Self::Opaque(text) => out.write_str(text),
        };
    }

    /// Whether it is small and flat enough to cross the border.
    pub(super) fn fits(&self) -> bool {
        let mut left = SIZE;
        self.spend(&mut left, DEPTH)
    }

    fn spend(&self, left: &mut usize, depth: usize) -> bool {
        let own = match self {
            Self::Text(text) | Self::Opaque(text) | Self::Secret(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::Class(name) | Self::Function(name) => name.len(),
            Self::Object(object) => object.class.len() + object.id.len(),
            _ => 0,
        };
        let Some(rest) = left.checked_sub(own + 16) else {
            return false;
        };
        *left = rest;
        if depth == 0 {
            return false;
        }
        match self {
            Self::List(items) | Self::Tuple(items) | Self::Set(items) => {
                items.iter().all(|item| item.spend(left, depth - 1))
            }
            Self::Dict(entries) => entries
                .iter()
                .all(|(k, v)| k.spend(left, depth - 1) && v.spend(left, depth - 1)),
            Self::Object(object) => {
                let mut fields = object.fields.iter();
                fields.all(|(_, value)| value.spend(left, depth - 1))
            }
            _ => true,
        }
    }

    /// Calls `visit` with every value inside and with this one.
    pub(super) fn visit(&self, visit: &mut impl FnMut(&Self)) {
        visit(self);
        match self {
            Self::List(items) | Self::Tuple(items) | Self::Set(items) => {
                for item in items {
                    item.visit(visit);
                }
            }
            Self::Dict(entries) => {
                for (key, value) in entries {
                    key.visit(visit);
                    value.visit(visit);
                }
            }
            Self::Object(object) => {
                for (_, value) in &object.fields {
                    value.visit(visit);
                }
            }
            _ => {}
        }
    }
}

fn series(out: &mut String, open: &str, items: &[Value], close: &str) {
    out.push_str(open);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        item.show(out);
    }
    out.push_str(close);
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::None, Into::into)
    }
}

impl From<&serde_json::Value> for Value {
    fn from(json: &serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match json {
            Json::Null => Self::None,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => number.as_i64().map_or_else(
                || Self::Float(number.as_f64().unwrap_or(f64::NAN)),
                Self::Int,
            ),
            Json::String(text) => Self::text(text),
            Json::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Json::Object(entries) => {
                Self::dict(entries.iter().map(|(key, value)| (key, Self::from(value))))
            }
        }
    }
}

mod base64;
mod float;
mod json;

#[cfg(test)]
mod tests;
