//! What a page says of the answer before it: what was wrong, and what was done.

use serde_json::{Map, Value};

use super::{Form, prompt};
use crate::flow::event::EMPTY_RESPONSE;

/// The errors that the page shows above everything else. Whoever only chose what to show has made no
/// mistake.
pub(super) fn general_errors(challenge: &Value, shown: &[&str], form: &Form) -> Vec<Value> {
    if is_chosen(challenge, form) {
        return Vec::new();
    }
    errors_besides(challenge, shown)
}

/// Whether all that the visitor did was to choose what they show. What clients are told then is an
/// error that says nothing.
pub(super) fn is_chosen(challenge: &Value, form: &Form) -> bool {
    let chose = form.values.get("chooses") == Some(&Value::Bool(true));
    let errors = challenge["response_errors"].as_object();
    let says_nothing = |errors: &Map<String, Value>| {
        let is_empty = |it: &Value| it["string"] == EMPTY_RESPONSE;
        let general = errors.get("non_field_errors").and_then(Value::as_array);
        let only = general.is_none_or(|all| all.iter().all(is_empty));
        only && errors.keys().all(|field| field == "non_field_errors")
    };
    chose && errors.is_some_and(says_nothing)
}

/// Whether a code is on its way because the visitor asked for it.
pub(super) fn is_code_sent(challenge: &Value, form: &Form) -> bool {
    let method = form.values.get("method").and_then(Value::as_str);
    is_chosen(challenge, form) && matches!(method, Some("sms" | "email"))
}

/// The errors that no field of the page shows.
fn errors_besides(challenge: &Value, shown: &[&str]) -> Vec<Value> {
    let errors = challenge["response_errors"].as_object();
    let prompts = prompt::keys(challenge);
    errors
        .into_iter()
        .flatten()
        .filter(|(field, _)| !shown.contains(&field.as_str()) && !prompts.contains(&field.as_str()))
        .filter_map(|(_, errors)| errors.as_array())
        .flatten()
        .filter(|error| error["code"] != SENT_AGAIN)
        .cloned()
        .collect()
}

/// What stands in the place of an error once a mail was sent again: nothing is wrong.
const SENT_AGAIN: &str = "email-sent";

pub(super) fn is_sent_again(challenge: &Value) -> bool {
    let errors = challenge["response_errors"]["non_field_errors"].as_array();
    errors.is_some_and(|errors| errors.iter().any(|error| error["code"] == SENT_AGAIN))
}
