//! Looks through a finished bundle for what should have been replaced in it.
//!
//! What a name is made of may be an ordinary word, which stands there for something else. Such a word
//! counts only where nothing but what is known of persons can have put it. What sets somebody apart,
//! such as an address or a name of several words, counts wherever it is.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Bundle;
use super::pseudonyms::{Pseudonyms, is_address, stands};
use super::redact::{WORDS, broken, is_about_persons};
use crate::replay::Error;
use crate::replay::letters::levels;

/// How it begins what it says of a bundle.
pub const LEFT: &str = "what should have been replaced is left in it";

/// The names of what a browser or an operator called something, and nobody a person.
const CALLED: [&str; 2] = ["host", "user_agent_family"];

/// Says in a sentence what is left, without saying it; `None` where nothing is.
pub(super) fn told(bundle: &Bundle, replaced: &[Pseudonyms]) -> Result<Option<String>, Error> {
    let mut words: BTreeSet<&str> = replaced.iter().flat_map(Pseudonyms::words).collect();
    let mut configured = Search::of(words.iter().copied());
    let mut persons = Vec::new();
    for (at, held) in bundle.objects.iter().enumerate() {
        if is_about_persons(held) {
            persons.push((format!("objects/{at}/body"), &held.body));
        } else {
            configured.goes(&format!("objects/{at}/body"), "", &held.body, false);
        }
    }
    // What operators call something is told in the events as well.
    words.retain(|word| !configured.found.contains(word) || sets_apart(word));
    let mut all = Search::of(words.into_iter());
    for (place, body) in persons {
        all.goes(&place, "", body, true);
    }
    for (at, entry) in bundle.records.iter().enumerate() {
        let record = serde_json::to_value(&entry.record).map_err(broken)?;
        all.goes(&format!("records/{at}/record"), "", &record, true);
    }
    let mut places = configured.places;
    places.append(&mut all.places);
    let more = places.len().saturating_sub(1);
    Ok(places.first().map(|first| {
        let more = match more {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("{LEFT}, at {first}{more}: look it through")
    }))
}

/// Whether a word can hardly mean anything else.
fn sets_apart(word: &str) -> bool {
    is_address(word) || word.contains(char::is_whitespace)
}

/// Who looks, and what they found.
struct Search<'a> {
    words: Vec<&'a str>,
    found: BTreeSet<&'a str>,
    /// Where what counts was found.
    places: Vec<String>,
}

impl<'a> Search<'a> {
    fn of(words: impl Iterator<Item = &'a str>) -> Self {
        Self {
            words: words.collect(),
            found: BTreeSet::new(),
            places: Vec::new(),
        }
    }

    /// Looks through a value with this name, which is at this place.
    fn goes(&mut self, place: &str, name: &str, value: &Value, is_about_persons: bool) {
        match value {
            Value::String(text) => {
                let is_word = WORDS.contains(&name) || CALLED.contains(&name);
                if self.is_in(text, is_about_persons && !is_word) {
                    self.places.push(place.to_owned());
                }
            }
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.goes(&format!("{place}/{at}"), name, item, is_about_persons);
                }
            }
            Value::Object(entries) => {
                for (name, item) in entries {
                    // A name that tells somebody's is not told once more.
                    if self.is_in(name, false) {
                        self.places.push(place.to_owned());
                    } else {
                        self.goes(&format!("{place}/{name}"), name, item, is_about_persons);
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether something that counts is in a text: any of the words, or those that set apart.
    fn is_in(&mut self, text: &str, any: bool) -> bool {
        let (levels, is_endless) = levels(text);
        let mut counts = is_endless;
        for level in &levels {
            for word in &self.words {
                let is_meant = |it| stands(word, level, &it) && !level.is_place(&it);
                if level.find(word).any(is_meant) {
                    self.found.insert(word);
                    counts |= any || sets_apart(word);
                }
            }
        }
        counts
    }
}
