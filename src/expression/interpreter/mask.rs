//! Keeps the texts of secrets out of what leaves an evaluation.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::expression::MASK;
use crate::expression::wire::Revealed;

/// The secrets that this evaluation was handed.
#[derive(Default)]
pub(super) struct Mask(Vec<Known>);

struct Known {
    handle: String,
    text: String,
    /// The text and the usual ways to write it, the longest first.
    forms: Vec<String>,
}

impl Mask {
    /// From now on these are secret; an empty text is nothing to hide.
    pub(super) fn add(&mut self, secrets: Vec<Revealed>) {
        let secrets = secrets.into_iter().filter(|s| !s.text.is_empty());
        self.0.extend(secrets.map(|Revealed { handle, text }| {
            let quoted = format!("{text:?}");
            let mut forms = vec![
                quoted[1..quoted.len() - 1].to_owned(),
                STANDARD_NO_PAD.encode(&text),
                URL_SAFE_NO_PAD.encode(&text),
                utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string(),
                text.clone(),
            ];
            forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
            forms.dedup();
            Known {
                handle,
                text,
                forms,
            }
        }));
    }

    /// The text of a secret that was revealed.
    pub(super) fn text(&self, handle: &str) -> Option<&str> {
        let mut known = self.0.iter();
        known.find_map(|known| (known.handle == handle).then_some(known.text.as_str()))
    }

    /// The handle, if the whole text is a secret.
    pub(super) fn handle(&self, text: &str) -> Option<&str> {
        let mut known = self.0.iter();
        known.find_map(|known| (known.text == text).then_some(known.handle.as_str()))
    }

    /// The text with every secret replaced.
    pub(super) fn hide(&self, text: String) -> String {
        let forms = self.0.iter().flat_map(|known| &known.forms);
        forms.fold(text, |text, form| {
            if text.contains(form.as_str()) {
                text.replace(form.as_str(), MASK)
            } else {
                text
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_in_all_its_usual_forms() {
        let mut mask = Mask::default();
        let text = "pässwörd \"1\"".to_owned();
        mask.add(vec![Revealed {
            handle: "h".into(),
            text: text.clone(),
        }]);
        for form in [
            text.clone(),
            format!("{text:?}"),
            STANDARD_NO_PAD.encode(&text),
            utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string(),
        ] {
            let hidden = mask.hide(format!("before {form} after"));
            assert!(!hidden.contains(&form), "{hidden}");
            assert!(hidden.contains(MASK), "{hidden}");
        }
        assert_eq!(mask.handle(&text), Some("h"));
    }

    #[test]
    fn an_empty_secret_hides_nothing() {
        let mut mask = Mask::default();
        mask.add(vec![Revealed {
            handle: "h".into(),
            text: String::new(),
        }]);
        assert_eq!(mask.hide("plain".into()), "plain");
    }
}
