//! What a text message says: the usual, or what the operator's mapping makes of it.
//!
//! The expression is handed the code as a secret, so a mask stands in what it gives, and in the
//! trail; the code itself is put there only in what the provider gets.

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value as Json;
use uuid::Uuid;

use super::super::super::{Error, Turn, prompt};
use super::{AuthType, AuthenticatorSms, Provider};
use crate::catalog::WebhookMapping;
use crate::expression::{MASK, Object, Value};
use crate::flow::event::Event;
use crate::journal::object::{self, Versioned};
use crate::policy::Mapping;
use crate::sms;

/// What the visitor reads where the operator's mapping gives nothing to send.
const NO_TEXT: &str = "The text message could not be written. Please tell whoever runs this site.";

/// A code that is sent to a telephone.
pub(super) struct Texted<'a> {
    /// The stage that sends it.
    pub(super) stage: Uuid,
    pub(super) stage_name: &'a str,
    pub(super) device: Uuid,
    pub(super) device_name: &'a str,
    pub(super) number: &'a str,
    pub(super) code: &'a SecretString,
    /// What the code is called in the vault.
    pub(super) handle: Uuid,
}

impl AuthenticatorSms {
    /// The message with this code.
    ///
    /// # Errors
    /// The inner one is for the visitor.
    pub(super) async fn message(
        &self,
        turn: &mut Turn<'_>,
        texted: &Texted<'_>,
    ) -> Result<Result<sms::Message, String>, Error> {
        let code = texted.code.expose_secret();
        let brand = turn.brand().await?.branding_title;
        let mut text = format!("Use this code to authenticate in {brand}: {code}");
        let mut body = None;
        match self.mapped(turn, texted).await? {
            Ok(None) => {}
            Ok(Some(mapped)) => match self.provider {
                Provider::Twilio => match &mapped["message"] {
                    Json::Null => {}
                    Json::String(message) => message.clone_into(&mut text),
                    other => text = other.to_string(),
                },
                Provider::Generic => body = Some(mapped.to_string().into()),
            },
            Err(problem) => return Ok(Err(problem)),
        }
        Ok(Ok(sms::Message {
            provider: match self.provider {
                Provider::Twilio => sms::Provider::Twilio,
                Provider::Generic => sms::Provider::Generic,
            },
            account: self.account_sid.trim().to_owned(),
            auth: self.auth.secret().clone(),
            credentials: match self.auth_type {
                AuthType::Basic => sms::Credentials::Basic {
                    password: self.auth_password.secret().clone(),
                },
                AuthType::Bearer => sms::Credentials::Bearer,
            },
            from: self.from_number.clone(),
            to: texted.number.to_owned(),
            code: texted.code.clone(),
            text: text.into(),
            body,
        }))
    }

    /// What the operator's mapping gives, if there is one.
    async fn mapped(
        &self,
        turn: &mut Turn<'_>,
        texted: &Texted<'_>,
    ) -> Result<Result<Option<Json>, String>, Error> {
        let Some(id) = self.mapping else {
            return Ok(Ok(None));
        };
        let found: Option<Versioned<WebhookMapping>> =
            object::get(turn.world.objects(), id).await?;
        let Some(found) = found else {
            return Ok(Ok(None));
        };
        let WebhookMapping {
            name, expression, ..
        } = &found.value;
        let device = Object::new("SMSDevice", texted.device.to_string())
            .with("name", Value::text(texted.device_name))
            .with("phone_number", Value::text(texted.number));
        let stage = Object::new("AuthenticatorSMSStage", texted.stage.to_string())
            .with("name", Value::text(texted.stage_name))
            .with("provider", Value::text(self.provider.as_str()))
            .with("from_number", Value::text(&self.from_number))
            .with("verify_only", self.verify_only);
        let given = vec![
            ("device".to_owned(), device.into()),
            ("token".to_owned(), Value::Secret(texted.handle.to_string())),
            ("stage".to_owned(), stage.into()),
        ];
        let question = prompt::question(turn, true).await?;
        let mapping = Mapping {
            id,
            name,
            source: expression,
        };
        let value = question.value(&mapping, given).await?;
        for event in question.into_learnt() {
            turn.learn(event);
        }
        let error = match value {
            Ok(value @ Value::Dict(_)) => {
                return Ok(Ok(Some(told(value.to_json(), texted.code))));
            }
            Ok(_) => "it gives no dictionary".to_owned(),
            Err(failed) => failed.traceback.unwrap_or(failed.message),
        };
        let of = format!("the mapping {name}");
        turn.learn(Event::ExpressionFailed { of, error });
        Ok(Err(NO_TEXT.to_owned()))
    }
}

/// The same with the code in place of its mask.
fn told(json: Json, code: &SecretString) -> Json {
    let code_of = |text: String| text.replace(MASK, code.expose_secret());
    match json {
        Json::String(text) => code_of(text).into(),
        Json::Array(items) => items.into_iter().map(|it| told(it, code)).collect(),
        Json::Object(entries) => {
            let entries = entries.into_iter();
            let told = entries.map(|(name, it)| (code_of(name), told(it, code)));
            Json::Object(told.collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_code_stands_where_its_mask_was() {
        let masked = json!({ "a": format!("code {MASK}."), "b": [MASK, 1], "c": { MASK: null } });
        let plain = told(masked, &"123456".into());
        assert_eq!(
            plain,
            json!({ "a": "code 123456.", "b": ["123456", 1], "c": { "123456": null } })
        );
    }
}
