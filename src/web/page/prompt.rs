//! The fields of a prompt, as their template takes them.
//!
//! A field's key may be anything, also the name of a field of the page itself. So a form sends it
//! with a word in front that says how it is to be read, see [`crate::web::form`].

use serde::Serialize;
use serde_json::{Map, Value};

use super::super::form::How;
use crate::web::language::text;

/// The languages that may be chosen, as authentik's clients name them.
pub(in crate::web) const LANGUAGES: [(&str, &str); 17] = [
    ("", text("Auto-detect")),
    ("cs_CZ", "Čeština"),
    ("de_DE", "Deutsch"),
    ("en", "English"),
    ("es_ES", "Español"),
    ("fi_FI", "Suomi"),
    ("fr_FR", "Français"),
    ("it_IT", "Italiano"),
    ("ja_JP", "日本語"),
    ("ko_KR", "한국어"),
    ("nl_NL", "Nederlands"),
    ("pl_PL", "Polski"),
    ("pt_BR", "Português do Brasil"),
    ("ru_RU", "Русский"),
    ("tr_TR", "Türkçe"),
    ("zh-Hans", "简体中文"),
    ("zh-Hant", "繁體中文"),
];

/// A field of a prompt on a page.
#[derive(Debug, Serialize)]
pub(super) struct Field {
    /// Which form it has: one word for each that the template knows.
    shape: &'static str,
    /// What the page calls it; unique, and safe in every attribute.
    id: String,
    /// Under which name it is sent.
    name: String,
    label: String,
    /// Of an `input`.
    input: &'static str,
    autocomplete: Option<&'static str>,
    required: bool,
    placeholder: String,
    value: String,
    /// Of a checkbox.
    checked: bool,
    options: Vec<Choice>,
    /// Markup.
    sub_text: String,
    errors: Vec<Value>,
    /// Whether it is the one to begin with.
    focus: bool,
}

#[derive(Debug, Serialize)]
struct Choice {
    value: String,
    label: String,
    chosen: bool,
}

/// The fields of a challenge. `values` is what was typed before, by key.
pub(super) fn fields(challenge: &Value, values: &Map<String, Value>) -> Vec<Field> {
    let given = challenge["fields"].as_array();
    let mut fields: Vec<Field> = given
        .into_iter()
        .flatten()
        .enumerate()
        .filter_map(|(at, given)| field(at, given, values, &challenge["response_errors"]))
        .collect();
    let wrong = fields.iter().position(|field| !field.errors.is_empty());
    let first = || fields.iter().position(|field| !field.name.is_empty());
    if let Some(at) = wrong.or_else(first) {
        fields[at].focus = true;
    }
    fields
}

/// Whether a password is asked for and nothing says whose: a password manager would not know where to
/// keep it.
pub(super) fn names_user(fields: &[Field]) -> bool {
    let asks = |field: &Field| field.input == "password" && field.shape == "input";
    let says = |field: &Field| field.autocomplete == Some("username");
    fields.iter().any(asks) && !fields.iter().any(says)
}

/// The keys of the fields that show their errors themselves.
pub(super) fn keys(challenge: &Value) -> Vec<&str> {
    let given = challenge["fields"].as_array().into_iter().flatten();
    let shown = given.filter(|it| shape(it["type"].as_str().unwrap_or_default()).is_some());
    shown.filter_map(|it| it["field_key"].as_str()).collect()
}

/// How a type is shown; `None` where nothing is to be seen of it.
fn shape(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "hidden" => return None,
        "text_area" => "lines",
        "file" => "file",
        "text_read_only" => "fixed",
        "text_area_read_only" => "fixed-lines",
        "checkbox" => "checkbox",
        "radio-button-group" => "radio",
        "dropdown" | "ak-locale" => "select",
        "separator" => "separator",
        "static" => "static",
        _ => "input",
    })
}

fn field(at: usize, given: &Value, values: &Map<String, Value>, errors: &Value) -> Option<Field> {
    let text = |name: &str| given[name].as_str().unwrap_or_default().to_owned();
    let (key, kind) = (text("field_key"), text("type"));
    let kind = kind.as_str();
    let shape = shape(kind)?;
    let required = given["required"] == true;
    let typed = values.get(&key).filter(|_| kind != "password");
    let initial = text("initial_value");
    let mut value = match typed.and_then(Value::as_str) {
        Some(typed) => typed.to_owned(),
        None if kind == "password" => String::new(),
        None => initial.clone(),
    };
    if kind == "date-time" {
        // A browser knows no offsets here; what is sent without one is UTC as well.
        value.truncate(value.trim_end_matches('Z').len());
    }
    let (input, autocomplete) = input(kind, &key);
    let checked = match typed {
        Some(typed) => *typed == true,
        None => !initial.is_empty(),
    };
    let sends = !matches!(shape, "fixed" | "fixed-lines" | "separator" | "static");
    let name = if sends {
        how(kind, required).name(&key)
    } else {
        String::new()
    };
    Some(Field {
        shape,
        id: format!("prompt-{at}"),
        name,
        label: text("label"),
        input,
        autocomplete,
        required: required && kind != "ak-locale",
        placeholder: text("placeholder"),
        options: options(kind, given, &value),
        value,
        checked,
        sub_text: text("sub_text"),
        errors: errors[key.as_str()].as_array().cloned().unwrap_or_default(),
        focus: false,
    })
}

/// How what is typed into a field becomes an answer. An empty field of a page is one that was not
/// filled in, but for text that may be empty.
fn how(kind: &str, required: bool) -> How {
    match kind {
        "password" => How::Secret,
        "checkbox" => How::Flag,
        "text" | "text_area" | "email" | "ak-locale" => How::Text,
        "username" if required => How::Text,
        _ => How::Maybe,
    }
}

fn input(kind: &str, key: &str) -> (&'static str, Option<&'static str>) {
    match kind {
        "username" => ("text", Some("username")),
        "email" => ("email", Some("email")),
        "password" => ("password", Some("new-password")),
        "number" => ("number", None),
        "date" => ("date", (key == "birthday").then_some("bday")),
        "date-time" => ("datetime-local", None),
        _ => ("text", (key == "name").then_some("name")),
    }
}

fn options(kind: &str, given: &Value, value: &str) -> Vec<Choice> {
    let option = |(word, label): (&str, &str)| Choice {
        value: word.to_owned(),
        label: label.to_owned(),
        chosen: word == value,
    };
    if kind == "ak-locale" {
        let known = LANGUAGES.iter().any(|(word, _)| *word == value);
        let other = (!known).then_some((value, value));
        return LANGUAGES.into_iter().chain(other).map(option).collect();
    }
    let choices = given["choices"].as_array().into_iter().flatten();
    let choices = choices.filter_map(|it| Some((it["value"].as_str()?, it["label"].as_str()?)));
    choices.map(option).collect()
}
