//! Enrols a user at Duo. Source: authentik `stages/authenticator_duo`.
//!
//! Duo is asked by effects: the stage waits for the code before it asks anything, and the answer
//! waits for what Duo says of the device. The code is a secret: it lies in the vault, and the trail
//! says nothing of it.

use async_trait::async_trait;
use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Owner, enrol, with_user};
use crate::catalog::{self, Hidden, settings};
use crate::directory::device::{Authenticator, Device, devices_by_duo_user};
use crate::duo::{self, Account};
use crate::flow::context::{self, key};
use crate::flow::effect::Outcome;
use crate::flow::event::{Event, NON_FIELD_ERRORS, errors};
use crate::flow::field::{Invalid, Problem};
use crate::stage::duration::after;
use crate::stage::{Entered, Error, Response, Stage, Turn, Verdict};
use crate::world::Call;

/// The settings of a stage that enrols users at Duo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = AuthenticatorDuoStage)]
pub struct AuthenticatorDuo {
    /// The flow in which people set one up for themselves.
    #[serde(default)]
    pub configure_flow: Option<Uuid>,
    /// What people read instead of the kind's name.
    #[serde(default)]
    pub friendly_name: String,
    /// The integration key of the Auth API.
    #[schema(min_length = 1)]
    pub client_id: String,
    /// The secret key of the Auth API.
    #[schema(value_type = String, write_only, min_length = 1)]
    pub client_secret: Hidden,
    /// The host of the account's API.
    #[schema(min_length = 1)]
    pub api_hostname: String,
    /// The integration key of the Admin API, with which users are imported.
    #[serde(default)]
    pub admin_integration_key: String,
    /// The secret key of the Admin API.
    #[serde(default)]
    #[schema(value_type = String, write_only)]
    pub admin_secret_key: Hidden,
}

/// What becomes of an enrolment, in the form that the context keeps: the codes are in the vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolling {
    /// What Duo calls the user.
    pub user_id: String,
    /// The name in the vault of what the device is enrolled with.
    pub codes: Uuid,
}

/// What a device is enrolled with, in the form that the vault keeps. Serialising it puts the code
/// into the result: only the vault may.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Codes {
    /// The address of a picture with the code.
    pub activation_barcode: String,
    /// The code.
    pub activation_code: String,
}

impl Codes {
    /// Those of a user whom Duo has enrolled.
    #[must_use]
    pub fn new(enrolment: &duo::Enrolment) -> Self {
        let text = |secret: &SecretString| secret.expose_secret().to_owned();
        Self {
            activation_barcode: text(&enrolment.activation_barcode),
            activation_code: text(&enrolment.activation_code),
        }
    }

    /// Reads what the vault keeps.
    #[must_use]
    pub fn read(kept: &SecretString) -> Option<Self> {
        serde_json::from_str(kept.expose_secret()).ok()
    }
}

/// What Duo may take to enrol a user.
const ENROLS_WITHIN: SignedDuration = SignedDuration::from_mins(2);

/// What Duo may take to say whether a user has enrolled a device.
const SAYS_WITHIN: SignedDuration = SignedDuration::from_mins(1);

/// The name that a device has at first.
const NAME: &str = "Duo Authenticator";

/// Where nobody is known whom Duo could enrol.
const NOBODY: &str = "Unknown error";

/// Where Duo does not want to enrol somebody.
const REFUSED: &str =
    "Duo does not let you set up a device at the moment. Please contact an administrator.";

/// Where Duo did not answer.
const UNREACHABLE: &str = "Duo cannot be reached at the moment. Please try again later.";

/// What is noted of a device whose account is not known any more.
pub const STAGE_IS_GONE: &str = "the stage by which the device was enrolled is gone";

/// What Duo says where it refuses; `None` where it does not.
pub(super) fn refusal(answer: &Value) -> Option<(Option<u64>, &str)> {
    let refused = answer.get("refused")?.as_str()?;
    Some((answer["code"].as_u64(), refused))
}

impl AuthenticatorDuo {
    /// The settings of a stage of this kind; nothing of another.
    #[must_use]
    pub fn of(stage: &catalog::Stage) -> Option<Self> {
        let is_one = stage.kind == "authenticator_duo";
        is_one.then(|| settings::read(&stage.settings).ok())?
    }

    /// The account with which users are enrolled and asked.
    #[must_use]
    pub fn account(&self) -> Account {
        Account {
            host: self.api_hostname.clone(),
            key: self.client_id.clone(),
            secret: self.client_secret.secret().clone(),
        }
    }

    /// The account with which users are listed, where there is one.
    #[must_use]
    pub fn admin_account(&self) -> Option<Account> {
        let is_complete =
            !self.admin_integration_key.trim().is_empty() && !self.admin_secret_key.is_empty();
        is_complete.then(|| Account {
            host: self.api_hostname.clone(),
            key: self.admin_integration_key.clone(),
            secret: self.admin_secret_key.secret().clone(),
        })
    }

    fn enrolled(turn: &mut Turn<'_>, outcome: &Outcome) -> Verdict {
        let answer = match outcome {
            Outcome::Answered { answer } => answer,
            Outcome::Failed { problem } => {
                turn.refuse(format!("Duo enrolled nobody: {problem}"));
                return Verdict::Denied(UNREACHABLE.to_owned());
            }
            Outcome::Done | Outcome::TimedOut | Outcome::Unknown => {
                turn.refuse("whether Duo enrolled the user is not known");
                return Verdict::Denied(UNREACHABLE.to_owned());
            }
        };
        if let Some((_, problem)) = refusal(answer) {
            turn.learn(Event::ConfigurationError {
                what: format!("Failed to enroll user by stage {}", turn.stage.name),
                problem: problem.to_owned(),
            });
            return Verdict::Denied(REFUSED.to_owned());
        }
        let codes = answer["codes"].as_str().and_then(|it| it.parse().ok());
        let (Some(user_id), Some(codes)) = (answer["user_id"].as_str(), codes) else {
            turn.refuse("what Duo enrolled makes no sense");
            return Verdict::Denied(UNREACHABLE.to_owned());
        };
        let entries = [
            ("user_id".to_owned(), context::Value::text(user_id)),
            ("codes".to_owned(), context::Value::Secret(codes)),
        ];
        let enrolling = context::Value::map(entries.into());
        turn.set(key::AUTHENTICATOR_DUO, Some(enrolling));
        Verdict::Asks
    }

    async fn confirmed(
        &self,
        turn: &mut Turn<'_>,
        enrolling: Enrolling,
        outcome: &Outcome,
    ) -> Result<Verdict, Error> {
        let again = || {
            Ok(Verdict::Rejected(errors(
                NON_FIELD_ERRORS,
                UNREACHABLE,
                "unreachable",
            )))
        };
        let Outcome::Answered { answer } = outcome else {
            return again();
        };
        if let Some((_, problem)) = refusal(answer) {
            turn.learn(Event::ConfigurationError {
                what: format!("Failed to look for a device by stage {}", turn.stage.name),
                problem: problem.to_owned(),
            });
            return Ok(Verdict::Denied(REFUSED.to_owned()));
        }
        let status = match answer.as_str() {
            None => return again(),
            Some("waiting") => return Ok(Verdict::Asks),
            Some(status) => status,
        };
        turn.set(key::AUTHENTICATOR_DUO, None);
        if status != "success" {
            return Ok(Verdict::Denied(format!(
                "Invalid enrollment status: {status}."
            )));
        }
        let owner = Owner::of(turn).await?;
        let Some(user) = owner.id() else {
            return Ok(Verdict::Denied(NOBODY.to_owned()));
        };
        let known = devices_by_duo_user(turn.world.objects(), &enrolling.user_id).await?;
        if !known.is_empty() {
            let text = "Device with Credential ID already exists.";
            return Ok(Verdict::Denied(text.to_owned()));
        }
        let of = Authenticator::Duo {
            stage: turn.stage.stage.id,
            duo_user_id: enrolling.user_id,
        };
        let (id, now) = (turn.world.draw()?, turn.world.now());
        enrol(turn, Device::new(id, user, NAME, of, now)).await
    }
}

impl Enrolling {
    /// The enrolment that is under way, if one is.
    #[must_use]
    pub fn of(context: &context::Context) -> Option<Self> {
        let entries = context.get(key::AUTHENTICATOR_DUO)?.entries()?;
        let user_id = match entries.get("user_id")? {
            context::Value::Json(Value::String(user_id)) => user_id.clone(),
            _ => return None,
        };
        match entries.get("codes")? {
            context::Value::Secret(codes) => Some(Self {
                user_id,
                codes: *codes,
            }),
            _ => None,
        }
    }

    /// The codes; in a replay they say nothing.
    async fn codes(&self, turn: &Turn<'_>) -> Result<Codes, Error> {
        let kept = turn.world.open(self.codes).await?;
        Ok(kept.as_ref().and_then(Codes::read).unwrap_or_default())
    }
}

#[async_trait(?Send)]
impl Stage for AuthenticatorDuo {
    const COMPONENT: &'static str = "ak-stage-authenticator-duo";

    async fn enter(&self, turn: &mut Turn<'_>) -> Result<Entered, Error> {
        let owner = Owner::of(turn).await?;
        let Some(user) = owner.user() else {
            return Ok(Entered::Denied(NOBODY.to_owned()));
        };
        if Enrolling::of(&turn.running.context).is_some() {
            return Ok(Entered::Asks);
        }
        let call = Call::DuoEnrolment {
            stage: turn.stage.stage.id,
            account: self.account(),
            username: user.value.username.clone(),
        };
        let due = after(turn.world.now(), ENROLS_WITHIN);
        Ok(Entered::Waits(turn.request_until(call, due)?))
    }

    async fn challenge(&self, turn: &mut Turn<'_>) -> Result<Map<String, Value>, Error> {
        let mut fields = with_user(turn).await?;
        let codes = match Enrolling::of(&turn.running.context) {
            Some(enrolling) => enrolling.codes(turn).await?,
            None => Codes::default(),
        };
        // The address of the picture holds the code.
        turn.show("activation_barcode", codes.activation_barcode.into());
        turn.show("activation_code", codes.activation_code.into());
        fields.insert("stage_uuid".to_owned(), json!(turn.stage.stage.id));
        Ok(fields)
    }

    async fn judge(&self, _: Response, turn: &mut Turn<'_>) -> Result<Verdict, Error> {
        let Some(enrolling) = Enrolling::of(&turn.running.context) else {
            return Ok(Verdict::Denied(UNREACHABLE.to_owned()));
        };
        let codes = enrolling.codes(turn).await?;
        let call = Call::DuoEnrolmentStatus {
            stage: turn.stage.stage.id,
            account: self.account(),
            user_id: enrolling.user_id,
            activation_code: codes.activation_code.into(),
        };
        let due = after(turn.world.now(), SAYS_WITHIN);
        Ok(Verdict::Waits(turn.request_until(call, due)?))
    }

    async fn conclude(&self, outcome: &Outcome, turn: &mut Turn<'_>) -> Result<Verdict, Error> {
        match Enrolling::of(&turn.running.context) {
            Some(enrolling) => self.confirmed(turn, enrolling, outcome).await,
            None => Ok(Self::enrolled(turn, outcome)),
        }
    }

    fn problems(&self) -> Vec<Invalid> {
        let mut found = Vec::new();
        let secret = self.client_secret.secret().expose_secret();
        for (field, text) in [
            ("api_hostname", self.api_hostname.as_str()),
            ("client_id", self.client_id.as_str()),
            ("client_secret", secret),
        ] {
            if text.trim().is_empty() {
                found.push(Invalid::new(field, Problem::Blank));
            }
        }
        let host = &self.api_hostname;
        if !host.trim().is_empty() && !duo::is_host(host) {
            let problem = "The host is a name such as api-12345678.duosecurity.com, without a \
                           scheme and a path.";
            found.push(Invalid::new("api_hostname", Problem::Other(problem)));
        }
        found
    }
}

#[cfg(test)]
mod tests;
