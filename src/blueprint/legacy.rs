//! What flow files of former years say otherwise: the JSON exports, and YAML as old as these.
//!
//! Fields that are gone need nothing here: unknown fields are ignored, and listed. What is said in
//! today's words instead is listed as well, so nothing happens behind anybody's back.

use serde_json::{Map, Value};

use super::document::{Document, Entry};
use super::format::text;
use super::model::Model;
use super::resolve::Miss;
use super::staged::Staged;
use super::tag::{Expr, Form, Tag};
use crate::catalog::Prompt;
use crate::journal::object::Stored;
use crate::stage::Kind;

/// What was said in today's words: fields and their values.
pub(super) type Filled = Map<String, Value>;

/// Names of password backends as they were, and as they are.
const BACKENDS: &[(&str, &str)] = &[
    (
        "django.contrib.auth.backends.ModelBackend",
        "authentik.core.auth.InbuiltBackend",
    ),
    (
        "passbook.core.token_auth.TokenBackend",
        "authentik.core.auth.TokenBackend",
    ),
    (
        "authentik.core.token_auth.TokenBackend",
        "authentik.core.auth.TokenBackend",
    ),
    (
        "passbook.sources.ldap.auth.LDAPBackend",
        "authentik.sources.ldap.auth.LDAPBackend",
    ),
];

/// Rewrites the fields of an entry into today's, and says which it wrote.
pub(super) fn modernise(model: Model, data: &mut Map<String, Value>) -> Filled {
    let mut filled = Filled::new();
    match model {
        Model::Stage(Kind::Password) => {
            if let Some(Value::Array(backends)) = data.get("backends").cloned() {
                let modern: Vec<_> = backends.iter().cloned().map(modern_backend).collect();
                if modern != backends {
                    filled.insert("backends".to_owned(), modern.into());
                }
            }
        }
        // There was one question where there are three answers now.
        Model::Stage(Kind::UserWrite) if !data.contains_key("user_creation_mode") => {
            if let Some(Value::Bool(can_create)) = data.remove("can_create_users") {
                let mode = if can_create {
                    "create_when_required"
                } else {
                    "never_create"
                };
                filled.insert("user_creation_mode".to_owned(), mode.into());
            }
        }
        // Policies were asked on planning unless that was switched off, so this meant just that;
        // by today's defaults they would never be asked, which is refused.
        Model::Binding
            if data.get("re_evaluate_policies") == Some(&Value::Bool(false))
                && !data.contains_key("evaluate_on_plan") =>
        {
            filled.insert("evaluate_on_plan".to_owned(), Value::Bool(true));
        }
        // A group had one parent before it could have several.
        Model::Group if !data.contains_key("parents") => {
            let parents = match data.remove("parent") {
                Some(parent @ Value::String(_)) => Some(Value::Array(vec![parent])),
                Some(Value::Null) => Some(Value::Array(Vec::new())),
                other => other,
            };
            filled.extend(parents.map(|parents| ("parents".to_owned(), parents)));
        }
        _ => {}
    }
    data.extend(filled.clone());
    filled
}

/// The types of prompts whose value nobody typed, so that it was the placeholder.
const UNTYPED: &[&str] = &["text_read_only", "hidden", "static"];

/// The types whose placeholder has the choices.
const CHOICES: &[&str] = &["radio-button-group", "dropdown"];

/// Rewrites a prompt of before 2023.4, which has no name: one that is new gets one. Its initial value
/// was what an expression for its placeholder gave, or the placeholder itself where nobody types.
///
/// # Errors
/// When prompts have to be read first.
pub(super) fn modernise_prompt(
    document: &Document,
    entry: &Entry,
    data: &mut Map<String, Value>,
    staged: &Staged,
    is_new: bool,
) -> Result<Filled, Miss> {
    let mut filled = Filled::new();
    if is_new && let Some(Value::String(field)) = data.get("field_key") {
        let name = free(&called(document, entry, field), staged)?;
        filled.insert("name".to_owned(), name.into());
    }
    let kind = data.get("type").and_then(Value::as_str).unwrap_or_default();
    let is_run = data.get("placeholder_expression") == Some(&Value::Bool(true));
    let moves = UNTYPED.contains(&kind) || (is_run && !CHOICES.contains(&kind));
    let given = ["initial_value", "initial_value_expression"];
    let is_given = given.iter().any(|it| data.contains_key(*it));
    if let Some(placeholder) = data.get("placeholder").filter(|_| moves && !is_given) {
        filled.insert("initial_value".to_owned(), placeholder.clone());
        filled.insert("initial_value_expression".to_owned(), is_run.into());
        filled.insert("placeholder".to_owned(), "".into());
        filled.insert("placeholder_expression".to_owned(), false.into());
    }
    data.extend(filled.clone());
    Ok(filled)
}

/// What a prompt is called: after the first stage of the file that asks for it, else after the
/// file's flow.
fn called(document: &Document, entry: &Entry, field: &str) -> String {
    let pk = value_of(&entry.identifiers, "pk");
    let asks = |item: &Expr| match &item.form {
        Form::Literal(given) => pk.is_some_and(|pk| text(pk) == text(given)),
        Form::Tag(tag) => {
            matches!(tag.as_ref(), Tag::KeyOf(id) if entry.name.id.as_ref() == Some(id))
        }
        _ => false,
    };
    let is_stage = |other: &&Entry| {
        let model = other.name.model.as_deref().unwrap_or_default();
        let fields = field_of(&other.attrs, "fields");
        model.eq_ignore_ascii_case(Kind::Prompt.model())
            && matches!(fields.map(|it| &it.form), Some(Form::Sequence(items)) if items.iter().any(asks))
    };
    let stage = document.entries.iter().find(is_stage);
    let stage = stage.and_then(|stage| {
        let name = value_of(&stage.identifiers, "name");
        name.or_else(|| value_of(&stage.attrs, "name"))
    });
    let whose = stage.map(text).or_else(|| document.flow());
    match whose {
        Some(whose) => format!("{whose}-{field}"),
        None => field.to_owned(),
    }
}

/// The name, or the first like it that no prompt has.
fn free(name: &str, staged: &Staged) -> Result<String, Miss> {
    let mut free = name.to_owned();
    let mut number = 1;
    while staged
        .holder(Prompt::KIND, "name", free.as_bytes().to_vec())?
        .is_some()
    {
        number += 1;
        free = format!("{name}-{number}");
    }
    Ok(free)
}

fn field_of<'e>(expr: &'e Expr, name: &str) -> Option<&'e Expr> {
    match &expr.form {
        Form::Mapping(pairs) => {
            let found = pairs.iter().find(|(field, _)| field == name);
            found.map(|(_, value)| value)
        }
        _ => None,
    }
}

fn value_of<'e>(expr: &'e Expr, name: &str) -> Option<&'e Value> {
    match &field_of(expr, name)?.form {
        Form::Literal(value) => Some(value),
        _ => None,
    }
}

fn modern_backend(backend: Value) -> Value {
    let found = BACKENDS.iter().find(|(old, _)| backend == *old);
    found.map_or(backend, |(_, new)| (*new).into())
}
