//! A prompt: one field that prompt stages ask for. Several stages may share it.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Clock;
use crate::flow::field::{Invalid, Problem, text};
use crate::flow::model::words;
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{Key, Kind, Objects, Result};

/// The most characters of a name, a key or a label.
const LONGEST: usize = 1024;

/// The key that every answer has already: which component it is for.
pub const COMPONENT: &str = "component";

words! {
    /// What a prompt asks for. Source: authentik `stages/prompt/models.py`, `FieldTypes`.
    PromptType as PromptTypeEnum {
        /// A line of text.
        Text = "text",
        /// Lines of text.
        TextArea = "text_area",
        /// A line of text that only the server sets.
        TextReadOnly = "text_read_only",
        /// Lines of text that only the server sets.
        TextAreaReadOnly = "text_area_read_only",
        /// A user name that nobody else has.
        Username = "username",
        /// An e-mail address.
        Email = "email",
        /// A password; all passwords of a stage must be the same.
        Password = "password",
        /// A whole number.
        Number = "number",
        /// Yes or no.
        Checkbox = "checkbox",
        /// One of some choices, all of which are seen.
        RadioButtonGroup = "radio-button-group",
        /// One of some choices.
        Dropdown = "dropdown",
        /// A day.
        Date = "date",
        /// A moment.
        DateTime = "date-time",
        /// A file.
        File = "file",
        /// Nothing: a line between others.
        Separator = "separator",
        /// Nothing: a value that nobody sees.
        Hidden = "hidden",
        /// Nothing: text to be read.
        Static = "static",
        /// A language.
        Locale = "ak-locale",
    }
}

/// The languages that somebody who is asked for one may choose, as authentik's clients name them.
const LOCALES: [&str; 16] = [
    "cs_CZ", "de_DE", "en", "es_ES", "fi_FI", "fr_FR", "it_IT", "ja_JP", "ko_KR", "nl_NL", "pl_PL",
    "pt_BR", "ru_RU", "tr_TR", "zh-Hans", "zh-Hant",
];

/// Whether it is one of their languages, in whatever country and however its parts are joined.
#[must_use]
pub fn is_locale(word: &str) -> bool {
    let language = |tag: &str| {
        tag.split(['-', '_'])
            .next()
            .unwrap_or_default()
            .to_lowercase()
    };
    let is_part = |part: &str| part.len() <= 8 && part.chars().all(|it| it.is_ascii_alphanumeric());
    word.split(['-', '_']).all(is_part) && LOCALES.iter().any(|tag| language(tag) == language(word))
}

impl PromptType {
    /// Whether it is one of some choices.
    #[must_use]
    pub const fn is_choice(self) -> bool {
        matches!(self, Self::RadioButtonGroup | Self::Dropdown)
    }

    /// Whether its value is the server's alone, whatever was sent.
    #[must_use]
    pub const fn is_fixed(self) -> bool {
        matches!(
            self,
            Self::Hidden | Self::Static | Self::TextReadOnly | Self::TextAreaReadOnly
        )
    }
}

/// A prompt as an operator configured it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// Its identifier.
    pub pk: Uuid,
    /// What operators call it; unique.
    pub name: String,
    /// Its key in the answer and in `prompt_data`.
    pub field_key: String,
    /// What the visitor reads beside it.
    pub label: String,
    /// What it asks for.
    #[serde(rename = "type")]
    pub kind: PromptType,
    /// Whether it has to be filled in.
    pub required: bool,
    /// What stands in the empty field; the choices, of those that have some.
    pub placeholder: String,
    /// What stands in the field to begin with.
    pub initial_value: String,
    /// What the visitor reads below it: HTML.
    pub sub_text: String,
    /// Its place among the others: lower comes first.
    pub order: i32,
    /// Whether `placeholder` is an expression that gives it.
    pub placeholder_expression: bool,
    /// Whether `initial_value` is an expression that gives it.
    pub initial_value_expression: bool,
}

impl Prompt {
    /// A prompt with every default.
    #[must_use]
    pub fn new(clock: &Clock, name: &str, field_key: &str, kind: PromptType) -> Self {
        Self {
            pk: clock.opaque_id(),
            name: name.to_owned(),
            field_key: field_key.to_owned(),
            label: field_key.to_owned(),
            kind,
            required: true,
            placeholder: String::new(),
            initial_value: String::new(),
            sub_text: String::new(),
            order: 0,
            placeholder_expression: false,
            initial_value_expression: false,
        }
    }

    /// What is wrong with it; nothing is when it may be stored.
    #[must_use]
    pub fn problems(&self) -> Vec<Invalid> {
        let texts = [
            ("name", &self.name),
            ("field_key", &self.field_key),
            ("label", &self.label),
        ];
        let mut found: Vec<_> = texts
            .into_iter()
            .filter_map(|(field, value)| {
                let problem = text(value, LONGEST).err()?;
                Some(Invalid::new(field, problem))
            })
            .collect();
        if self.field_key == COMPONENT {
            let taken = Problem::Other("Every answer says there which component it is for.");
            found.push(Invalid::new("field_key", taken));
        }
        found
    }

    /// The texts of it that are expressions, by field.
    pub fn expressions(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [
            (
                "placeholder",
                self.placeholder_expression,
                &self.placeholder,
            ),
            (
                "initial_value",
                self.initial_value_expression,
                &self.initial_value,
            ),
        ];
        let all = all
            .into_iter()
            .filter(|(_, is_expression, _)| *is_expression);
        all.map(|(field, _, text)| (field, text.as_str()))
    }

    /// The order in which prompts are shown.
    #[must_use]
    pub fn by_order(&self, other: &Self) -> Ordering {
        self.order.cmp(&other.order)
    }
}

impl Stored for Prompt {
    const KIND: Kind = Kind::new("prompt");

    fn id(&self) -> Uuid {
        self.pk
    }

    fn unique(&self) -> Vec<Key> {
        vec![Key::new("name", &self.name)]
    }
}

/// The prompts with these identifiers, in the order in which they are shown. One that was deleted
/// is asked for no more.
///
/// # Errors
/// When the journal cannot be read.
pub async fn prompts(
    objects: &(impl Objects + ?Sized),
    ids: &[Uuid],
) -> Result<Vec<Versioned<Prompt>>> {
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        found.extend(object::get::<Prompt>(objects, *id).await?);
    }
    found.sort_by(|a: &Versioned<Prompt>, b| a.value.by_order(&b.value));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_type_is_told_by_its_word_and_no_other_is_known() {
        assert_eq!(PromptType::ALL.len(), 18);
        for kind in PromptType::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
        }
        let problem = "foo".parse::<PromptType>().expect_err("there is none");
        assert_eq!(problem.to_string(), "\"foo\" is not a valid choice.");
        assert!(serde_json::from_value::<PromptType>(json!("foo")).is_err());
    }

    #[test]
    fn a_prompt_needs_a_name_a_key_and_a_label() {
        let clock = Clock::system();
        let mut prompt = Prompt::new(&clock, "", " ", PromptType::Text);
        prompt.label = String::new();
        let fields: Vec<_> = prompt.problems().iter().map(|it| it.field).collect();
        assert_eq!(fields, ["name", "field_key", "label"]);
        let prompt = Prompt::new(&clock, "p", COMPONENT, PromptType::Text);
        assert_eq!(prompt.problems()[0].field, "field_key");
        let prompt = Prompt::new(&clock, "p", "attributes.settings.locale", PromptType::Text);
        assert_eq!(prompt.problems(), []);
    }
}
