//! A program that logs in for somebody by the rules of authentik's headless client, which LDAP and
//! RADIUS use: it knows four kinds of stages, and gives up at the first complaint.

use serde_json::{Value, json};

use super::{Answer, Visitor};

/// How often it answers.
const MOST_ANSWERS: usize = 10;

/// What it logs in with.
#[derive(Clone, Debug)]
pub(crate) struct Headless {
    /// The name.
    pub(crate) username: String,
    /// The password.
    pub(crate) password: String,
    /// The code, where there is one.
    pub(crate) code: Option<String>,
}

impl Headless {
    /// Goes through a flow. The error is why it gave up.
    pub(crate) async fn logs_in(&self, visitor: &mut Visitor, slug: &str) -> Result<(), String> {
        let mut shown = visitor
            .opens_with(slug, "goauthentik.io/outpost/ldap=true")
            .await;
        for _ in 0..MOST_ANSWERS {
            let Some(answer) = self.answer(&shown)? else {
                return Ok(());
            };
            shown = visitor.answers_exactly(&answer, &[]).await;
        }
        // The last answer may have been the one that led to the end.
        match self.answer(&shown)? {
            None => Ok(()),
            Some(_) => Err("exceeded stage recursion depth".to_owned()),
        }
    }

    /// What it answers; `None` when it is done.
    fn answer(&self, shown: &Answer) -> Result<Option<Value>, String> {
        if shown.status != 200 {
            return Err(format!("status {}", shown.status));
        }
        let challenge = shown.json();
        let errors = challenge["response_errors"].as_object();
        if let Some((field, errors)) = errors.and_then(|it| it.iter().next()) {
            return Err(format!("flow error {field}: {}", errors[0]["string"]));
        }
        let component = challenge["component"].as_str().unwrap_or_default();
        let mut answer = match component {
            "xak-flow-redirect" => return Ok(None),
            "ak-stage-access-denied" => {
                let message = challenge["error_message"].as_str();
                return Err(message.unwrap_or_default().to_owned());
            }
            "ak-stage-identification" => {
                json!({ "uid_field": self.username, "password": self.password })
            }
            "ak-stage-password" => json!({ "password": self.password }),
            "ak-stage-authenticator-validate" => self.proof(&challenge)?,
            "ak-stage-user-login" => json!({ "remember_me": true }),
            other => return Err(format!("unsupported challenge type {other}")),
        };
        answer["component"] = component.into();
        Ok(Some(answer))
    }

    /// Duo where there is Duo, else a code together with the device that it is meant for.
    fn proof(&self, challenge: &Value) -> Result<Value, String> {
        let offers = challenge["device_challenges"].as_array();
        let offers = offers.ok_or("no device challenges")?;
        let of = |class: &str| offers.iter().find(|it| it["device_class"] == class);
        if let Some(duo) = of("duo") {
            let uid = duo["device_uid"].as_str().unwrap_or_default();
            let uid: i64 = uid.parse().map_err(|_| "the device has no number")?;
            return Ok(json!({ "selected_challenge": duo, "duo": uid }));
        }
        let offer = of("totp").or_else(|| of("static"));
        match (offer, &self.code) {
            (Some(offer), Some(code)) => Ok(json!({ "selected_challenge": offer, "code": code })),
            _ => Err("no compatible authenticator class found".to_owned()),
        }
    }
}
