//! The password fields of a user, which only blueprints can write.

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::super::resolve::Need;
use super::Object;
use super::write::{Draft, Errors, Refused};
use crate::clock::Clock;
use crate::directory::{User, password};
use crate::flow::field::{Invalid, Problem};

/// Their names.
pub(super) const FIELDS: &[&str] = &["password", "password_hash"];

/// Finds what is wrong with them, and asks for the encoding of a password.
pub(super) fn check(draft: &Draft<'_>, errors: &mut Errors) -> Result<(), Refused> {
    let typed = draft.data.get("password").filter(|value| !value.is_null());
    let hash = draft
        .data
        .get("password_hash")
        .filter(|value| !value.is_null());
    match (typed, hash) {
        (None, None) => {}
        (Some(_), Some(_)) => {
            let message = "Cannot set both password and password_hash. Use only one.";
            errors.add(Invalid::ALL_FIELDS, message);
        }
        (Some(Value::String(typed)), None) if typed.is_empty() => {
            errors.add("password", Problem::Blank.to_string());
        }
        (Some(Value::String(typed)), None) => {
            if draft.encoded.is_none() {
                return Err(Refused::Need(Need::Password {
                    typed: typed.clone().into(),
                    current: match draft.existing {
                        Some(Object::User(user)) => Some(user.password.clone()),
                        _ => None,
                    },
                }));
            }
        }
        (Some(_), None) => {
            // `0123` is another number in YAML, so only what is certainly a text is taken.
            errors.add("password", "Not a valid string. Put it in quotes.");
        }
        (None, Some(Value::String(hash))) if password::is_acceptable(hash) => {}
        (None, Some(_)) => errors.add(
            "password_hash",
            "Invalid password hash format. Must be a valid Django password hash.",
        ),
    }
    Ok(())
}

/// Stores the password, if one is given that the user does not have already.
pub(super) fn apply(draft: &Draft<'_>, user: &mut User, clock: &Clock) {
    let given: Option<SecretString> = match draft.data.get("password_hash") {
        Some(Value::String(hash)) => Some(hash.clone().into()),
        _ if draft.data.get("password").is_some_and(Value::is_string) => draft.encoded.cloned(),
        _ => None,
    };
    if let Some(encoded) = given
        && encoded.expose_secret() != user.password.expose_secret()
    {
        user.set_password(encoded, clock.now());
    }
}
