//! What each key of `prompt_data` does to a user. Source: authentik `stages/user_write/stage.py`.
//!
//! The keys are gone through by name, as the context is sorted: `attributes` comes before
//! `attributes.x`, and that before `attributes_x`, so the more special one is kept.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use secrecy::SecretString;
use serde_json::Value;

use super::attribute;
use crate::directory::password;
use crate::directory::user::{User, UserType};
use crate::flow::context::Value as Known;
use crate::stage::{Error, Turn};
use crate::world::Weighed;

/// A user who is being written.
pub(super) struct Draft {
    pub(super) user: User,
    /// The keys that had an effect.
    pub(super) fields: Vec<String>,
}

/// What a key did.
enum Did {
    /// Its value is the user's now.
    Set,
    /// Nothing: it is no field of a user, or one that no prompt writes.
    Nothing,
    /// Its value cannot be stored.
    Refused,
}

/// Programs of the server's own are made by nobody but the server.
pub(super) fn allowed(user_type: UserType) -> UserType {
    match user_type {
        UserType::InternalServiceAccount => UserType::ServiceAccount,
        other => other,
    }
}

impl Draft {
    pub(super) fn new(user: User) -> Self {
        Self {
            user,
            fields: Vec::new(),
        }
    }

    /// Takes over what was learnt; the key of what cannot be stored, if any.
    pub(super) async fn fill(
        &mut self,
        data: &BTreeMap<String, Known>,
        turn: &Turn<'_>,
    ) -> Result<Option<String>, Error> {
        for (key, value) in data {
            match self.take(key, value, turn).await? {
                Did::Set => self.fields.push(key.clone()),
                Did::Nothing => {}
                Did::Refused => return Ok(Some(key.clone())),
            }
        }
        Ok(None)
    }

    async fn take(&mut self, key: &str, value: &Known, turn: &Turn<'_>) -> Result<Did, Error> {
        match key {
            "password" => return self.password(value, turn).await,
            "password_from_hash" => return self.password_from_hash(value, turn).await,
            "attributes" => return self.attributes(value, turn).await,
            // Nobody knows what they should hold: a prompt has no objects.
            "roles" | "sources" => {
                return Err(Error::Failed(format!(
                    "prompt_data[{key:?}]: relations of a user cannot be written"
                )));
            }
            _ => {}
        }
        // Only the first is rewritten, so that `attributes_x.attributes_y` stays what it is.
        let path = key
            .strip_prefix("attributes.")
            .or_else(|| key.strip_prefix("attributes_"));
        if let Some(path) = path {
            let kept = attribute::kept(value, turn).await?;
            attribute::put(&mut self.user.attributes, path, kept).map_err(Error::Failed)?;
            return Ok(Did::Set);
        }
        Ok(self.field(key, value))
    }

    /// A plain field. What the server itself looks after is not among them: numbers, identifiers,
    /// rights, and when somebody last logged in.
    fn field(&mut self, key: &str, value: &Known) -> Did {
        let user = &mut self.user;
        let text = match key {
            "username" => &mut user.username,
            "name" => &mut user.name,
            "email" => &mut user.email,
            "path" => &mut user.path,
            "type" => {
                let read = text(value).and_then(|word| word.parse().ok());
                return set(&mut user.user_type, read.map(allowed));
            }
            "is_active" => return set(&mut user.is_active, flag(value)),
            "date_joined" => return set(&mut user.date_joined, moment(value)),
            "password_change_date" => return set(&mut user.password_change_date, moment(value)),
            _ => return Did::Nothing,
        };
        set(text, self::text(value))
    }

    /// A password as it was typed. A field that was left empty changes nothing: nobody could log
    /// in with an empty password.
    async fn password(&mut self, value: &Known, turn: &Turn<'_>) -> Result<Did, Error> {
        let typed = match value {
            Known::Json(Value::String(text)) => SecretString::from(text.clone()),
            Known::Json(Value::Null) => {
                self.user.password = password::unusable_after(&self.user.password);
                self.user.password_change_date = turn.world.now();
                return Ok(Did::Set);
            }
            Known::Secret(handle) => match turn.world.open(*handle).await? {
                Some(secret) => secret,
                None => return Ok(Did::Refused),
            },
            _ => return Ok(Did::Refused),
        };
        if turn.world.is_secret(&typed, &SecretString::from(""))? {
            return Ok(Did::Nothing);
        }
        let encoded = turn.world.hash_password(&typed).await?;
        self.user.set_password(encoded, turn.world.now());
        Ok(Did::Set)
    }

    /// A password that was encoded elsewhere.
    async fn password_from_hash(&mut self, value: &Known, turn: &Turn<'_>) -> Result<Did, Error> {
        let encoded = match value {
            Known::Json(Value::String(text)) => SecretString::from(text.clone()),
            Known::Secret(handle) => match turn.world.open(*handle).await? {
                Some(secret) => secret,
                None => return Ok(Did::Refused),
            },
            _ => return Ok(Did::Refused),
        };
        let look = Box::new(|encoded: &str| Weighed {
            passes: password::is_acceptable(encoded),
            advice: Vec::new(),
        });
        if !turn.world.weigh(&encoded, look).await?.passes {
            return Ok(Did::Refused);
        }
        self.user.set_password(encoded, turn.world.now());
        Ok(Did::Set)
    }

    async fn attributes(&mut self, value: &Known, turn: &Turn<'_>) -> Result<Did, Error> {
        let Some(entries) = value.entries() else {
            return Ok(Did::Refused);
        };
        for (key, value) in &entries {
            let kept = attribute::kept(value, turn).await?;
            self.user.attributes.insert(key.clone(), kept);
        }
        Ok(Did::Set)
    }
}

fn set<T>(field: &mut T, value: Option<T>) -> Did {
    match value {
        Some(value) => {
            *field = value;
            Did::Set
        }
        None => Did::Refused,
    }
}

/// A text, or what a database would make one of.
fn text(value: &Known) -> Option<String> {
    match value {
        Known::Json(Value::String(text)) => Some(text.clone()),
        Known::Json(Value::Number(number)) => Some(number.to_string()),
        Known::Json(Value::Bool(true)) => Some("True".to_owned()),
        Known::Json(Value::Bool(false)) => Some("False".to_owned()),
        _ => None,
    }
}

/// True or false, or what Django takes for it.
fn flag(value: &Known) -> Option<bool> {
    let Known::Json(json) = value else {
        return None;
    };
    let word = match json {
        Value::Bool(flag) => return Some(*flag),
        Value::String(word) => word.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    match word.as_str() {
        "t" | "True" | "1" => Some(true),
        "f" | "False" | "0" => Some(false),
        _ => None,
    }
}

/// A moment; without an offset it is UTC.
fn moment(value: &Known) -> Option<Timestamp> {
    let Known::Json(Value::String(text)) = value else {
        return None;
    };
    text.parse::<Timestamp>().ok().or_else(|| {
        let civil = text.parse::<DateTime>().ok()?;
        let zoned = civil.to_zoned(TimeZone::UTC).ok()?;
        Some(zoned.timestamp())
    })
}
