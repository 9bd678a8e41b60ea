//! Words for people: whom a text is for, how often, when, and which.

use std::fmt::Display;

use jiff::Timestamp;

/// Whom a text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Voice {
    /// The operator, who may read everything but secrets.
    Operator,
    /// The help desk, which reads it aloud to somebody whom it does not know: no names, no
    /// addresses, nothing that was typed, no identifiers.
    HelpDesk,
}

impl Voice {
    /// Something for the operator alone.
    pub(super) fn only_operator(self, text: impl FnOnce() -> String) -> String {
        match self {
            Self::Operator => text(),
            Self::HelpDesk => String::new(),
        }
    }

    /// One thing for the operator, another for the help desk.
    pub(super) fn or(self, operator: impl FnOnce() -> String, help_desk: &str) -> String {
        match self {
            Self::Operator => operator(),
            Self::HelpDesk => help_desk.to_owned(),
        }
    }

    /// A moment, to the second; the help desk needs the minute.
    pub(super) fn moment(self, at: Timestamp) -> String {
        let form = match self {
            Self::Operator => "%-d %B %Y at %H:%M:%S UTC",
            Self::HelpDesk => "%-d %B %Y at %H:%M UTC",
        };
        at.strftime(form).to_string()
    }
}

/// The name of something that an operator made.
pub(super) fn named(name: &str) -> String {
    format!("“{name}”")
}

/// How often.
pub(super) fn times(count: u32) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        3..=12 => format!("{} times", number(count)),
        more => format!("{more} times"),
    }
}

/// A number as a word, as far as words are short.
pub(super) fn number(count: u32) -> String {
    const WORDS: [&str; 13] = [
        "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
        "eleven", "twelve",
    ];
    let word = usize::try_from(count).ok().and_then(|it| WORDS.get(it));
    word.map_or_else(|| count.to_string(), |it| (*it).to_owned())
}

/// Several things in a row, with `word` before the last.
pub(super) fn joined<T: Display>(items: &[T], word: &str) -> String {
    match items {
        [] => String::new(),
        [only] => only.to_string(),
        [all @ .., last] => {
            let all: Vec<String> = all.iter().map(ToString::to_string).collect();
            format!("{} {word} {last}", all.join(", "))
        }
    }
}

/// A text from elsewhere as a part of a sentence: on one line, without the full stop at its end.
pub(super) fn within(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.trim_end_matches('.').to_owned()
}

/// A sentence begins with a capital letter, and ends with a full stop.
pub(super) fn sentence(text: &str) -> String {
    let text = text.trim();
    let mut letters = text.chars();
    let Some(first) = letters.next() else {
        return String::new();
    };
    let first: String = first.to_uppercase().collect();
    let rest = letters.as_str();
    let end = if text.ends_with(['.', '?', '!']) {
        ""
    } else {
        "."
    };
    format!("{first}{rest}{end}")
}

/// What a stage of this kind is for, as a clause behind its name.
pub(super) fn purpose(kind: &str) -> &'static str {
    match kind {
        "identification" => ", which asks who somebody is",
        "password" => ", which asks for the password",
        "authenticator_validate" => ", which asks for a second factor",
        "authenticator_duo" => ", which sets up Duo",
        "authenticator_email" => ", which sets up codes by mail",
        "authenticator_sms" => ", which sets up codes by text message",
        "authenticator_static" => ", which sets up codes on paper",
        "authenticator_totp" => ", which sets up an app for codes",
        "authenticator_webauthn" => ", which sets up a security key or passkey",
        "captcha" => ", which asks whether the visitor is a person",
        "consent" => ", which asks for consent",
        "deny" => ", which lets nobody through",
        "dummy" => ", which is there for tests",
        "email" => ", which sends a link by mail and waits for it",
        "invitation" => ", which looks for an invitation",
        "prompt" => ", which shows a form",
        "redirect" => ", which leads elsewhere",
        "user_delete" => ", which deletes the user",
        "user_login" => ", which logs the user in",
        "user_logout" => ", which logs the user out",
        "user_write" => ", which writes the user",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::Kind;

    #[test]
    fn every_kind_of_stage_is_said_to_be_for_something() {
        for kind in Kind::ALL {
            assert_ne!(purpose(kind.name()), "", "{}", kind.name());
        }
    }

    #[test]
    fn what_is_in_a_row_reads_well() {
        assert_eq!(joined::<&str>(&[], "and"), "");
        assert_eq!(joined(&["a"], "and"), "a");
        assert_eq!(joined(&["a", "b"], "and"), "a and b");
        assert_eq!(joined(&["a", "b", "c"], "or"), "a, b or c");
        assert_eq!(times(1), "once");
        assert_eq!(times(5), "five times");
        assert_eq!(times(40), "40 times");
    }

    #[test]
    fn a_sentence_is_one() {
        assert_eq!(sentence("it was. "), "It was.");
        assert_eq!(sentence(" it was"), "It was.");
        assert_eq!(within("a\n b. "), "a b");
    }
}
