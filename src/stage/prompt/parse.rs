//! Reads what was typed into one prompt, or says in the words of the wire what is wrong with it.
//!
//! Pure: nothing is looked up here. Texts and codes are those of Django REST framework, as
//! authentik sets its fields up (`stages/prompt/models.py`, `Prompt.field`).

use secrecy::SecretString;
use serde_json::Value as Json;

use super::field::Field;
use super::{choice, email, moment};
use crate::catalog::prompt::{COMPONENT, is_locale};
use crate::catalog::{Prompt, PromptType};
use crate::expression::Value;
use crate::flow::context::Value as Known;
use crate::flow::event::{FieldError, error};
use crate::policy::context::kept;
use crate::stage::field::{MAX_LENGTH, flag, null, required};
use crate::stage::form::OpenField;

/// How many characters lines of text may have.
const MOST_LINES: usize = 16 * 1024;
/// How many characters the address may have that holds a file.
const MOST_FILE: usize = 128 * 1024;
/// How many characters of a number are looked at.
const MOST_DIGITS: usize = 1000;

/// What was typed.
#[derive(Clone, Debug)]
pub(super) enum Typed {
    /// Nothing, and nothing had to be.
    Nothing,
    /// A value.
    Value(Known),
    /// A secret.
    Secret(SecretString),
}

/// The fields of an answer to these prompts.
///
/// What nobody can answer is among them, as a browser may send it all the same, but nothing of it
/// is written down.
pub(super) fn form(prompts: &[Prompt]) -> Vec<OpenField> {
    let mut fields: Vec<OpenField> = vec![OpenField {
        key: COMPONENT.to_owned(),
        secret: false,
        longest: MAX_LENGTH,
    }];
    for prompt in prompts {
        let secret = prompt.kind == PromptType::Password;
        let longest = most(prompt.kind);
        match fields.iter_mut().find(|it| it.key == prompt.field_key) {
            // Of several prompts with the same key the last one decides.
            Some(field) => {
                field.secret |= secret;
                field.longest = longest;
            }
            None => fields.push(OpenField {
                key: prompt.field_key.clone(),
                secret,
                longest,
            }),
        }
    }
    fields
}

/// How many characters the answer to a prompt of this type may have.
const fn most(kind: PromptType) -> usize {
    match kind {
        kind if kind.is_fixed() => 0,
        PromptType::Separator => 0,
        PromptType::Number => MOST_DIGITS,
        PromptType::TextArea => MOST_LINES,
        PromptType::File => MOST_FILE,
        _ => MAX_LENGTH,
    }
}

/// Reads the answer to `field`.
pub(super) fn parse(field: &Field, answer: Option<&Json>) -> Result<Typed, FieldError> {
    let prompt = &field.prompt;
    if prompt.kind.is_fixed() {
        return Ok(Typed::Value(kept(&field.fixed())));
    }
    if prompt.kind == PromptType::Separator {
        return Ok(Typed::Nothing);
    }
    let Some(answer) = answer else {
        return missing(field);
    };
    if answer.is_null() {
        return Err(null());
    }
    let most = most(prompt.kind);
    let optional = !prompt.required;
    let plain = |text: String| Typed::Value(Known::text(text));
    Ok(match prompt.kind {
        PromptType::Text | PromptType::TextArea => plain(text(answer, most, optional)?),
        PromptType::Locale => {
            let word = trimmed(answer, most, true)?;
            // What somebody has already may stay, whatever it is.
            let had = || field.default().is_some_and(|it| it.displayed() == word);
            if !word.is_empty() && !is_locale(&word) && !had() {
                return Err(no_choice(&word));
            }
            plain(word)
        }
        PromptType::Username => plain(trimmed(answer, most, false)?),
        PromptType::Email => {
            let text = trimmed(answer, most, optional)?;
            if !text.is_empty() && !email::is_address(&text) {
                return Err(error("Enter a valid email address.", "invalid"));
            }
            plain(text)
        }
        PromptType::Password => Typed::Secret(trimmed(answer, most, false)?.into()),
        PromptType::Number => Typed::Value(Known::Json(number(answer)?.into())),
        PromptType::Checkbox => Typed::Value(Known::Json(flag(answer)?.into())),
        PromptType::RadioButtonGroup | PromptType::Dropdown => chosen(field, answer, most)?,
        PromptType::Date => {
            let day = moment::date(&scalar(answer));
            let day = day.ok_or_else(|| {
                let text = "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.";
                error(text, "invalid")
            })?;
            plain(day.to_string())
        }
        PromptType::DateTime => {
            let moment = moment::moment(&scalar(answer));
            plain(moment.ok_or_else(|| {
                let text = "Datetime has wrong format. Use one of these formats instead: \
                            YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].";
                error(text, "invalid")
            })?)
        }
        PromptType::File => plain(file(answer, most)?),
        PromptType::Separator
        | PromptType::Hidden
        | PromptType::Static
        | PromptType::TextReadOnly
        | PromptType::TextAreaReadOnly => Typed::Nothing,
    })
}

/// Without an answer the initial value counts, just as it is.
fn missing(field: &Field) -> Result<Typed, FieldError> {
    let prompt = &field.prompt;
    match (field.default(), prompt.kind) {
        (Some(default), PromptType::Password) => Ok(Typed::Secret(default.displayed().into())),
        (Some(default), _) => Ok(Typed::Value(kept(default))),
        (None, PromptType::Checkbox) => Ok(Typed::Nothing),
        (None, _) if prompt.required => Err(required()),
        (None, _) => Ok(Typed::Nothing),
    }
}

/// The text of an answer, as it is. What is judged by its length is judged before anything is
/// dropped of it, so that what is written down of it is judged alike.
fn text(answer: &Json, most: usize, blank: bool) -> Result<String, FieldError> {
    let text = match answer {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        _ => return Err(error("Not a valid string.", "invalid")),
    };
    fits(&text, most)?;
    filled(text, blank)
}

/// The text of an answer without the white space around it.
fn trimmed(answer: &Json, most: usize, blank: bool) -> Result<String, FieldError> {
    let text = text(answer, most, true)?;
    filled(text.trim().to_owned(), blank)
}

fn fits(text: &str, most: usize) -> Result<(), FieldError> {
    if text.contains('\0') {
        return Err(error(
            "Null characters are not allowed.",
            "null_characters_not_allowed",
        ));
    }
    if text.chars().count() > most {
        let text = format!("Ensure this field has no more than {most} characters.");
        return Err(error(text, "max_length"));
    }
    Ok(())
}

fn filled(text: String, blank: bool) -> Result<String, FieldError> {
    if text.is_empty() && !blank {
        return Err(error("This field may not be blank.", "blank"));
    }
    Ok(text)
}

/// The text of a single value: a number is written down as a text, and reads alike then.
fn scalar(answer: &Json) -> String {
    match answer {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

/// A whole number, or a text that is one: `3`, `3.0`, `1_000`.
fn number(answer: &Json) -> Result<i64, FieldError> {
    let text = scalar(answer);
    if text.chars().count() > MOST_DIGITS && !text.contains('\0') {
        return Err(error("String value too large.", "max_string_length"));
    }
    let whole = text.trim();
    let whole = match whole.split_once('.') {
        Some((whole, rest)) if rest.bytes().all(|it| it == b'0') => whole,
        _ => whole,
    };
    let digits = whole.strip_prefix(['+', '-']).unwrap_or(whole);
    let is_number = digits
        .split('_')
        .all(|part| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit()));
    let parsed = whole.replace('_', "").parse().ok();
    parsed
        .filter(|_| is_number)
        .ok_or_else(|| error("A valid integer is required.", "invalid"))
}

fn chosen(field: &Field, answer: &Json, most: usize) -> Result<Typed, FieldError> {
    let word = match answer {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        // What is in them is not repeated, whatever it is.
        Json::Array(_) => "[…]".to_owned(),
        Json::Object(_) => "{…}".to_owned(),
        other => Value::from(other).displayed(),
    };
    fits(&word, most)?;
    let choice = choice::find(&field.choices, &Value::text(&word));
    let choice = choice.ok_or_else(|| no_choice(&word))?;
    Ok(Typed::Value(kept(&choice.value)))
}

fn no_choice(word: &str) -> FieldError {
    error(
        format!("\"{word}\" is not a valid choice."),
        "invalid_choice",
    )
}

/// An address with the scheme `data` whose content is base64; that itself is not looked at.
fn file(answer: &Json, most: usize) -> Result<String, FieldError> {
    let text = trimmed(answer, most, false)?;
    let invalid = |text| error(text, "invalid");
    let scheme = text.get(..5).unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("data:") {
        return Err(invalid("Invalid scheme"));
    }
    let rest = &text[5..];
    let (head, _) = rest
        .split_once(',')
        .ok_or_else(|| invalid("Invalid encoding"))?;
    let (_, encoding) = head.split_once(';').unwrap_or_default();
    if encoding != "base64" {
        return Err(invalid("Invalid encoding"));
    }
    Ok(format!("data:{rest}"))
}
