//! The languages of the pages.
//!
//! English is what the templates and the server say. Every other language has a folder of files
//! that say it again: objects of English text and translation. Whatever a file does not know stays
//! English. The answers of the API are English for everybody; only pages translate them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use minijinja::Value;
use rust_embed::RustEmbed;
use serde::{Serialize, Serializer};

#[derive(RustEmbed)]
#[folder = "src/web/languages"]
struct Files;

/// A language of the pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// What everything is written in.
    #[default]
    English,
    /// Deutsch.
    German,
}

impl Language {
    /// All of them, as a visitor is offered them.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// Its short name, as in the attribute `lang`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// What those who speak it call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
        }
    }

    /// The one that a tag such as `de`, `de-AT` or `de_DE` stands for.
    #[must_use]
    pub fn of(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        let mut all = Self::ALL.into_iter();
        all.find(|it| it.code().eq_ignore_ascii_case(primary))
    }

    /// What its files say.
    ///
    /// # Panics
    /// When one of them is not an object of texts, which a test would have found.
    #[must_use]
    pub fn dictionary(self) -> Dictionary {
        let mut dictionary = Dictionary::default();
        let folder = format!("{}/", self.code());
        for name in Files::iter().filter(|name| name.starts_with(&folder)) {
            let file = Files::get(&name).expect("it was just listed");
            let texts: BTreeMap<String, String> =
                serde_json::from_slice(&file.data).expect("a file of a language has only texts");
            for (english, said) in texts {
                dictionary.add(english, said);
            }
        }
        dictionary
    }
}

impl Serialize for Language {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// Marks a text that a page shows and that does not stand in a template, so that a test finds it.
#[must_use]
pub const fn text(english: &'static str) -> &'static str {
    english
}

/// What the files of one language say.
#[derive(Debug, Default)]
pub struct Dictionary {
    texts: BTreeMap<String, String>,
    /// The texts with placeholders.
    patterns: Vec<(Pattern, String)>,
}

impl Dictionary {
    fn add(&mut self, english: String, said: String) {
        if english.contains('{') {
            self.patterns.push((Pattern::of(&english), said.clone()));
        }
        self.texts.insert(english, said);
    }

    /// Whether this very text is known.
    #[must_use]
    pub fn has(&self, english: &str) -> bool {
        self.texts.contains_key(english)
    }

    /// A text of ours, without its placeholders being filled in.
    #[must_use]
    pub fn say<'a>(&'a self, english: &'a str) -> &'a str {
        self.texts.get(english).map_or(english, String::as_str)
    }

    /// What the server said, with what it filled in; what is not known stays as it is.
    #[must_use]
    pub fn say_again<'a>(&'a self, said: &'a str) -> Cow<'a, str> {
        if let Some(known) = self.texts.get(said) {
            return known.into();
        }
        let mut patterns = self.patterns.iter();
        let found = patterns.find_map(|(pattern, known)| Some((pattern.read(said)?, known)));
        match found {
            Some((values, known)) => fill(known, |name| {
                let value = values.iter().find(|(key, _)| *key == name);
                value.map(|(_, value)| self.say(value).to_owned())
            })
            .into(),
            None => said.into(),
        }
    }
}

/// A text with its placeholders, such as `{name}`, filled in. Those without a value stay.
pub fn fill(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let found = after.split_once('}');
        let known = found.and_then(|(name, after)| Some((value(name)?, after)));
        if let Some((value, after)) = known {
            filled.push_str(&value);
            rest = after;
        } else {
            filled.push('{');
            rest = after;
        }
    }
    filled.push_str(rest);
    filled
}

/// The value of a placeholder as it is written.
pub(super) fn written(value: &Value) -> String {
    if value.is_none() || value.is_undefined() {
        String::new()
    } else {
        value.to_string()
    }
}

/// A text that has something filled in where its placeholders stand.
#[derive(Debug)]
struct Pattern {
    start: String,
    /// Each placeholder's name and what stands behind it.
    rest: Vec<(String, String)>,
}

impl Pattern {
    fn of(text: &str) -> Self {
        let mut parts = text.split('{');
        let start = parts.next().unwrap_or_default().to_owned();
        let placeholder = |part: &str| {
            let (name, behind) = part.split_once('}').unwrap_or((part, ""));
            (name.to_owned(), behind.to_owned())
        };
        let rest = parts.map(placeholder).collect();
        Self { start, rest }
    }

    /// What is filled in, by the name of its placeholder.
    fn read<'a>(&'a self, text: &'a str) -> Option<Vec<(&'a str, &'a str)>> {
        let mut rest = text.strip_prefix(self.start.as_str())?;
        let mut values = Vec::new();
        for (at, (name, behind)) in self.rest.iter().enumerate() {
            let is_last = at + 1 == self.rest.len();
            let (value, after) = if is_last {
                (rest.strip_suffix(behind.as_str())?, "")
            } else {
                rest.split_once(behind.as_str())?
            };
            values.push((name.as_str(), value));
            rest = after;
        }
        Some(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_stands_for_a_language_whatever_its_country() {
        for tag in ["de", "de-AT", "DE_de", "de-Latn-CH"] {
            assert_eq!(Language::of(tag), Some(Language::German), "{tag}");
        }
        assert_eq!(Language::of("en-GB"), Some(Language::English));
        for tag in ["", "den", "fr", "*"] {
            assert_eq!(Language::of(tag), None, "{tag}");
        }
    }

    #[test]
    fn what_the_server_filled_in_stays_where_it_was() {
        let mut known = Dictionary::default();
        known.add(
            "No more than {most} of {what}.".into(),
            "{what}: höchstens {most}.".into(),
        );
        known.add("Go on".into(), "Weiter".into());
        assert_eq!(known.say_again("Go on"), "Weiter");
        assert_eq!(
            known.say_again("No more than 3 of <b>."),
            "<b>: höchstens 3."
        );
        assert_eq!(known.say_again("No more than 3."), "No more than 3.");
        assert_eq!(
            known.say_again("As an operator wrote it"),
            "As an operator wrote it"
        );
    }

    #[test]
    fn placeholders_are_filled_in_once() {
        let value = |name: &str| (name == "a").then(|| "{b}{a}".to_owned());
        assert_eq!(fill("{a} {b} {", value), "{b}{a} {b} {");
    }

    #[test]
    fn every_translation_has_the_placeholders_of_its_text() {
        let names = |text: &str| {
            let mut names: Vec<String> =
                Pattern::of(text).rest.into_iter().map(|it| it.0).collect();
            names.sort();
            names
        };
        for (english, said) in Language::German.dictionary().texts {
            assert_eq!(names(&english), names(&said), "{english}");
            assert!(!said.trim().is_empty(), "{english}");
        }
        assert!(Language::English.dictionary().texts.is_empty());
    }
}
