//! What an answer may consist of: fields that the kind of stage fixes, or fields that only its
//! settings know, as those of a prompt.
//!
//! An open form is judged by its stage. Here it is only cut down to what may be written down.

use std::fmt;

use serde_json::{Map, Value};

use super::field::{self, Field, Response};
use crate::flow::event::Errors;
use crate::flow::input::SECRET;

/// The fields of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// The same for every stage of the kind.
    Fixed(&'static [Field]),
    /// Those that this stage asks for.
    Open(Vec<OpenField>),
}

/// A field that the settings of a stage ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenField {
    /// Its name on the wire.
    pub key: String,
    /// Whether its value must never be written down.
    pub secret: bool,
    /// How many characters the stage takes. Of a longer value, only its length is written down.
    pub longest: usize,
}

/// Values as they were posted. May hold secrets, so it cannot be printed.
#[derive(Default)]
pub(super) struct Typed(Map<String, Value>);

impl Typed {
    pub(super) fn put(&mut self, key: &str, value: &Value) {
        self.0.insert(key.to_owned(), value.clone());
    }

    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }
}

impl fmt::Debug for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Typed")
    }
}

impl Form {
    /// Whether it has a field of this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        match self {
            Self::Fixed(fields) => fields.iter().any(|field| field.name == name),
            Self::Open(fields) => fields.iter().any(|field| field.key == name),
        }
    }

    /// Reads a response.
    ///
    /// # Errors
    /// The complaints, by field. Those about an open form's own fields are its stage's business.
    pub fn read(&self, body: &Value) -> Result<Response, Errors> {
        match self {
            Self::Fixed(fields) => field::read(fields, body),
            Self::Open(fields) => match body {
                Value::Object(body) => {
                    let known = fields.iter().filter_map(|field| {
                        let value = body.get(&field.key)?;
                        Some((field.key.clone(), value.clone()))
                    });
                    Ok(Response::open(Typed(known.collect())))
                }
                other => Err(field::not_an_object(other)),
            },
        }
    }

    /// The response as it may be written down, see [`field::redact`].
    #[must_use]
    pub fn redact(&self, body: &Value) -> Value {
        match (self, body) {
            (Self::Fixed(fields), body) => field::redact(fields, body),
            (Self::Open(fields), Value::Object(body)) => {
                let kept = fields.iter().filter_map(|field| {
                    let value = body.get(&field.key)?;
                    Some((field.key.clone(), field.redact(value)))
                });
                Value::Object(kept.collect())
            }
            (Self::Open(_), body) => field::redact(&[], body),
        }
    }
}

impl OpenField {
    fn redact(&self, value: &Value) -> Value {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) if self.secret => number.to_string(),
            Value::Array(_) => return Value::Array(Vec::new()),
            Value::Object(_) => return Value::Object(Map::new()),
            Value::Null | Value::Bool(_) | Value::Number(_) => return value.clone(),
        };
        if text.contains('\0') {
            return Value::String("\0".to_owned());
        }
        if text.chars().count() > self.longest {
            return Value::String(".".repeat(self.longest + 1));
        }
        if !self.secret {
            return Value::String(text);
        }
        // White space alone is no secret, and a stage may take it for nothing.
        let shown = if text.trim().is_empty() {
            text
        } else {
            SECRET.to_owned()
        };
        Value::String(shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn form() -> Form {
        let field = |key: &str, secret, longest| OpenField {
            key: key.to_owned(),
            secret,
            longest,
        };
        Form::Open(vec![
            field("username", false, 5),
            field("password", true, 20),
        ])
    }

    #[test]
    fn an_open_form_keeps_its_own_fields_and_no_secret() {
        let body = json!({"username": "alice", "password": "s3cret", "other": "s3cret"});
        assert_eq!(
            form().redact(&body),
            json!({"username": "alice", "password": SECRET})
        );
        let read = form().read(&body).expect("an object is a response");
        assert_eq!(read.typed("password"), Some(&json!("s3cret")));
        assert_eq!(read.typed("other"), None);
        assert!(!format!("{read:?}").contains("s3cret"));
    }

    #[test]
    fn digits_are_a_secret_too_and_long_values_are_only_as_long_as_refused() {
        let body = json!({"username": "alice in wonderland", "password": 1234});
        assert_eq!(
            form().redact(&body),
            json!({"username": "......", "password": SECRET})
        );
        assert_eq!(
            form().redact(&json!({"password": "  "})),
            json!({"password": "  "})
        );
    }

    #[test]
    fn a_list_is_not_a_response() {
        let errors = form().read(&json!(["s3cret"])).expect_err("a list is none");
        assert_eq!(errors["non_field_errors"][0].code, "invalid");
        assert_eq!(form().redact(&json!(["s3cret"])), json!([]));
    }
}
