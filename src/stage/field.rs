//! The fields of a response: which there are, how they are read, what may be written down.
//!
//! Texts and codes are those of Django REST framework, which clients know.

use secrecy::SecretString;
use serde_json::{Map, Value};

use super::form::Typed;
use crate::flow::event::{Errors, FieldError, NON_FIELD_ERRORS, error, errors};
use crate::flow::input::SECRET;

/// More than this many characters are refused, so that nobody fills the journal.
pub const MAX_LENGTH: usize = 1024;

/// The same for what another program made for the visitor: some providers' tokens are long.
pub const MAX_TOKEN: usize = 16 * 1024;

/// One field of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name on the wire.
    pub name: &'static str,
    /// How its value is read.
    pub shape: Shape,
    /// Whether its value must never be written down.
    pub secret: bool,
}

/// How the value of a field is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Text that must be there and hold something.
    RequiredText,
    /// Text that may be missing, null or empty; white space around it is dropped, unless it is
    /// secret: a password may well begin with a space.
    OptionalText,
    /// What another program made for the visitor, such as a captcha's provider: as `RequiredText`,
    /// but white space around it is dropped, and it may be long.
    RequiredToken,
    /// The same where it may be missing, null or empty.
    OptionalToken,
    /// The same where it may be missing, but neither null nor empty.
    GivenToken,
    /// True or false, and there.
    RequiredFlag,
    /// Any object, or nothing.
    OptionalObject,
    /// A whole number, or nothing.
    OptionalInteger,
}

/// The values of a response that was read without errors.
#[derive(Debug, Default)]
pub struct Response {
    texts: Vec<(&'static str, SecretString)>,
    flags: Vec<(&'static str, bool)>,
    integers: Vec<(&'static str, i64)>,
    objects: Vec<&'static str>,
    typed: Typed,
}

impl Response {
    pub(super) fn open(typed: Typed) -> Self {
        Self {
            typed,
            ..Self::default()
        }
    }

    /// The value of a field of an open form, as it was posted: it may be a secret.
    #[must_use]
    pub fn typed(&self, key: &str) -> Option<&Value> {
        self.typed.get(key)
    }

    /// The text of a field; `None` when it is missing or empty.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&SecretString> {
        self.texts
            .iter()
            .find(|(field, _)| *field == name)
            .map(|(_, text)| text)
    }

    /// The flag of a field.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.flags
            .iter()
            .any(|(field, flag)| *field == name && *flag)
    }

    /// Whether an object was sent for a field.
    #[must_use]
    pub fn has_object(&self, name: &str) -> bool {
        self.objects.contains(&name)
    }

    /// The object that was sent for a field; it may hold secrets. In a replay an object of a secret
    /// field is empty.
    #[must_use]
    pub fn object(&self, name: &str) -> Option<&Value> {
        self.has_object(name)
            .then(|| self.typed.get(name))
            .flatten()
    }

    /// The number of a field; `None` when it is missing.
    #[must_use]
    pub fn integer(&self, name: &str) -> Option<i64> {
        let found = self.integers.iter().find(|(field, _)| *field == name);
        found.map(|(_, number)| *number)
    }
}

/// Reads a response by its fields.
///
/// # Errors
/// The complaints, by field.
pub fn read(fields: &[Field], body: &Value) -> Result<Response, Errors> {
    let Value::Object(body) = body else {
        return Err(not_an_object(body));
    };
    let mut response = Response::default();
    let mut errors = Errors::new();
    for field in fields {
        if let Err(error) = read_field(*field, body, &mut response) {
            errors.insert(field.name.to_owned(), vec![error]);
        }
    }
    if errors.is_empty() {
        Ok(response)
    } else {
        Err(errors)
    }
}

pub(super) fn not_an_object(body: &Value) -> Errors {
    let kind = match body {
        Value::Null => return errors(NON_FIELD_ERRORS, "No data provided", "null"),
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        _ => "list",
    };
    let text = format!("Invalid data. Expected a dictionary, but got {kind}.");
    errors(NON_FIELD_ERRORS, text, "invalid")
}

fn read_field(
    field: Field,
    body: &Map<String, Value>,
    response: &mut Response,
) -> Result<(), FieldError> {
    let value = body.get(field.name);
    match field.shape {
        Shape::RequiredText | Shape::RequiredToken | Shape::GivenToken => match value {
            None if field.shape == Shape::GivenToken => {}
            None => return Err(required()),
            Some(Value::Null) => return Err(null()),
            Some(value) => {
                let text = field.shape.text(value)?;
                if text.is_empty() {
                    return Err(error("This field may not be blank.", "blank"));
                }
                response.texts.push((field.name, text.into()));
            }
        },
        Shape::OptionalText | Shape::OptionalToken => {
            if let Some(value) = value.filter(|value| !value.is_null()) {
                let text = field.shape.text(value)?;
                let text = if field.secret {
                    text
                } else {
                    text.trim().to_owned()
                };
                if !text.is_empty() {
                    response.texts.push((field.name, text.into()));
                }
            }
        }
        Shape::RequiredFlag => match value {
            None => return Err(required()),
            Some(Value::Null) => return Err(null()),
            Some(value) => response.flags.push((field.name, flag(value)?)),
        },
        Shape::OptionalObject => match value {
            None | Some(Value::Null) => {}
            Some(value @ Value::Object(_)) => {
                response.objects.push(field.name);
                response.typed.put(field.name, value);
            }
            Some(_) => {
                let text = "Value must be a dictionary, and not have any duplicate keys.";
                return Err(error(text, "invalid"));
            }
        },
        Shape::OptionalInteger => {
            if let Some(value) = value.filter(|value| !value.is_null()) {
                response.integers.push((field.name, integer(value)?));
            }
        }
    }
    Ok(())
}

pub(super) fn required() -> FieldError {
    error("This field is required.", "required")
}

pub(super) fn null() -> FieldError {
    error("This field may not be null.", "null")
}

impl Shape {
    fn is_token(self) -> bool {
        matches!(
            self,
            Self::RequiredToken | Self::OptionalToken | Self::GivenToken
        )
    }

    /// The most characters that a text may have.
    fn longest(self) -> usize {
        if self.is_token() {
            MAX_TOKEN
        } else {
            MAX_LENGTH
        }
    }

    fn text(self, value: &Value) -> Result<String, FieldError> {
        let text = text(value, self.longest())?;
        Ok(if self.is_token() {
            text.trim().to_owned()
        } else {
            text
        })
    }
}

fn integer(value: &Value) -> Result<i64, FieldError> {
    let number = match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.ok_or_else(|| error("A valid integer is required.", "invalid"))
}

fn text(value: &Value, longest: usize) -> Result<String, FieldError> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return Err(error("Not a valid string.", "invalid")),
    };
    if text.contains('\0') {
        return Err(error(
            "Null characters are not allowed.",
            "null_characters_not_allowed",
        ));
    }
    if text.chars().count() > longest {
        let text = format!("Ensure this field has no more than {longest} characters.");
        return Err(error(text, "max_length"));
    }
    Ok(text)
}

/// The component that an answer names, which is text that says something.
pub(super) fn component(value: &Value) -> Result<String, FieldError> {
    if value.is_null() {
        return Err(null());
    }
    let text = text(value, MAX_LENGTH)?.trim().to_owned();
    if text.is_empty() {
        return Err(error("This field may not be blank.", "blank"));
    }
    Ok(text)
}

pub(super) fn flag(value: &Value) -> Result<bool, FieldError> {
    let word = match value {
        Value::Bool(flag) => return Ok(*flag),
        Value::String(word) => word.to_ascii_lowercase(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    match word.as_str() {
        "t" | "y" | "yes" | "true" | "on" | "1" => Ok(true),
        "f" | "n" | "no" | "false" | "off" | "0" => Ok(false),
        _ => Err(error("Must be a valid boolean.", "invalid")),
    }
}

/// The response as it may be written down: known fields only, every secret replaced.
///
/// Reading the result leads to the same errors as reading the response itself, so that a
/// replay takes the same way.
#[must_use]
pub fn redact(fields: &[Field], body: &Value) -> Value {
    let Value::Object(body) = body else {
        return match body {
            Value::String(_) => Value::String(String::new()),
            Value::Array(_) => Value::Array(Vec::new()),
            // Somebody may send nothing but the digits of a code.
            Value::Number(number) if number.is_f64() => Value::from(0.5),
            Value::Number(_) => Value::from(0),
            other => other.clone(),
        };
    };
    let mut kept = Map::new();
    for field in fields {
        if let Some(value) = body.get(field.name) {
            kept.insert(field.name.to_owned(), redact_value(*field, value));
        }
    }
    Value::Object(kept)
}

fn redact_value(field: Field, value: &Value) -> Value {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Array(_) => return Value::Array(Vec::new()),
        Value::Object(object) => {
            let is_shown = field.shape == Shape::OptionalObject && !field.secret;
            return Value::Object(if is_shown { small(object) } else { Map::new() });
        }
        Value::Null | Value::Bool(_) => return value.clone(),
    };
    if text.contains('\0') {
        return Value::String("\0".to_owned());
    }
    let longest = field.shape.longest();
    if text.chars().count() > longest {
        return Value::String("…".repeat(longest + 1));
    }
    if field.shape.is_token() && text.trim().is_empty() {
        return Value::String(String::new());
    }
    if !field.secret || text.is_empty() {
        return Value::String(text);
    }
    Value::String(SECRET.to_owned())
}

/// The plain and short entries of an object that is no secret.
fn small(object: &Map<String, Value>) -> Map<String, Value> {
    let is_small = |value: &Value| match value {
        Value::String(text) => text.len() <= MAX_LENGTH,
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        Value::Array(_) | Value::Object(_) => false,
    };
    let entries = object.iter().filter(|(key, _)| key.len() <= MAX_LENGTH);
    let kept = entries.map(|(key, value)| {
        let value = if is_small(value) {
            value.clone()
        } else {
            Value::Object(Map::new())
        };
        (key.clone(), value)
    });
    kept.take(MOST_ENTRIES).collect()
}

/// How many entries of an object are written down.
const MOST_ENTRIES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use secrecy::ExposeSecret;
    use serde_json::json;

    const FIELDS: &[Field] = &[
        Field {
            name: "uid_field",
            shape: Shape::OptionalText,
            secret: false,
        },
        Field {
            name: "password",
            shape: Shape::RequiredText,
            secret: true,
        },
        Field {
            name: "remember_me",
            shape: Shape::RequiredFlag,
            secret: false,
        },
        Field {
            name: "passkey",
            shape: Shape::OptionalObject,
            secret: true,
        },
        Field {
            name: "token",
            shape: Shape::RequiredToken,
            secret: true,
        },
        Field {
            name: "code",
            shape: Shape::GivenToken,
            secret: true,
        },
    ];

    fn codes(body: &Value) -> Vec<(String, String)> {
        match read(FIELDS, body) {
            Ok(_) => Vec::new(),
            Err(errors) => errors
                .into_iter()
                .map(|(field, errors)| (field, errors[0].code.clone()))
                .collect(),
        }
    }

    #[test]
    fn a_list_is_not_a_response() {
        let errors = read(FIELDS, &json!([])).expect_err("a list is no response");
        assert_eq!(
            errors[NON_FIELD_ERRORS][0].string,
            "Invalid data. Expected a dictionary, but got list."
        );
    }

    #[test]
    fn a_single_space_is_a_password_but_nothing_is_not() {
        assert!(codes(&json!({"password": " ", "remember_me": "on", "token": "t"})).is_empty());
        let missing = codes(&json!({"password": "", "remember_me": true, "token": "t"}));
        assert_eq!(missing, [("password".to_owned(), "blank".to_owned())]);
    }

    #[test]
    fn a_token_may_be_long_and_has_no_white_space_around_it() {
        let token = "t".repeat(MAX_LENGTH * 3);
        let body = |token: &str| json!({"password": "p", "remember_me": true, "token": token});
        let read = read(FIELDS, &body(&format!(" {token}\n"))).expect("it is read");
        let found = read.text("token").map(ExposeSecret::expose_secret);
        assert_eq!(found, Some(token.as_str()));
        let blank = [("token".to_owned(), "blank".to_owned())];
        assert_eq!(codes(&body(" \t ")), blank);
        assert_eq!(codes(&redact(FIELDS, &body(" \t "))), blank);
    }

    #[test]
    fn a_secret_is_replaced_and_an_unknown_field_is_dropped() {
        let body = json!({"uid_field": "alice", "password": "s3cret", "other": "s3cret"});
        assert_eq!(
            redact(FIELDS, &body),
            json!({"uid_field": "alice", "password": SECRET})
        );
    }

    fn any_value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[ a-z\0]{0,4}".prop_map(Value::from),
            Just(Value::from("x".repeat(2000))),
            Just(Value::from("x".repeat(MAX_TOKEN + 1))),
            Just(json!([1])),
            Just(json!({"a": 1})),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_down_reads_like_what_was_sent(
            uid in any_value(), password in any_value(), flag in any_value(), key in any_value(),
            token in any_value(), code in any_value(),
        ) {
            let body = json!({
                "uid_field": uid, "password": password, "remember_me": flag, "passkey": key,
                "token": token, "code": code,
            });
            let redacted = redact(FIELDS, &body);
            prop_assert_eq!(codes(&body), codes(&redacted));
            prop_assert_eq!(redact(FIELDS, &redacted), redacted);
        }
    }
}
