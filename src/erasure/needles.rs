//! Whether a person is named somewhere. Only computes.
//!
//! What sets a person apart, such as an address, is found inside of longer texts as well. What may
//! also be an ordinary word, such as a short user name, has to be all of a value, a parameter of a
//! query, or a word of a sentence: a user called `admin` is not named by `/if/admin/`.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::directory::User;
use crate::directory::erasure::Sought;

/// No shorter detail is looked for: everything would be found by accident.
const SHORTEST: usize = 4;

/// So many digits set a telephone apart.
const DIGITS: usize = 7;

/// How often a text may be encoded within another, as an address to come back to is.
const DEEPEST: usize = 4;

/// The members whose values are words of this program or of a browser's, and name nobody.
const WORDS: [&str; 12] = [
    "kind",
    "saw",
    "is",
    "event",
    "lookup",
    "component",
    "class",
    "means",
    "user_agent",
    "host",
    "user_agent_family",
    "came_to",
];

/// Adds what a revision of a user says of who they are.
pub(super) fn of_user(user: &User, sought: &mut Sought) {
    identifier(&user.username, sought);
    identifier(&user.email, sought);
    detail(&user.name, sought);
    for (name, value) in &user.attributes {
        if name == "upn" {
            identifier(value.as_str().unwrap_or_default(), sought);
        }
        of_attribute(value, sought);
    }
}

fn of_attribute(value: &Value, sought: &mut Sought) {
    match value {
        Value::String(text) => detail(text, sought),
        Value::Array(items) => items.iter().for_each(|it| of_attribute(it, sought)),
        Value::Object(entries) => entries.values().for_each(|it| of_attribute(it, sought)),
        _ => {}
    }
}

/// Adds something that a person is known by.
pub(super) fn identifier(text: &str, sought: &mut Sought) {
    add(text, &mut sought.identifiers);
}

/// Adds something that is known of a person. What sets them apart counts as what they are known by.
fn detail(text: &str, sought: &mut Sought) {
    if text.chars().count() < SHORTEST {
        return;
    }
    let text = text.trim().to_lowercase();
    let list = if sets_apart(&text) {
        &mut sought.identifiers
    } else {
        &mut sought.details
    };
    add(&text, list);
}

fn add(text: &str, list: &mut Vec<String>) {
    let text = text.trim().to_lowercase();
    if !text.is_empty() && !list.contains(&text) {
        list.push(text);
    }
}

/// What others are known by as well is no more than a detail of this person.
pub(super) fn share(sought: &mut Sought, others: &BTreeSet<String>) {
    let (shared, own): (Vec<_>, Vec<_>) = std::mem::take(&mut sought.identifiers)
        .into_iter()
        .partition(|it| others.contains(it));
    sought.identifiers = own;
    sought.details.extend(shared);
}

/// Whether a text can mean only one person, or a few: an address, a number of a telephone.
fn sets_apart(text: &str) -> bool {
    let is_number = |it: char| it.is_ascii_digit() || "+-()/. ".contains(it);
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let at = text.find('@');
    at.is_some_and(|at| at > 0 && at + 1 < text.len())
        || (digits >= DIGITS && text.chars().all(is_number))
}

/// Whether the person is named in a value, anywhere: by what they are known by, and `also_details`.
pub(super) fn is_named(sought: &Sought, value: &Value, also_details: bool) -> bool {
    let needles = || {
        let details = sought.details.iter().filter(|_| also_details);
        sought.identifiers.iter().chain(details)
    };
    match value {
        Value::String(text) => {
            let text = text.to_lowercase();
            needles().any(|needle| is_in(needle, &text, 0))
        }
        Value::Array(items) => items.iter().any(|it| is_named(sought, it, also_details)),
        Value::Object(entries) => entries.iter().any(|(name, value)| {
            let is_word = WORDS.contains(&name.as_str()) && value.is_string();
            !is_word && is_named(sought, value, also_details)
        }),
        _ => false,
    }
}

/// Whether a needle is in a text; both are in lower case.
fn is_in(needle: &str, text: &str, depth: usize) -> bool {
    if text.trim() == needle || (sets_apart(needle) && text.contains(needle)) {
        return true;
    }
    let is_sentence = text.contains(char::is_whitespace);
    if is_sentence && has_word(needle, text) {
        return true;
    }
    if depth == DEEPEST {
        return false;
    }
    if text.contains('=') {
        let query = text.split_once('?').map_or(text, |(_, query)| query);
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        if pairs.any(|(_, value)| is_in(needle, &value.to_lowercase(), depth + 1)) {
            return true;
        }
    }
    let decoded = percent_decode_str(text).decode_utf8_lossy().to_lowercase();
    decoded != text && is_in(needle, &decoded, depth + 1)
}

/// Whether a needle stands in a text between characters that no name goes on with.
fn has_word(needle: &str, text: &str) -> bool {
    let mut from = 0;
    while let Some(at) = text[from..].find(needle) {
        let (start, end) = (from + at, from + at + needle.len());
        let before = text[..start].chars().next_back();
        let mut after = text[end..].chars();
        let (next, next_but_one) = (after.next(), after.next());
        let goes_on = |it: char| it.is_alphanumeric() || "@_-/".contains(it);
        let ends = match next {
            Some('.') => !next_but_one.is_some_and(char::is_alphanumeric),
            next => !next.is_some_and(goes_on),
        };
        let begins = !before.is_some_and(|it| goes_on(it) || it == '.');
        if begins && ends {
            return true;
        }
        from = end;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sought(identifiers: &[&str], details: &[&str]) -> Sought {
        let mut sought = Sought::default();
        for it in identifiers {
            identifier(it, &mut sought);
        }
        for it in details {
            detail(it, &mut sought);
        }
        sought
    }

    fn named(needle: &str, value: &Value) -> bool {
        is_named(&sought(&[needle], &[]), value, false)
    }

    #[test]
    fn an_address_is_found_wherever_it_stands_and_however_it_is_encoded() {
        for place in [
            json!({ "body": { "uid_field": "Ann@Example.com" } }),
            json!(["a mail to <ann@example.com> was not sent"]),
            json!({ "query": "next=%2F%3Flogin_hint%3Dann%2540example.com" }),
            json!("https://x.example/?q=ann%40example.com&r=1"),
        ] {
            assert!(named("ann@example.com", &place), "{place}");
        }
        assert!(!named("ann@example.com", &json!("joann at example.com")));
    }

    #[test]
    fn a_name_that_is_also_a_word_is_found_only_where_it_is_a_name() {
        for place in [
            json!({ "value": "Admin" }),
            json!("user admin is blocked"),
            json!("the user was admin."),
            json!("?next=%2F&login_hint=admin"),
        ] {
            assert!(named("admin", &place), "{place}");
        }
        for place in [
            json!("next=%2Fif%2Fadmin%2F"),
            json!("/if/admin/"),
            json!("POST /if/admin/ now"),
            json!("akadmin and admin-2 and admin.x"),
            json!({ "kind": "admin", "user_agent": "admin" }),
        ] {
            assert!(!named("admin", &place), "{place}");
        }
    }

    #[test]
    fn details_count_only_where_they_are_asked_for_unless_they_set_somebody_apart() {
        let sought = sought(&[], &["Ann Smith", "abc", "+49 170 1234567"]);
        assert!(!is_named(&sought, &json!("Ann Smith"), false));
        assert!(is_named(&sought, &json!("Ann Smith"), true));
        assert!(is_named(&sought, &json!("to +49 170 1234567"), false));
        assert!(!is_named(&sought, &json!("abc"), true), "too short");
    }

    #[test]
    fn what_others_are_known_by_too_is_a_detail() {
        let mut sought = sought(&["family@example.com", "ann"], &[]);
        share(
            &mut sought,
            &BTreeSet::from(["family@example.com".to_owned()]),
        );
        assert_eq!(sought.identifiers, ["ann"]);
        assert!(!is_named(&sought, &json!("family@example.com"), false));
        assert!(is_named(&sought, &json!("family@example.com"), true));
    }
}
