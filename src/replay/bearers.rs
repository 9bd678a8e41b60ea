//! Masks what opens something for whoever knows it, in what is shown of an execution: the tokens and
//! codes of query strings, and the identifiers of invitations.

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::Value;

use super::Entry;
use super::letters::{Level, folded, levels, spliced};
use super::mask::{MASK, is_secret};
use crate::directory::Invitation;
use crate::flow::Event;
use crate::journal::object::Stored as _;
use crate::world::Observation;

/// What is masked.
#[derive(Debug, Default)]
pub struct Bearers {
    invitations: Vec<String>,
}

impl Bearers {
    /// The values of query strings only, for whoever may see invitations.
    #[must_use]
    pub fn in_queries() -> Self {
        Self::default()
    }

    /// All of these executions.
    #[must_use]
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let mut ids = BTreeSet::new();
        for entry in entries {
            for event in &entry.record.events {
                if let Event::InvitationUsed { invitation, .. } = event {
                    ids.insert(*invitation);
                }
            }
            for note in &entry.record.observations {
                match note {
                    Observation::Object { kind, id, .. } if *kind == Invitation::KIND => {
                        ids.insert(*id);
                    }
                    Observation::Found { kind, objects, .. } if *kind == Invitation::KIND => {
                        ids.extend(objects.iter().map(|(id, _)| *id));
                    }
                    _ => {}
                }
            }
        }
        let forms = |id: uuid::Uuid| [id.to_string(), id.simple().to_string()];
        let forms = ids.into_iter().flat_map(forms);
        Self {
            invitations: forms.map(|it| folded(&it)).collect(),
        }
    }

    /// The value with the mask in the place of each of them, however it is encoded.
    #[must_use]
    pub fn masked(&self, value: Value) -> Value {
        match value {
            Value::String(text) => self.text(text).into(),
            Value::Array(items) => items.into_iter().map(|it| self.masked(it)).collect(),
            Value::Object(entries) => {
                let entries = entries.into_iter();
                let masked = entries.map(|(name, it)| (name, self.masked(it)));
                Value::Object(masked.collect())
            }
            other => other,
        }
    }

    fn text(&self, text: String) -> String {
        let (levels, is_endless) = levels(&text);
        if is_endless {
            // Nobody knows what it says.
            return MASK.to_owned();
        }
        let mut places: Vec<Range<usize>> = Vec::new();
        for level in &levels {
            let ids = self.invitations.iter().flat_map(|it| level.find(it));
            places.extend(ids.chain(values(level)).map(|it| {
                let letters = &level.letters;
                letters[it.start].from..letters[it.end - 1].to
            }));
        }
        if places.is_empty() {
            return text;
        }
        places.sort_unstable_by_key(|it| (it.start, it.end));
        spliced(&text, places.into_iter().map(|place| (place, MASK)))
    }
}

/// Where the values of parameters are that open something.
fn values(level: &Level) -> Vec<Range<usize>> {
    let letters = &level.letters;
    let mut values = Vec::new();
    for (at, letter) in letters.iter().enumerate() {
        if letter.is != '=' {
            continue;
        }
        let name = letters[..at].iter().rev().map(|it| it.is);
        let name = name.take_while(|it| it.is_alphanumeric() || matches!(it, '_' | '-' | '.'));
        let name: String = name.collect();
        let name: String = name.chars().rev().collect();
        if !opens(&name) {
            continue;
        }
        let value = letters[at + 1..].iter().map(|it| it.is);
        let ends = |it: &char| it.is_whitespace() || matches!(it, '&' | '#' | ';' | '"' | '\'');
        let length = value.take_while(|it| !ends(it)).count();
        if length > 0 {
            values.push(at + 1..at + 1 + length);
        }
    }
    values
}

/// Whether a parameter with this name opens something.
fn opens(name: &str) -> bool {
    is_secret(name) || name.eq_ignore_ascii_case("code")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_opens_something_is_masked_in_every_query() {
        let masks = Bearers::in_queries();
        for (text, shown) in [
            ("itoken=abc&x=1", format!("itoken={MASK}&x=1")),
            (
                "next=%2Fif%2Fflow%2Fx%2F%3Fflow_token%3Dabc%26a%3D1",
                format!("next=%2Fif%2Fflow%2Fx%2F%3Fflow_token%3D{MASK}%26a%3D1"),
            ),
            (
                "goes to /callback?state=1&code=abc, and on",
                format!("goes to /callback?state=1&code={MASK} and on"),
            ),
            (
                "next=%2F%3Fcolour%3Dred",
                "next=%2F%3Fcolour%3Dred".to_owned(),
            ),
        ] {
            assert_eq!(
                masks.masked(json!({ "a": [text] })),
                json!({ "a": [shown] })
            );
        }
    }

    #[test]
    fn an_invitation_is_masked_wherever_it_stands() {
        let id = uuid::Uuid::from_u128(0xabcd_ef01_2345);
        let masks = Bearers {
            invitations: vec![folded(&id.to_string()), folded(&id.simple().to_string())],
        };
        for form in [
            id.to_string(),
            id.simple().to_string(),
            id.to_string().to_uppercase(),
        ] {
            let shown = masks.masked(json!(format!("came by {form}!")));
            assert_eq!(shown, json!(format!("came by {MASK}!")));
        }
    }
}
