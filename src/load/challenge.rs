//! What a visitor does with a challenge. Reads no more of it than that takes: whoever makes load
//! must not cost more than who bears it.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::failure::Failure;
use super::people::Person;
use super::profile::Profile;

/// How many wrong passwords somebody types before they give up.
const GUESSES: u32 = 3;

/// Who answers.
pub(super) struct Mind<'a> {
    pub(super) profile: Profile,
    pub(super) person: Person<'a>,
    /// A name that nobody has yet, for a new account.
    pub(super) fresh: String,
    /// How often they were refused.
    pub(super) refusals: u32,
}

/// What comes next.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    /// This answer, which is a step of this name.
    Answer(&'static str, Value),
    /// Nothing: it ended as it should.
    Done,
    /// Nothing: it did not.
    Failed(Failure),
}

/// What every challenge has.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    component: Cow<'a, str>,
    #[serde(default)]
    response_errors: Option<Map<String, Value>>,
    /// Of an identification: whether it asks for the password as well.
    #[serde(default)]
    password_fields: bool,
}

/// Of a prompt: what is asked for.
#[derive(Deserialize)]
struct Prompt<'a> {
    #[serde(borrow)]
    fields: Vec<Field<'a>>,
}

#[derive(Deserialize)]
struct Field<'a> {
    #[serde(borrow, rename = "field_key")]
    key: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(default)]
    initial_value: Value,
    #[serde(default)]
    choices: Option<Vec<Value>>,
}

/// Of a consent: what goes back.
#[derive(Deserialize)]
struct Consent<'a> {
    #[serde(borrow)]
    token: Cow<'a, str>,
}

/// Whether it is a challenge at all.
pub(super) fn is_challenge(body: &[u8]) -> bool {
    serde_json::from_slice::<Head<'_>>(body).is_ok()
}

impl Mind<'_> {
    /// Looks at a challenge.
    pub(super) fn look(&mut self, body: &[u8]) -> Next {
        let Ok(head) = serde_json::from_slice::<Head<'_>>(body) else {
            return Next::Failed(Failure::Malformed);
        };
        let is_guess = self.profile == Profile::WrongPasswords;
        if head
            .response_errors
            .is_some_and(|errors| !errors.is_empty())
        {
            self.refusals += 1;
            if !is_guess {
                return Next::Failed(Failure::Refused);
            }
            if self.refusals == GUESSES {
                return Next::Done;
            }
        }
        let answer = match &*head.component {
            "ak-stage-identification" => Ok(self.identifies(head.password_fields)),
            "ak-stage-password" => Ok(json!({ "password": self.types() })),
            "ak-stage-user-login" => Ok(json!({ "remember_me": false })),
            "ak-stage-prompt" => self.fills(body),
            "ak-stage-consent" => consent(body),
            "ak-stage-dummy" => Ok(json!({})),
            "ak-stage-email" if self.profile == Profile::Waits => return Next::Done,
            "xak-flow-redirect" if is_guess => Err(Failure::LetIn),
            "xak-flow-redirect" | "ak-stage-session-end" => return Next::Done,
            "ak-stage-access-denied" if is_guess => return Next::Done,
            "ak-stage-access-denied" => Err(Failure::Denied),
            other => Err(Failure::Unexpected(other.to_owned())),
        };
        match answer {
            Ok(mut answer) => {
                answer["component"] = json!(head.component);
                Next::Answer(step(&head.component), answer)
            }
            Err(failure) => Next::Failed(failure),
        }
    }

    fn identifies(&self, with_password: bool) -> Value {
        let mut answer = json!({ "uid_field": self.person.name });
        if with_password {
            answer["password"] = json!(self.types());
        }
        answer
    }

    /// The password; or one that is wrong, another one each time.
    fn types(&self) -> Cow<'_, str> {
        if self.profile == Profile::WrongPasswords {
            // Nobody whose password is known to this program has one with this in front.
            format!("no {} {}", self.refusals, self.person.password).into()
        } else {
            self.person.password.into()
        }
    }

    fn fills(&self, body: &[u8]) -> Result<Value, Failure> {
        let prompt: Prompt<'_> = serde_json::from_slice(body).map_err(|_| Failure::Malformed)?;
        let mut answer = Map::new();
        for field in prompt.fields {
            let value = match &*field.kind {
                "separator" => continue,
                "username" => json!(self.fresh),
                "email" => json!(format!("{}@example.org", self.fresh)),
                // Nobody guesses it, and it is new.
                "password" => json!(format!("{} correct horse", self.fresh)),
                "checkbox" => json!(true),
                "number" => json!(1),
                "date" => json!("2000-01-31"),
                "date-time" => json!("2000-01-31T12:00:00Z"),
                "radio-button-group" | "dropdown" => {
                    let first = field.choices.and_then(|choices| choices.into_iter().next());
                    first.map_or(field.initial_value, chosen)
                }
                "text" | "text_area" => json!("Somebody"),
                _ => field.initial_value,
            };
            answer.insert(field.key.into_owned(), value);
        }
        Ok(Value::Object(answer))
    }
}

/// What is sent for a choice, which is a value or one with a label.
fn chosen(choice: Value) -> Value {
    match choice {
        Value::Object(mut choice) => choice.remove("value").unwrap_or_default(),
        plain => plain,
    }
}

fn consent(body: &[u8]) -> Result<Value, Failure> {
    let consent: Consent<'_> = serde_json::from_slice(body).map_err(|_| Failure::Malformed)?;
    Ok(json!({ "token": consent.token }))
}

/// What answering it is called.
fn step(component: &str) -> &'static str {
    match component {
        "ak-stage-identification" => "identification",
        "ak-stage-password" => "password",
        "ak-stage-user-login" => "user_login",
        "ak-stage-prompt" => "prompt",
        "ak-stage-consent" => "consent",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mind(profile: Profile) -> Mind<'static> {
        Mind {
            profile,
            person: Person {
                name: "ann".to_owned(),
                password: "secret",
            },
            fresh: "new-1".to_owned(),
            refusals: 0,
        }
    }

    fn shown(profile: Profile, challenge: &Value) -> Next {
        mind(profile).look(challenge.to_string().as_bytes())
    }

    #[test]
    fn a_name_is_typed_with_the_password_where_both_are_asked_for() {
        let mut challenge = json!({ "component": "ak-stage-identification" });
        let Next::Answer("identification", answer) = shown(Profile::Login, &challenge) else {
            panic!("an answer");
        };
        let component = "ak-stage-identification";
        assert_eq!(
            answer,
            json!({ "uid_field": "ann", "component": component })
        );
        challenge["password_fields"] = json!(true);
        let Next::Answer(_, answer) = shown(Profile::Login, &challenge) else {
            panic!("an answer");
        };
        assert_eq!(answer["password"], "secret");
    }

    #[test]
    fn a_refusal_ends_a_login_and_is_what_a_guesser_expects() {
        let again = json!({
            "component": "ak-stage-password",
            "response_errors": { "password": [{ "string": "no", "code": "invalid" }] },
        });
        assert_eq!(
            shown(Profile::Login, &again),
            Next::Failed(Failure::Refused)
        );
        let text = again.to_string();
        let mut guesser = mind(Profile::WrongPasswords);
        let mut typed = Vec::new();
        while let Next::Answer(_, answer) = guesser.look(text.as_bytes()) {
            typed.push(answer["password"].clone());
        }
        assert_eq!(guesser.refusals, GUESSES);
        assert_eq!(typed.len(), 2);
        assert!(typed[0] != typed[1] && typed.iter().all(|it| it != "secret"));
        let inside = json!({ "component": "xak-flow-redirect", "to": "/" });
        let next = shown(Profile::WrongPasswords, &inside);
        assert_eq!(next, Next::Failed(Failure::LetIn));
    }

    #[test]
    fn every_field_of_a_prompt_is_filled_in() {
        let field = |key: &str, kind: &str| json!({ "field_key": key, "type": kind });
        let mut choice = field("colour", "dropdown");
        choice["choices"] = json!([{ "value": "red", "label": "Red" }, "blue"]);
        let challenge = json!({
            "component": "ak-stage-prompt",
            "fields": [
                field("username", "username"),
                field("email", "email"),
                field("password", "password"),
                field("password_repeat", "password"),
                field("line", "separator"),
                choice,
            ],
        });
        let Next::Answer("prompt", answer) = shown(Profile::Enrolment, &challenge) else {
            panic!("an answer");
        };
        assert_eq!(answer["username"], "new-1");
        assert_eq!(answer["email"], "new-1@example.org");
        assert_eq!(answer["password"], answer["password_repeat"]);
        assert_eq!(answer["colour"], "red");
        assert!(answer.get("line").is_none());
    }

    #[test]
    fn what_a_program_cannot_answer_is_told_by_its_name() {
        let challenge = json!({ "component": "ak-stage-captcha" });
        let Next::Failed(failure) = shown(Profile::Login, &challenge) else {
            panic!("a failure");
        };
        assert_eq!(failure.name(), "unexpected_ak-stage-captcha");
        assert_eq!(
            mind(Profile::Login).look(b"{}"),
            Next::Failed(Failure::Malformed)
        );
        let mail = json!({ "component": "ak-stage-email" });
        assert_eq!(shown(Profile::Waits, &mail), Next::Done);
        assert!(matches!(shown(Profile::Login, &mail), Next::Failed(_)));
    }
}
