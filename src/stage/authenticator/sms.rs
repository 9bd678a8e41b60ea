//! Sets a telephone up: a code is sent there, and has to come back. Source: authentik
//! `stages/authenticator_sms`.
//!
//! The number is asked for unless a prompt did so before. Whatever the provider says is waited for,
//! so that whoever typed a number reads that it cannot be reached.

use async_trait::async_trait;
use jiff::SignedDuration;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;
use uuid::Uuid;

use super::super::duration::after;
use super::super::field::{Field, Shape};
use super::super::{Entered, Error, Kind, Response, Stage, Turn, Verdict, stage_of};
use super::pending::{Pending, code_to_send, forget_prompted, prompted};
use super::sending::{Allowance, Purpose, TOO_MANY};
use super::{Owner, enrol, with_user};
use crate::catalog::Hidden;
use crate::directory::device::{self, Authenticator, Code, Device, DeviceClass};
use crate::directory::user::User;
use crate::flow::effect::Outcome;
use crate::flow::event::{Errors, NON_FIELD_ERRORS, errors};
use crate::flow::field::{Invalid, Problem};
use crate::flow::model::words;
use crate::sms;
use crate::world::Call;

mod number;
mod outcome;
mod text;

use number::{hashed, normalised, place};
use text::Texted;

pub(super) use number::is_hashed;
pub(super) use outcome::sent;

words! {
    /// Who sends the messages.
    Provider as ProviderEnum {
        /// Twilio.
        Twilio = "twilio",
        /// Anything that takes JSON.
        Generic = "generic",
    }
}

words! {
    /// How a generic provider knows who asks.
    AuthType as AuthTypeEnum {
        /// By a name and a password.
        Basic = "basic",
        /// By a token.
        Bearer = "bearer",
    }
}

/// Settings of a stage that sets telephones up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = AuthenticatorSMSStage)]
pub struct AuthenticatorSms {
    /// The flow in which people set one up.
    #[serde(default)]
    pub configure_flow: Option<Uuid>,
    /// What people read instead of the kind's name.
    #[serde(default)]
    pub friendly_name: String,
    /// Who sends the messages.
    pub provider: Provider,
    /// From which number.
    #[schema(min_length = 1)]
    pub from_number: String,
    /// The account at Twilio, or the address that a generic provider is posted to.
    #[schema(min_length = 1)]
    pub account_sid: String,
    /// Twilio's token, or the name or the token for a generic provider.
    #[schema(value_type = String, write_only, min_length = 1)]
    pub auth: Hidden,
    /// The password for a generic provider.
    #[serde(default)]
    #[schema(value_type = String, write_only)]
    pub auth_password: Hidden,
    /// How a generic provider knows who asks.
    #[serde(default = "basic")]
    pub auth_type: AuthType,
    /// Whether the number is only verified, and only its hash is kept: such a device cannot be
    /// logged in with.
    #[serde(default)]
    pub verify_only: bool,
    /// What is sent in place of the usual.
    #[serde(default)]
    pub mapping: Option<Uuid>,
}

fn basic() -> AuthType {
    AuthType::Basic
}

/// The entry of the context with the telephone as far as it goes. Source: authentik
/// `stages/authenticator_sms/stage.py`.
const KEY: &str = "goauthentik.io/stages/authenticator_sms/sms_device";

/// The prompt that may have asked for the number before.
const PHONE: &str = "phone";

/// How long a code is good. Source: authentik `stages/authenticator/models.py`.
const GOOD: SignedDuration = SignedDuration::from_mins(5);

/// How long the provider is waited for: somewhat longer than it is asked.
const WAIT: SignedDuration = SignedDuration::from_secs(40);

const INVALID_NUMBER: &str = "Invalid phone number";

/// The message of a refusal of whom there is nobody to know.
const REFUSAL: &str = "Unknown error";

/// Sends a code to a telephone that somebody logs in with, and puts it into the device, which is
/// not written here. The effect tells what came of it, see [`sent`].
///
/// # Errors
/// The inner one is for the visitor.
pub(super) async fn send_code(
    turn: &mut Turn<'_>,
    user: &User,
    device: &mut Device,
) -> Result<Result<Uuid, String>, Error> {
    let name = device.name.clone();
    let id = device.uuid;
    let Authenticator::Sms {
        stage,
        phone_number,
        code,
    } = &mut device.of
    else {
        return Err(Error::Failed(format!("device {id} is no telephone")));
    };
    let found = stage_of::<AuthenticatorSms>(turn, *stage, Kind::AuthenticatorSms).await?;
    let Some((found, settings)) = found else {
        turn.refuse("the stage by which the telephone was set up is gone");
        return Ok(Err(REFUSAL.to_owned()));
    };
    let (place, purpose) = (place(phone_number), Purpose::Login);
    let Some(allowance) = Allowance::of(turn, "tel", purpose, &place, user.uuid).await? else {
        return Ok(Err(TOO_MANY.to_owned()));
    };
    let Code { secret, until } = code_to_send(turn, id, code.as_ref(), GOOD)?;
    let texted = Texted {
        stage: *stage,
        stage_name: &found.name,
        device: id,
        device_name: &name,
        number: phone_number,
        code: &secret,
        // An expression gets it by its name there; nobody else needs it.
        handle: turn.world.keep(secret.clone())?,
    };
    let message = match settings.message(turn, &texted).await? {
        Ok(message) => message,
        Err(problem) => return Ok(Err(problem)),
    };
    let effect = hand_over(turn, message)?;
    allowance.count(turn);
    *code = Some(Code { secret, until });
    Ok(Ok(effect))
}

fn hand_over(turn: &mut Turn<'_>, message: sms::Message) -> Result<Uuid, Error> {
    let due = after(turn.world.now(), WAIT);
    turn.request_until(Call::Sms(Box::new(message)), due)
}

fn complains(text: &str) -> Errors {
    errors(NON_FIELD_ERRORS, text, "invalid")
}

impl AuthenticatorSms {
    /// Whether somebody has set this number up here already.
    async fn is_taken(turn: &Turn<'_>, number: &str) -> Result<bool, Error> {
        let (objects, stage) = (turn.world.objects(), turn.stage.stage.id);
        for form in [number, &hashed(number)] {
            let found = device::device_by_phone_number(objects, stage, form).await?;
            if found.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Sends the code to a number.
    ///
    /// # Errors
    /// The inner one is for the visitor.
    async fn send(
        &self,
        turn: &mut Turn<'_>,
        owner: Uuid,
        pending: &mut Pending,
    ) -> Result<Result<Uuid, String>, Error> {
        let number = pending.address.clone().unwrap_or_default();
        if Self::is_taken(turn, &number).await? {
            return Ok(Err(INVALID_NUMBER.to_owned()));
        }
        let (place, purpose) = (place(&number), Purpose::Enrolment);
        let Some(allowance) = Allowance::of(turn, "tel", purpose, &place, owner).await? else {
            return Ok(Err(TOO_MANY.to_owned()));
        };
        let code = pending.code(turn, GOOD).await?;
        let stage_name = turn.stage.name.clone();
        let texted = Texted {
            stage: turn.stage.stage.id,
            stage_name: &stage_name,
            device: pending.device,
            device_name: NAME,
            number: &number,
            code: &code.secret,
            handle: code.handle,
        };
        let message = match self.message(turn, &texted).await? {
            Ok(message) => message,
            Err(problem) => return Ok(Err(problem)),
        };
        let effect = hand_over(turn, message)?;
        allowance.count(turn);
        Ok(Ok(effect))
    }

    /// Takes the number that was typed.
    async fn number(
        &self,
        turn: &mut Turn<'_>,
        owner: Uuid,
        mut pending: Pending,
        typed: &str,
    ) -> Result<Verdict, Error> {
        let Some(number) = normalised(typed) else {
            return Ok(Verdict::Rejected(complains(INVALID_NUMBER)));
        };
        pending.is_at(&number, false);
        let sent = self.send(turn, owner, &mut pending).await?;
        pending.store(turn, KEY);
        Ok(match sent {
            Ok(effect) => Verdict::Waits(effect),
            Err(text) => Verdict::Rejected(complains(&text)),
        })
    }

    /// Takes the code that was typed: the right one makes the device.
    async fn code(
        &self,
        turn: &mut Turn<'_>,
        owner: Uuid,
        mut pending: Pending,
        typed: &secrecy::SecretString,
    ) -> Result<Verdict, Error> {
        let fits = pending.judge(turn, DeviceClass::Sms, typed).await?;
        let Some(number) = pending.address.clone().filter(|_| fits) else {
            pending.store(turn, KEY);
            return Ok(Verdict::Rejected(complains("Code does not match")));
        };
        // Somebody may have been faster.
        if Self::is_taken(turn, &number).await? {
            return Ok(Verdict::Rejected(complains(INVALID_NUMBER)));
        }
        let phone_number = if self.verify_only {
            hashed(&number)
        } else {
            number
        };
        let of = Authenticator::Sms {
            stage: turn.stage.stage.id,
            phone_number,
            code: None,
        };
        let now = turn.world.now();
        turn.set(KEY, None);
        enrol(turn, Device::new(pending.device, owner, NAME, of, now)).await
    }
}

/// What a telephone is called until its owner says otherwise.
const NAME: &str = "SMS Device";

#[async_trait(?Send)]
impl Stage for AuthenticatorSms {
    const COMPONENT: &'static str = "ak-stage-authenticator-sms";

    const FIELDS: &'static [Field] = &[
        Field {
            name: "code",
            shape: Shape::OptionalText,
            secret: true,
        },
        Field {
            name: "phone_number",
            shape: Shape::OptionalText,
            secret: false,
        },
    ];

    async fn enter(&self, turn: &mut Turn<'_>) -> Result<Entered, Error> {
        let Some(owner) = Owner::of(turn).await?.id() else {
            return Ok(Entered::Denied(REFUSAL.to_owned()));
        };
        if Pending::of(turn, KEY).is_some() {
            return Ok(Entered::Asks);
        }
        let mut pending = Pending::new(turn)?;
        let mut entered = Entered::Asks;
        if let Some(known) = prompted(turn, PHONE) {
            let sent = match normalised(&known) {
                Some(number) => {
                    pending.is_at(&number, true);
                    self.send(turn, owner, &mut pending).await?
                }
                None => Err(INVALID_NUMBER.to_owned()),
            };
            if let Ok(effect) = sent {
                entered = Entered::Waits(effect);
            } else {
                pending.is_nowhere();
                forget_prompted(turn, PHONE);
            }
        }
        pending.store(turn, KEY);
        Ok(entered)
    }

    async fn challenge(&self, turn: &mut Turn<'_>) -> Result<Map<String, Value>, Error> {
        let mut fields = with_user(turn).await?;
        let number = Pending::of(turn, KEY).and_then(|pending| pending.address);
        fields.insert("phone_number_required".to_owned(), number.is_none().into());
        Ok(fields)
    }

    async fn judge(&self, response: Response, turn: &mut Turn<'_>) -> Result<Verdict, Error> {
        let Some(owner) = Owner::of(turn).await?.id() else {
            return Ok(Verdict::Denied(REFUSAL.to_owned()));
        };
        let pending = match Pending::of(turn, KEY) {
            Some(pending) => pending,
            None => Pending::new(turn)?,
        };
        match (response.text("code"), response.text("phone_number")) {
            (Some(code), _) => self.code(turn, owner, pending, code).await,
            (None, Some(number)) => {
                let number = number.expose_secret().to_owned();
                self.number(turn, owner, pending, &number).await
            }
            (None, None) => Ok(Verdict::Rejected(complains("phone_number required"))),
        }
    }

    async fn conclude(&self, outcome: &Outcome, turn: &mut Turn<'_>) -> Result<Verdict, Error> {
        let Err(problem) = sent(turn, outcome) else {
            return Ok(Verdict::Asks);
        };
        let Some(mut pending) = Pending::of(turn, KEY) else {
            return Ok(Verdict::Asks);
        };
        let was_known = pending.is_known;
        if !problem.may_arrive {
            if was_known {
                pending.is_nowhere();
                forget_prompted(turn, PHONE);
            } else {
                pending.has_no_code();
            }
            pending.store(turn, KEY);
        }
        Ok(if was_known {
            // They typed nothing here that could be wrong.
            Verdict::Asks
        } else {
            Verdict::Rejected(complains(&problem.text))
        })
    }

    fn problems(&self) -> Vec<Invalid> {
        let mut found: Vec<Invalid> = [
            ("from_number", self.from_number.trim().is_empty()),
            ("account_sid", self.account_sid.trim().is_empty()),
            ("auth", self.auth.is_empty()),
        ]
        .into_iter()
        .filter(|(_, is_blank)| *is_blank)
        .map(|(field, _)| Invalid::new(field, Problem::Blank))
        .collect();
        let is_address =
            Url::parse(&self.account_sid).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if self.provider == Provider::Generic && !is_address && found.is_empty() {
            let problem = Problem::Other("Enter a valid URL.");
            found.push(Invalid::new("account_sid", problem));
        }
        found
    }
}
