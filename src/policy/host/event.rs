//! Events that a policy asks for, cleared of what nobody may read.
//!
//! Source: authentik `events/utils.py`.

use serde_json::{Map, Value as Json, json};

use super::{Answers, Row, names};
use crate::expression::{Call, Failure, Object, Value};
use crate::flow::event::Event;
use crate::policy::context;

/// Stands where a secret was.
const CLEARED: &str = "********************";
/// Parts of names that sound like secrets.
const SECRETS: [&str; 8] = [
    "API",
    "AUTH",
    "TOKEN",
    "KEY",
    "SECRET",
    "PASS",
    "SIGNATURE",
    "HTTP_COOKIE",
];
/// Names that sound like secrets and are none.
const HARMLESS: [&str; 4] = [
    "passing",
    "password_change_date",
    "auth_method",
    "auth_method_args",
];

impl Answers<'_> {
    /// `ak_create_event(action, **details)`.
    pub(super) async fn create_event(&self, call: &Call) -> Result<Value, Failure> {
        let action = match call.argument(0, "action") {
            Some(Value::Text(action)) => action.clone(),
            _ => return Err(Failure::raise("TypeError", "an action is a text")),
        };
        let mut details = Map::new();
        for (name, value) in call.kwargs.iter().filter(|(name, _)| name != "action") {
            if let Some(value) = self.entry(name, value).await? {
                details.insert(name.clone(), value);
            }
        }
        self.learn(Event::CustomEvent {
            action: format!("custom_{action}"),
            details: Json::Object(details),
            by: self.request.policy.to_owned(),
        });
        Ok(Value::None)
    }

    async fn entry(&self, name: &str, value: &Value) -> Result<Option<Json>, Failure> {
        if sounds_secret(name) {
            return Ok(Some(json!(CLEARED)));
        }
        Box::pin(self.cleared(value)).await
    }

    /// A value as an event holds it; `None` where it is left out.
    async fn cleared(&self, value: &Value) -> Result<Option<Json>, Failure> {
        Ok(Some(match value {
            Value::None => Json::Null,
            Value::Bool(value) => json!(value),
            Value::Int(value) => json!(value),
            Value::Float(value) => json!(value),
            Value::Text(text) => json!(text),
            Value::Bytes(_) | Value::Opaque(_) => json!(value.displayed()),
            Value::Moment(moment) => json!(moment.to_string()),
            Value::Secret(_) => json!(CLEARED),
            Value::List(items) | Value::Tuple(items) | Value::Set(items) => {
                let mut all = Vec::new();
                for item in items.iter().filter(|item| item.truthy()) {
                    all.extend(Box::pin(self.cleared(item)).await?);
                }
                Json::Array(all)
            }
            Value::Dict(entries) => {
                let mut all = Map::new();
                for (key, value) in entries {
                    let key = key.displayed();
                    if let Some(value) = self.entry(&key, value).await? {
                        all.insert(key, value);
                    }
                }
                Json::Object(all)
            }
            Value::Object(object) if object.class == "HttpRequest" => return Ok(None),
            Value::Object(object) => self.model(object).await?,
            Value::Class(name) | Value::Function(name) => {
                json!({ "type": "callable", "name": name, "module": "authentik" })
            }
        }))
    }

    async fn model(&self, object: &Object) -> Result<Json, Failure> {
        let (app, model_name) = names::model(&object.class);
        Ok(match self.row(object).await?.as_deref() {
            Some(Row::User(user)) => json!({
                "username": user.value.username,
                "pk": user.value.pk,
                "email": user.value.email,
            }),
            Some(row) => {
                let name = row.field("name").map(|name| name.displayed());
                let pk = row.id().simple().to_string();
                json!({ "app": app, "model_name": model_name, "pk": pk, "name": name })
            }
            None if object.class == context::ANONYMOUS => {
                json!({ "username": "AnonymousUser", "pk": null, "email": "", "is_anonymous": true })
            }
            None => match object.id.strip_prefix('?') {
                Some(typed) => json!({ "username": typed, "pk": null, "email": typed }),
                None => json!({ "app": app, "model_name": model_name, "pk": null, "name": null }),
            },
        })
    }
}

fn sounds_secret(name: &str) -> bool {
    let upper = name.to_uppercase();
    !HARMLESS.contains(&name) && SECRETS.iter().any(|part| upper.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sounds_like_a_secret_is_cleared() {
        for name in [
            "password",
            "api_key",
            "Authorization",
            "passphrase",
            "my_token",
        ] {
            assert!(sounds_secret(name), "{name}");
        }
        for name in ["passing", "auth_method", "username", "bar"] {
            assert!(!sounds_secret(name), "{name}");
        }
    }
}
