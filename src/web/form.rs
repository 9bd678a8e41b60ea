//! What a plain form says, turned into the answer that a program would have posted.

use serde_json::{Map, Value};
use url::form_urlencoded;

/// Fields of the page itself, which are not part of the answer.
const OUR_OWN: [&str; 4] = ["csrf", "challenge", "component", "username"];

/// How a field of a prompt is read; its name says so, in front of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// Text, also none.
    Text,
    /// Anything that is written as text; none is none.
    Maybe,
    /// The same, and it is never shown again.
    Secret,
    /// `true` or `false`; the last one counts.
    Flag,
}

impl How {
    const ALL: [(Self, &str); 4] = [
        (Self::Text, "text:"),
        (Self::Maybe, "maybe:"),
        (Self::Secret, "secret:"),
        (Self::Flag, "flag:"),
    ];

    /// The name of the field that is read so.
    pub(super) fn name(self, key: &str) -> String {
        let found = Self::ALL.iter().find(|(how, _)| *how == self);
        format!("{}{key}", found.map_or("", |(_, word)| word))
    }

    fn of(name: &str) -> Option<(Self, &str)> {
        let mut all = Self::ALL.iter();
        all.find_map(|(how, word)| Some((*how, name.strip_prefix(word)?)))
    }
}

/// Reads what was typed into prompts. Fields of the page itself have no such word in front.
fn prompts(
    fields: &[(String, String)],
    answer: &mut Map<String, Value>,
    values: &mut Map<String, Value>,
) {
    for (name, value) in fields {
        let Some((how, key)) = How::of(name) else {
            continue;
        };
        let typed: Value = match how {
            How::Flag => (value == "true").into(),
            How::Maybe | How::Secret if value.is_empty() => continue,
            How::Secret => value.as_str().into(),
            // Browsers end lines in forms as mails do.
            How::Text | How::Maybe => value.replace("\r\n", "\n").into(),
        };
        if how != How::Secret {
            values.insert(key.to_owned(), typed.clone());
        }
        answer.insert(key.to_owned(), typed);
    }
}

/// Takes over what our script, or the page itself, wrote as JSON. What is none stays text, which
/// the stage refuses; of nothing, nothing is said.
fn objects(fields: &[(String, String)], names: &[&str], answer: &mut Map<String, Value>) {
    for (name, value) in fields {
        if names.contains(&name.as_str()) && !value.is_empty() {
            let read = serde_json::from_str(value);
            let read = read.unwrap_or_else(|_| value.as_str().into());
            answer.insert(name.clone(), read);
        }
    }
}

/// A posted form.
#[derive(Debug, Default)]
pub struct Posted {
    /// The challenge that the page showed.
    pub challenge: Option<String>,
    /// The token that proves that the page was ours.
    pub csrf: Option<String>,
    /// The answer, as JSON. May hold secrets.
    pub answer: Value,
    /// What may be shown again when the answer is refused: never a secret.
    pub values: Map<String, Value>,
}

/// Reads a form in the encoding `application/x-www-form-urlencoded`.
#[must_use]
pub fn read(body: &[u8]) -> Posted {
    let fields: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
    let field = |name: &str| {
        let mut found = fields.iter().rev().filter(|(key, _)| key == name);
        found.next().map(|(_, value)| value.clone())
    };
    let component = field("component").filter(|component| !component.is_empty());
    let mut answer = Map::new();
    let mut values = Map::new();
    match component.as_deref() {
        Some("ak-stage-identification") => {
            for name in ["uid_field", "password", "captcha_token"] {
                answer.extend(field(name).map(|value| (name.to_owned(), value.into())));
            }
            objects(&fields, &["passkey"], &mut answer);
            values.extend(field("uid_field").map(|typed| ("uid_field".into(), typed.into())));
        }
        Some("ak-stage-password") => {
            answer.extend(field("password").map(|value| ("password".into(), value.into())));
        }
        Some("ak-stage-user-login") => {
            let yes = field("remember_me").map(|value| (value == "true").into());
            answer.extend(yes.map(|yes: Value| ("remember_me".into(), yes)));
        }
        Some("ak-stage-captcha") => {
            answer.extend(field("token").map(|value| ("token".into(), value.into())));
        }
        Some("ak-stage-authenticator-webauthn") => {
            objects(&fields, &["response"], &mut answer);
        }
        Some("ak-stage-authenticator-validate") => {
            for name in ["code", "selected_stage"] {
                answer.extend(field(name).map(|value| (name.to_owned(), value.into())));
            }
            // A number; what is none stays text, which the stage refuses.
            let number = |value: String| value.parse::<i64>().map_or(value.into(), Value::from);
            answer.extend(field("duo").map(|value| ("duo".to_owned(), number(value))));
            objects(&fields, &["webauthn", "selected_challenge"], &mut answer);
            // Which part of the page is open, and whether choosing it was all.
            values.extend(field("method").map(|class| ("method".to_owned(), class.into())));
            let chooses = field("selected_challenge").is_some() && field("duo").is_none();
            values.insert("chooses".to_owned(), chooses.into());
        }
        Some("ak-stage-authenticator-totp") => {
            answer.extend(field("code").map(|value| ("code".into(), value.into())));
        }
        Some("ak-stage-authenticator-sms" | "ak-stage-authenticator-email") => {
            answer.extend(field("code").map(|value| ("code".into(), value.into())));
            for name in ["phone_number", "email"] {
                let typed = field(name).map(|value| (name.to_owned(), Value::from(value)));
                answer.extend(typed.clone());
                values.extend(typed);
            }
        }
        Some(
            "ak-stage-dummy"
            | "ak-stage-email"
            | "ak-stage-authenticator-static"
            | "ak-stage-authenticator-duo",
        ) => {}
        Some("ak-stage-prompt") => prompts(&fields, &mut answer, &mut values),
        _ => {
            let rest = fields
                .iter()
                .filter(|(name, _)| !OUR_OWN.contains(&name.as_str()));
            answer.extend(rest.map(|(name, value)| (name.clone(), value.as_str().into())));
        }
    }
    answer.extend(component.map(|component| ("component".into(), component.into())));
    Posted {
        challenge: field("challenge").filter(|challenge| !challenge.is_empty()),
        csrf: field("csrf"),
        answer: Value::Object(answer),
        values,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_identification_keeps_what_was_typed_but_not_the_password() {
        let posted = read(
            b"component=ak-stage-identification&challenge=c1&csrf=t&uid_field=al%40x&password=a+b%26",
        );
        assert_eq!(
            posted.answer,
            json!({"component": "ak-stage-identification", "uid_field": "al@x", "password": "a b&"})
        );
        assert_eq!(Value::Object(posted.values), json!({"uid_field": "al@x"}));
        assert_eq!(posted.challenge.as_deref(), Some("c1"));
        assert_eq!(posted.csrf.as_deref(), Some("t"));
    }

    #[test]
    fn the_user_name_for_password_managers_is_no_part_of_the_answer() {
        let posted = read(b"component=ak-stage-password&username=alice&password=%20x%20");
        assert_eq!(
            posted.answer,
            json!({"component": "ak-stage-password", "password": " x "})
        );
        assert!(posted.values.is_empty());
    }

    #[test]
    fn what_a_provider_adds_to_the_form_is_no_part_of_the_answer() {
        let posted = read(b"component=ak-stage-captcha&token=t1&g-recaptcha-response=t2");
        assert_eq!(
            posted.answer,
            json!({"component": "ak-stage-captcha", "token": "t1"})
        );
        assert!(posted.values.is_empty());
    }

    #[test]
    fn what_a_security_key_says_is_an_object_and_what_is_none_stays_text() {
        let posted = read(
            b"component=ak-stage-authenticator-validate&webauthn=%7B%22id%22%3A%22a%22%7D&code=",
        );
        assert_eq!(posted.answer["webauthn"], json!({"id": "a"}));
        let posted = read(b"component=ak-stage-authenticator-webauthn&response=%7B");
        assert_eq!(posted.answer["response"], "{");
        let posted = read(b"component=ak-stage-identification&uid_field=ann&passkey=");
        assert_eq!(
            posted.answer,
            json!({"component": "ak-stage-identification", "uid_field": "ann"})
        );
    }

    #[test]
    fn a_second_factor_is_what_a_program_would_have_sent() {
        let posted = read(
            b"component=ak-stage-authenticator-validate&method=sms&selected_challenge=%7B%22device_class\
              %22%3A%22sms%22%2C%22device_uid%22%3A%227%22%7D",
        );
        assert_eq!(
            posted.answer,
            json!({"component": "ak-stage-authenticator-validate",
                "selected_challenge": {"device_class": "sms", "device_uid": "7"}})
        );
        assert_eq!(posted.values["method"], "sms");
        assert_eq!(posted.values["chooses"], true);
        let posted = read(b"component=ak-stage-authenticator-validate&method=totp&code=123456");
        assert_eq!(posted.answer["code"], "123456");
        assert!(!posted.values.contains_key("code"));
        assert_eq!(posted.values["chooses"], false);
        let posted = read(b"component=ak-stage-authenticator-validate&duo=71");
        assert_eq!(posted.answer["duo"], 71);
        let posted = read(b"component=ak-stage-authenticator-validate&duo=x");
        assert_eq!(posted.answer["duo"], "x");
    }

    #[test]
    fn an_authenticator_is_set_up_with_what_was_typed() {
        let posted = read(b"component=ak-stage-authenticator-sms&phone_number=%2B49+1");
        assert_eq!(
            posted.answer,
            json!({"component": "ak-stage-authenticator-sms", "phone_number": "+49 1"})
        );
        assert_eq!(posted.values["phone_number"], "+49 1");
        let posted = read(b"component=ak-stage-authenticator-totp&code=1&stray=2");
        assert_eq!(
            posted.answer,
            json!({"component": "ak-stage-authenticator-totp", "code": "1"})
        );
        let posted = read(b"component=ak-stage-authenticator-static&stray=2");
        assert_eq!(
            posted.answer,
            json!({"component": "ak-stage-authenticator-static"})
        );
    }

    #[test]
    fn asking_for_another_mail_says_nothing_else() {
        let posted = read(b"component=ak-stage-email&challenge=c1&csrf=t&stray=1");
        assert_eq!(posted.answer, json!({"component": "ak-stage-email"}));
    }

    #[test]
    fn staying_signed_in_is_a_boolean() {
        for (body, answer) in [
            ("remember_me=true", json!(true)),
            ("remember_me=false", json!(false)),
        ] {
            let posted = read(format!("component=ak-stage-user-login&{body}").as_bytes());
            assert_eq!(posted.answer["remember_me"], answer);
        }
    }

    #[test]
    fn prompts_say_how_they_are_read_whatever_they_are_called() {
        let posted = read(
            b"csrf=t&challenge=c1&component=ak-stage-prompt&text%3Ausername=ann&text%3Acsrf=x\
              &text%3Anote=a%0D%0Ab&maybe%3Aage=&maybe%3Achallenge=3&secret%3Apassword=+s3cret\
              &secret%3Aother=&flag%3Aterms=false&flag%3Aterms=true&flag%3Anews=false&stray=1\
              &text%3A%22%3E%3Cb%3E=y&text%3Anick=",
        );
        assert_eq!(posted.csrf.as_deref(), Some("t"));
        assert_eq!(posted.challenge.as_deref(), Some("c1"));
        assert_eq!(
            posted.answer,
            json!({
                "component": "ak-stage-prompt", "username": "ann", "csrf": "x", "note": "a\nb",
                "challenge": "3", "password": " s3cret", "terms": true, "news": false,
                "\"><b>": "y", "nick": "",
            })
        );
        assert!(!posted.values.contains_key("password"));
        assert_eq!(posted.values["username"], "ann");
    }

    #[test]
    fn a_form_without_anything_is_an_empty_answer() {
        assert_eq!(read(b"").answer, json!({}));
    }
}
