//! Cuts a query into words, texts, numbers and signs.

use super::SyntaxError;

/// One piece of a query.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name with its dots, or a word of the language.
    Word(String),
    Text(String),
    Number(f64),
    /// An operator, a parenthesis or a comma.
    Sign(&'static str),
}

/// Signs; the longer ones first.
const SIGNS: &[&str] = &["!=", ">=", "<=", "!~", "=", ">", "<", "~", "(", ")", ","];

/// The pieces of a query, each with the byte at which it begins.
pub(super) fn tokens(query: &str) -> Result<Vec<(usize, Token)>, SyntaxError> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = query[at..].chars().next() {
        let rest = &query[at..];
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let wrong = |problem: &str| error(query, at, problem.to_owned());
        let (token, length) = if let Some(sign) = SIGNS.iter().find(|it| rest.starts_with(**it)) {
            (Token::Sign(sign), sign.len())
        } else if first == '"' {
            let length = text_length(rest).ok_or_else(|| wrong("this text has no end"))?;
            // The escapes are those of JSON.
            let text = serde_json::from_str(&rest[..length])
                .map_err(|_| wrong("this text has an escape or a character that it may not"))?;
            (Token::Text(text), length)
        } else if first == '-' || first.is_ascii_digit() {
            let length = length_while(rest, |it| it.is_ascii_alphanumeric() || "+-.".contains(it));
            let number: serde_json::Number =
                serde_json::from_str(&rest[..length]).map_err(|_| wrong("this is no number"))?;
            let number = number.as_f64().ok_or_else(|| wrong("this is no number"))?;
            (Token::Number(number), length)
        } else if first.is_ascii_alphabetic() || first == '_' {
            let length = length_while(rest, |it| it.is_ascii_alphanumeric() || "_.".contains(it));
            let name = &rest[..length];
            let starts_well = |part: &str| {
                let first = part.chars().next();
                first.is_some_and(|it| it.is_ascii_alphabetic() || it == '_')
            };
            if !name.split('.').all(starts_well) {
                return Err(wrong("this is no name"));
            }
            (Token::Word(name.to_owned()), length)
        } else {
            return Err(wrong(&format!("{first:?} has no meaning here")));
        };
        found.push((at, token));
        at += length;
    }
    Ok(found)
}

fn length_while(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|it| !belongs(it)).unwrap_or(text.len())
}

/// How many bytes the text in quotes has with which this begins; `None` without closing quotes.
fn text_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, it) in text.char_indices().skip(1) {
        match it {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// What is wrong at this byte of the query.
pub(super) fn error(query: &str, at: usize, problem: String) -> SyntaxError {
    let before = &query[..at];
    let line = before.rsplit('\n').next().unwrap_or_default();
    SyntaxError {
        line: before.matches('\n').count() + 1,
        column: line.chars().count() + 1,
        problem,
    }
}
