//! What an execution has learnt so far: the plan context of authentik, by the same keys.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The names of the entries that the stages of this version read and write.
///
/// Source: authentik `flows/planner.py` and the stages' own modules.
pub mod key {
    /// The application for which somebody goes through the flow.
    pub const APPLICATION: &str = "application";
    /// Who is going through the flow.
    pub const PENDING_USER: &str = "pending_user";
    /// What was typed to identify them, when the match must not be shown.
    pub const PENDING_USER_IDENTIFIER: &str = "pending_user_identifier";
    /// How they proved who they are, such as `password`.
    pub const AUTH_METHOD: &str = "auth_method";
    /// Details of that proof.
    pub const AUTH_METHOD_ARGS: &str = "auth_method_args";
    /// The dotted path of the back end that accepted the password.
    pub const USER_BACKEND: &str = "user_backend";
    /// Where the flow ends, whatever `next` says.
    pub const REDIRECT: &str = "redirect";
    /// Replaces the message of a deny stage.
    pub const DENY_MESSAGE: &str = "deny_message";
    /// Replaces the target of a redirect stage.
    pub const REDIRECT_STAGE_TARGET: &str = "redirect_stage_target";
    /// Set when another flow led here.
    pub const IS_REDIRECTED: &str = "is_redirected";
    /// Set when a mailed link led here.
    pub const IS_RESTORED: &str = "is_restored";
    /// What was typed into prompts.
    pub const PROMPT_DATA: &str = "prompt_data";
    /// Whether the user comes from a source.
    pub const IS_SSO: &str = "is_sso";
    /// What was typed on a page with a captcha, as long as its provider is being asked.
    pub const IDENTIFICATION_HELD: &str = "gatelog/stages/identification/held";
    /// What a captcha's provider said, and which stage asked it.
    pub const CAPTCHA: &str = "captcha";
    /// Replaces the key that a captcha stage shows.
    pub const CAPTCHA_SITE_KEY: &str = "goauthentik.io/stages/captcha/site_key";
    /// Replaces the key that a captcha stage shares with its provider.
    pub const CAPTCHA_PRIVATE_KEY: &str = "goauthentik.io/stages/captcha/private_key";
    /// The static codes that are being set up.
    pub const AUTHENTICATOR_STATIC: &str =
        "goauthentik.io/stages/authenticator_static/static_device";
    /// The generator of codes that is being set up.
    pub const AUTHENTICATOR_TOTP: &str = "goauthentik.io/stages/authenticator_totp/totp_device";
    /// The telephone that is being set up.
    pub const AUTHENTICATOR_SMS: &str = "goauthentik.io/stages/authenticator_sms/sms_device";
    /// The mailbox that is being set up.
    pub const AUTHENTICATOR_EMAIL: &str = "goauthentik.io/stages/authenticator_email/email_device";
    /// The account at Duo that is being set up.
    pub const AUTHENTICATOR_DUO: &str = "goauthentik.io/stages/authenticator_duo/enroll";
    /// What a security key or a passkey has to sign.
    pub const WEBAUTHN_CHALLENGE: &str = "goauthentik.io/stages/authenticator_webauthn/challenge";
    /// How often a security key or a passkey was refused while it was being set up.
    pub const WEBAUTHN_ATTEMPT: &str = "goauthentik.io/stages/authenticator_webauthn/attempt";
    /// The authenticators that the visitor may choose from.
    pub const VALIDATE_CHALLENGES: &str =
        "goauthentik.io/stages/authenticator_validate/device_challenges";
    /// The stage in which somebody sets up a first authenticator, by its identifier.
    pub const VALIDATE_CONFIGURES: &str = "gatelog/stages/authenticator_validate/configures";
    /// The setup stages that a visitor without an authenticator may choose from.
    pub const VALIDATE_STAGES: &str = "goauthentik.io/stages/authenticator_validate/stages";
    /// How far the attempt with Duo has come.
    pub const VALIDATE_DUO: &str = "gatelog/stages/authenticator_validate/duo";
}

/// One entry of the context. Secrets are never among them, only their names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", content = "value", rename_all = "snake_case")]
pub enum Value {
    /// Plain data.
    Json(serde_json::Value),
    /// A user of the directory, by id; what it says is read when it is needed.
    User(Uuid),
    /// Somebody who typed an identifier that nobody has.
    Stranger {
        /// What was typed.
        identifier: String,
    },
    /// A group of the directory, by id.
    Group(Uuid),
    /// Another object, as policies know it: its class and what it is known by.
    Object {
        /// The class: `Flow`.
        class: String,
        /// What it is known by within the class, such as its identifier.
        id: String,
    },
    /// A secret in the execution's vault, by the name that it has there.
    Secret(Uuid),
    /// A list that holds more than plain data.
    List(Vec<Value>),
    /// A mapping that holds more than plain data.
    Map(BTreeMap<String, Value>),
}

impl Value {
    /// Plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Json(serde_json::Value::String(text.into()))
    }

    /// A mapping; plain data where all that it holds is.
    #[must_use]
    pub fn map(entries: BTreeMap<String, Self>) -> Self {
        let plain = |(key, value): (&String, &Self)| match value {
            Self::Json(json) => Some((key.clone(), json.clone())),
            _ => None,
        };
        let json: Option<serde_json::Map<_, _>> = entries.iter().map(plain).collect();
        match json {
            Some(json) => Self::Json(json.into()),
            None => Self::Map(entries),
        }
    }

    /// A list; plain data where all that it holds is.
    #[must_use]
    pub fn list(items: Vec<Self>) -> Self {
        let plain = |value: &Self| match value {
            Self::Json(json) => Some(json.clone()),
            _ => None,
        };
        let json: Option<Vec<_>> = items.iter().map(plain).collect();
        match json {
            Some(json) => Self::Json(json.into()),
            None => Self::List(items),
        }
    }

    fn secrets(&self, found: &mut BTreeSet<Uuid>) {
        match self {
            Self::Secret(handle) => {
                found.insert(*handle);
            }
            Self::List(items) => items.iter().for_each(|item| item.secrets(found)),
            Self::Map(entries) => entries.values().for_each(|value| value.secrets(found)),
            _ => {}
        }
    }

    /// The entries of a mapping, of whichever form; `None` when it is none.
    #[must_use]
    pub fn entries(&self) -> Option<BTreeMap<String, Self>> {
        match self {
            Self::Map(entries) => Some(entries.clone()),
            Self::Json(serde_json::Value::Object(json)) => {
                let entries = json.iter();
                let own = entries.map(|(key, value)| (key.clone(), Self::Json(value.clone())));
                Some(own.collect())
            }
            _ => None,
        }
    }
}

/// Everything that an execution has learnt, by key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Context(BTreeMap<String, Value>);

impl Context {
    /// A context of plain data.
    #[must_use]
    pub fn of_json(entries: serde_json::Map<String, serde_json::Value>) -> Self {
        let entries = entries.into_iter();
        Self(
            entries
                .map(|(key, json)| (key, Value::Json(json)))
                .collect(),
        )
    }

    /// The entry under `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// The entry under `key`, where it is text.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            Some(Value::Json(serde_json::Value::String(text))) => Some(text),
            _ => None,
        }
    }

    /// The user of the directory who is going through the flow.
    #[must_use]
    pub fn pending_user(&self) -> Option<Uuid> {
        match self.get(key::PENDING_USER) {
            Some(Value::User(id)) => Some(*id),
            _ => None,
        }
    }

    /// Puts, replaces or (with `None`) removes an entry.
    pub fn set(&mut self, key: &str, value: Option<Value>) {
        match value {
            Some(value) => self.0.insert(key.to_owned(), value),
            None => self.0.remove(key),
        };
    }

    /// What says how the visitor came here; it stays when the flow begins again and everything
    /// else is forgotten, or a flow for whoever was sent here could never begin again.
    #[must_use]
    pub fn entry(&self) -> Self {
        let kept = [key::IS_REDIRECTED, key::IS_RESTORED];
        let kept = kept.into_iter().filter_map(|key| self.0.get_key_value(key));
        Self(
            kept.map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        )
    }

    /// The secrets in the vault that it names, at whatever depth.
    #[must_use]
    pub fn secrets(&self) -> BTreeSet<Uuid> {
        let mut found = BTreeSet::new();
        self.0.values().for_each(|value| value.secrets(&mut found));
        found
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All entries, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }
}
