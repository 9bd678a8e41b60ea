//! Asks a captcha's provider whether the visitor is a person. Source: authentik `stages/captcha`.
//!
//! The provider is asked by an effect: the visitor's answer waits until it is concluded. The same
//! stage is also asked beside the question of an identification stage, which judges by it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;
use uuid::Uuid;

use super::field::{Field, Shape};
use super::reply::object;
use super::{Error, Response, Stage, Turn, Verdict};
use crate::captcha::Question;
use crate::catalog::Hidden;
use crate::flow::challenge::DEFAULT_AVATAR;
use crate::flow::context::{self, key};
use crate::flow::effect::Outcome;
use crate::flow::event::{Event, errors};
use crate::flow::field::{Invalid, Problem};
use crate::world::Call;

mod verdict;

/// The settings of a captcha stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CaptchaStage)]
pub struct Captcha {
    /// The key that the page shows.
    #[schema(min_length = 1)]
    pub public_key: String,
    /// The key that the provider is asked with.
    #[schema(value_type = String, write_only, min_length = 1)]
    pub private_key: Hidden,
    /// Whether the visitor sees anything of it.
    #[serde(default)]
    pub interactive: bool,
    /// The least score that is good enough; -1 is none.
    #[serde(default = "least")]
    pub score_min_threshold: f64,
    /// The greatest score that is good enough; -1 is none.
    #[serde(default = "most")]
    pub score_max_threshold: f64,
    /// Whether what the provider says decides anything.
    #[serde(default = "yes")]
    pub error_on_invalid_score: bool,
    /// The provider's script.
    #[serde(default = "script")]
    #[schema(min_length = 1)]
    pub js_url: String,
    /// Where the provider is asked.
    #[serde(default = "verify")]
    #[schema(min_length = 1)]
    pub api_url: String,
}

fn least() -> f64 {
    0.5
}

fn most() -> f64 {
    1.0
}

fn yes() -> bool {
    true
}

fn script() -> String {
    "https://www.recaptcha.net/recaptcha/api.js".to_owned()
}

fn verify() -> String {
    "https://www.recaptcha.net/recaptcha/api/siteverify".to_owned()
}

impl Captcha {
    /// Has the provider asked about an answer; `Verdict::Waits` waits for this.
    pub(super) async fn ask(
        &self,
        turn: &mut Turn<'_>,
        response: Option<&SecretString>,
    ) -> Result<Uuid, Error> {
        let secret = match turn.running.context.get(key::CAPTCHA_PRIVATE_KEY) {
            Some(context::Value::Json(Value::String(secret))) => Some(secret.as_str().into()),
            Some(context::Value::Secret(handle)) => turn.world.open(*handle).await?,
            _ => None,
        };
        turn.request(Call::Captcha(Question {
            url: self.api_url.clone(),
            secret: secret.unwrap_or_else(|| self.private_key.secret().clone()),
            response: response.cloned().unwrap_or_default(),
            address: turn.client.address,
        }))
    }

    /// Judges what came of asking, and notes it.
    ///
    /// The inner error is what the visitor reads.
    pub(super) fn assess(
        &self,
        turn: &mut Turn<'_>,
        outcome: &Outcome,
    ) -> Result<Value, &'static str> {
        let (said, judged, codes) = match outcome {
            Outcome::Answered { answer } => {
                (answer.clone(), self.accepts(answer), verdict::codes(answer))
            }
            Outcome::Failed { problem } => {
                (Value::Null, Err(verdict::FAILED), vec![problem.clone()])
            }
            Outcome::Done | Outcome::TimedOut | Outcome::Unknown => {
                (Value::Null, Err(verdict::FAILED), Vec::new())
            }
        };
        let wrong_key = codes
            .iter()
            .find(|code| verdict::WRONG_KEY.contains(&&***code));
        if let (Outcome::Answered { .. }, Some(code)) = (outcome, wrong_key) {
            turn.learn(Event::ConfigurationError {
                what: format!("the captcha of stage {}", turn.stage.name),
                problem: format!("its provider does not take the private key: {code}"),
            });
        }
        turn.learn(Event::CaptchaAssessed {
            passed: judged.is_ok(),
            score: said["score"].as_f64(),
            codes,
        });
        judged.map(|()| said)
    }

    /// The challenge of its own that an identification stage shows beside its question.
    pub(super) fn beside(&self) -> Value {
        json!({
            "component": Self::COMPONENT,
            "pending_user": "",
            "pending_user_avatar": DEFAULT_AVATAR,
            "site_key": self.public_key,
            "js_url": self.js_url,
            "interactive": self.interactive,
        })
    }
}

#[async_trait(?Send)]
impl Stage for Captcha {
    const COMPONENT: &'static str = "ak-stage-captcha";

    const FIELDS: &'static [Field] = &[Field {
        name: "token",
        shape: Shape::RequiredToken,
        secret: true,
    }];

    async fn challenge(&self, turn: &mut Turn<'_>) -> Result<Map<String, Value>, Error> {
        let (user, avatar) = turn.shown_user().await?;
        let site_key = turn.running.context.text(key::CAPTCHA_SITE_KEY);
        let fields = json!({
            "pending_user": user,
            "pending_user_avatar": avatar,
            "site_key": site_key.unwrap_or(&self.public_key),
            "js_url": self.js_url,
            "interactive": self.interactive,
        });
        Ok(object(fields))
    }

    async fn judge(&self, response: Response, turn: &mut Turn<'_>) -> Result<Verdict, Error> {
        let effect = self.ask(turn, response.text("token")).await?;
        Ok(Verdict::Waits(effect))
    }

    async fn conclude(&self, outcome: &Outcome, turn: &mut Turn<'_>) -> Result<Verdict, Error> {
        match self.assess(turn, outcome) {
            Ok(said) => {
                let stage = context::Value::Object {
                    class: "CaptchaStage".to_owned(),
                    id: turn.stage.stage.id.to_string(),
                };
                let known = context::Value::map(BTreeMap::from([
                    ("response".to_owned(), context::Value::Json(said)),
                    ("stage".to_owned(), stage),
                ]));
                turn.set(key::CAPTCHA, Some(known));
                Ok(Verdict::Passed)
            }
            Err(text) => Ok(Verdict::Rejected(errors("token", text, "invalid"))),
        }
    }

    fn problems(&self) -> Vec<Invalid> {
        let mut found = Vec::new();
        for (field, is_blank) in [
            ("public_key", self.public_key.trim().is_empty()),
            (
                "private_key",
                self.private_key.secret().expose_secret().trim().is_empty(),
            ),
            ("js_url", self.js_url.trim().is_empty()),
            ("api_url", self.api_url.trim().is_empty()),
        ] {
            if is_blank {
                found.push(Invalid::new(field, Problem::Blank));
            }
        }
        let is_address =
            |text: &str| Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        let is_path = |text: &str| text.starts_with('/') && !text.starts_with("//");
        let mut wrong = |field: &'static str, text: &str, fits: bool| {
            if !fits && !text.trim().is_empty() {
                found.push(Invalid::new(field, Problem::Other("Enter a valid URL.")));
            }
        };
        wrong("api_url", &self.api_url, is_address(&self.api_url));
        let script = is_address(&self.js_url) || is_path(&self.js_url);
        wrong("js_url", &self.js_url, script);
        found
    }
}
