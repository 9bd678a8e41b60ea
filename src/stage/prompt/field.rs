//! A prompt with everything that is worked out when it is shown.

use serde_json::{Value as Json, json};

use super::choice::Choice;
use crate::catalog::{Prompt, PromptType};
use crate::expression::Value;

/// A prompt, ready to be shown and to be answered.
#[derive(Clone, Debug)]
pub(super) struct Field {
    /// As it is configured.
    pub(super) prompt: Prompt,
    /// The choices of a prompt that has some.
    pub(super) choices: Vec<Choice>,
    /// What stands in the empty field.
    pub(super) placeholder: Value,
    /// What stands in the field to begin with.
    pub(super) initial: Value,
}

impl Field {
    /// The value that counts where none is sent; none that says nothing does, and no password is
    /// ever taken over from another stage.
    pub(super) fn default(&self) -> Option<&Value> {
        let is_secret = matches!(self.initial, Value::Secret(_));
        let usable = !(is_secret && self.prompt.kind == PromptType::Password);
        Some(&self.initial).filter(|it| usable && it.truthy())
    }

    /// The value of a prompt that nobody can answer.
    pub(super) fn fixed(&self) -> Value {
        match (self.default(), self.prompt.kind) {
            (Some(value), _) => value.clone(),
            (None, PromptType::Hidden | PromptType::Static) => self.placeholder.clone(),
            (None, _) => Value::text(""),
        }
    }

    /// As clients get it. Source: authentik `stages/prompt/stage.py`, `StagePromptSerializer`.
    pub(super) fn shown(&self) -> Json {
        let prompt = &self.prompt;
        let choices = self.choices.iter();
        let choices: Vec<Json> = choices
            .map(|it| json!({ "value": it.word, "label": it.label }))
            .collect();
        json!({
            "field_key": prompt.field_key,
            "label": prompt.label,
            "type": prompt.kind,
            "required": prompt.required,
            "placeholder": text(&self.placeholder),
            "initial_value": text(&self.initial),
            "order": prompt.order,
            "sub_text": prompt.sub_text,
            "choices": if choices.is_empty() { Json::Null } else { choices.into() },
        })
    }
}

/// Every value is sent as text, and a secret not at all.
fn text(value: &Value) -> String {
    match value {
        Value::Secret(_) => String::new(),
        other => other.displayed(),
    }
}
