//! The body of a request to the API, and what is said of one that is wrong. The complaints are
//! those of authentik.

use std::collections::BTreeMap;

use actix_web::http::header;
use actix_web::{HttpRequest, web};
use serde_json::{Map, Value};

use crate::http::{Error, State};

/// Said of a field that has to be there.
pub(super) const REQUIRED: &str = "This field is required.";

/// Said of a field that is none.
pub(super) const NULL: &str = "This field may not be null.";

/// Said of a text that is none.
const BLANK: &str = "This field may not be blank.";

/// The body as JSON.
///
/// # Errors
/// When it is too large, does not arrive, or is no JSON.
pub(super) async fn read(
    state: &State,
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<Value, Error> {
    let bytes = state.collect(request, payload).await?;
    let declared = request.headers().get(header::CONTENT_TYPE);
    let declared = declared.and_then(|it| it.to_str().ok()).unwrap_or_default();
    let essence = declared.split(';').next().unwrap_or_default().trim();
    if bytes.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Error::MediaType(declared.to_owned()));
    }
    serde_json::from_slice(&bytes).map_err(|error| Error::NotJson(error.to_string()))
}

/// The body's fields.
///
/// # Errors
/// When it is no object.
pub(super) fn fields(body: &Value) -> Result<&Map<String, Value>, Error> {
    body.as_object().ok_or_else(|| {
        let kind = kind(body);
        wrong(
            "non_field_errors",
            format!("Invalid data. Expected a dictionary, but got {kind}."),
        )
    })
}

/// A complaint about one field.
pub(super) fn wrong(field: &'static str, text: impl Into<String>) -> Error {
    Error::Fields(BTreeMap::from([(field, text.into())]))
}

/// A text of at most so many characters, without the blanks around it.
///
/// # Errors
/// The complaint.
pub(super) fn text(given: Option<&Value>, most: usize) -> Result<String, String> {
    let text = match given {
        None => return Err(REQUIRED.to_owned()),
        Some(Value::Null) => return Err(NULL.to_owned()),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(_) => return Err("Not a valid string.".to_owned()),
    };
    let text = text.trim();
    if text.is_empty() {
        return Err(BLANK.to_owned());
    }
    if text.contains('\0') {
        return Err("Null characters are not allowed.".to_owned());
    }
    if text.chars().count() > most {
        return Err(format!(
            "Ensure this field has no more than {most} characters."
        ));
    }
    Ok(text.to_owned())
}

/// The number of an object.
///
/// # Errors
/// The complaint.
pub(super) fn pk(given: Option<&Value>) -> Result<i64, String> {
    let pk = match given {
        None => return Err(REQUIRED.to_owned()),
        Some(Value::Null) => return Err(NULL.to_owned()),
        Some(Value::Number(number)) => number.as_i64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(_) => None,
    };
    pk.ok_or_else(|| {
        let kind = given.map_or("str", kind);
        format!("Incorrect type. Expected pk value, received {kind}.")
    })
}

/// Said of the number of an object that is not there.
pub(super) fn no_such(pk: i64) -> String {
    format!("Invalid pk \"{pk}\" - object does not exist.")
}

/// What Python calls it.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_is_taken_as_the_other_product_takes_it() {
        for (given, taken) in [
            (Some(json!(" my phone ")), Ok("my phone")),
            (Some(json!(7)), Ok("7")),
            (None, Err(REQUIRED)),
            (Some(json!(null)), Err(NULL)),
            (Some(json!("  ")), Err(BLANK)),
            (Some(json!("a\0")), Err("Null characters are not allowed.")),
            (Some(json!(["a"])), Err("Not a valid string.")),
            (Some(json!(true)), Err("Not a valid string.")),
            (
                Some(json!("12345678901")),
                Err("Ensure this field has no more than 10 characters."),
            ),
        ] {
            let found = text(given.as_ref(), 10);
            let found = found.as_deref().map_err(String::as_str);
            assert_eq!(found, taken, "{given:?}");
        }
    }
}
