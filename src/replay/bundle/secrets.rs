//! Takes secrets out of the revisions of objects, by the types that they have.

use serde_json::{Map, Value};

use super::Held;
use crate::catalog::stage::SECRETS;
use crate::catalog::{
    Application, Brand, Flow, FlowStageBinding, Policy, PolicyBinding, Prompt, Source, Stage,
    WebhookMapping,
};
use crate::directory::link::Link;
use crate::directory::mail_attempts::MailAttempts;
use crate::directory::{
    Device, Group, Install, Invitation, Login, MfaAttempts, PasswordHistory, PushAttempts,
    Reputation, Role, Session, Token, User, UserConsent, password,
};
use crate::journal::Kind;
use crate::journal::object::{Stored, sealed};
use crate::replay::Error;

/// Stands for every password that can be typed. The encoding has to be a good one, as stages look
/// at that; nobody has a password for it.
const ENCODED: &str = "pbkdf2_sha256$1$gatelog$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// Blanks out every secret of a revision. A kind that is not known loses all of its texts.
pub(super) fn take_out(held: &mut Held) -> Result<(), Error> {
    macro_rules! by_type {
        ($($Type:ty),+ $(,)?) => {
            match held.kind {
                $(kind if kind == <$Type as Stored>::KIND => blanked::<$Type>(kind, &held.body)?,)+
                _ => blank_all(held.body.take()),
            }
        };
    }
    held.body = by_type![
        Application,
        Brand,
        Flow,
        FlowStageBinding,
        Policy,
        PolicyBinding,
        Prompt,
        Source,
        Stage,
        WebhookMapping,
        UserConsent,
        Device,
        Group,
        Install,
        Invitation,
        Link,
        Login,
        MailAttempts,
        MfaAttempts,
        PasswordHistory,
        PushAttempts,
        Reputation,
        Role,
        Session,
        Token,
        User,
    ];
    Ok(())
}

fn blanked<T: Stored>(kind: Kind, body: &Value) -> Result<Value, Error> {
    let broken =
        |error: serde_json::Error| Error::Broken(format!("a {kind} cannot be read: {error}"));
    let value: T = serde_json::from_value(body.clone()).map_err(broken)?;
    let mut blank = sealed::blanked(|| serde_json::to_value(&value)).map_err(broken)?;
    if kind == User::KIND && body["password"].as_str().is_some_and(password::is_usable) {
        blank["password"] = ENCODED.into();
    }
    if kind == Stage::KIND
        && let Some(Value::Object(settings)) = blank.get_mut("settings")
    {
        settings_of(settings);
    }
    if kind == Invitation::KIND
        && let Some(Value::String(password)) = blank["fixed_data"].get_mut("password")
    {
        *password = sealed::blank(password);
    }
    Ok(blank)
}

/// Blanks out the secrets among the settings of a stage.
pub(super) fn settings_of(settings: &mut Map<String, Value>) {
    for name in SECRETS {
        if let Some(Value::String(secret)) = settings.get_mut(*name) {
            *secret = sealed::blank(secret);
        }
    }
}

fn blank_all(value: Value) -> Value {
    match value {
        Value::String(text) => sealed::blank(&text).into(),
        Value::Array(items) => items.into_iter().map(blank_all).collect(),
        Value::Object(entries) => {
            let entries = entries.into_iter();
            let blank: Map<_, _> = entries.map(|(name, it)| (name, blank_all(it))).collect();
            blank.into()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_that_stands_for_all_is_one_that_can_be_typed() {
        assert!(password::is_usable(ENCODED));
    }
}
