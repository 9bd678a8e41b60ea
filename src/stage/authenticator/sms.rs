//! Sets a telephone up: a code is sent there, and has to come back. Source: authentik
//! `stages/authenticator_sms`.
//!
//! The number is asked for unless a prompt did so before. Whatever the provider says is waited for,
//! so that whoever typed a number reads that it cannot be reached.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use url::Url;
use uuid::Uuid;

use super::super::field::{Field, Shape};
use super::super::{Entered, Error, Response, Stage, Turn, Verdict};
use super::pending::{DIGITS, Pending, forget_prompted, prompted};
use super::sending::{Allowance, TOO_MANY};
use super::{Owner, enrol, with_user};
use crate::catalog::{self, Hidden};
use crate::directory::device::{self, Authenticator, Code, Device, DeviceClass};
use crate::directory::user::User;
use crate::flow::effect::Outcome;
use crate::flow::event::{Errors, Event, NON_FIELD_ERRORS, errors};
use crate::flow::field::{Invalid, Problem};
use crate::flow::model::words;
use crate::flow::timer::Deadline;
use crate::journal::object::{self, Versioned};
use crate::sms;
use crate::world::{Call, Fresh};

mod text;

use text::Texted;

words! {
    /// Who sends the messages.
    Provider {
        /// Twilio.
        Twilio = "twilio",
        /// Anything that takes JSON.
        Generic = "generic",
    }
}

words! {
    /// How a generic provider knows who asks.
    AuthType {
        /// By a name and a password.
        Basic = "basic",
        /// By a token.
        Bearer = "bearer",
    }
}

/// Settings of a stage that sets telephones up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    pub from_number: String,
    /// The account at Twilio, or the address that a generic provider is posted to.
    pub account_sid: String,
    /// Twilio's token, or the name or the token for a generic provider.
    pub auth: Hidden,
    /// The password for a generic provider.
    #[serde(default)]
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

/// Why somebody gets no message, or may get none.
pub(super) struct NotSent {
    /// What they read.
    pub(super) text: String,
    /// Whether the provider may have sent it all the same.
    pub(super) may_arrive: bool,
}

/// Whether a message was sent, by what came of the effect.
pub(super) fn sent(turn: &mut Turn<'_>, outcome: &Outcome) -> Result<(), NotSent> {
    let (text, may_arrive) = match outcome {
        Outcome::Done => return Ok(()),
        Outcome::Answered { answer } => {
            let status = answer["status"].as_u64().unwrap_or_default();
            if (200..300).contains(&status) {
                return Ok(());
            }
            turn.learn(Event::ConfigurationError {
                what: "Error sending SMS".to_owned(),
                // What it says names the number, or part of it.
                problem: format!("the provider answered with the status {status}"),
            });
            let said = answer["said"].as_str().unwrap_or_default();
            let said = if said.is_empty() {
                "The provider of text messages refused to send the message."
            } else {
                said
            };
            (said, false)
        }
        Outcome::Failed { .. } => (
            "The provider of text messages could not be reached. Please try again later.",
            false,
        ),
        Outcome::TimedOut => (
            "The provider of text messages did not answer in time. If no message arrives, please \
             ask for another one.",
            true,
        ),
        Outcome::Unknown => (
            "It is not known whether the message was sent. If none arrives, please ask for \
             another one.",
            true,
        ),
    };
    Err(NotSent {
        text: text.to_owned(),
        may_arrive,
    })
}

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
    let found: Option<Versioned<catalog::Stage>> =
        object::get(turn.world.objects(), *stage).await?;
    let kind = super::super::Kind::AuthenticatorSms.name();
    let Some(found) = found.filter(|it| it.value.kind == kind) else {
        turn.refuse("the stage by which the telephone was set up is gone");
        return Ok(Err(REFUSAL.to_owned()));
    };
    let settings: AuthenticatorSms =
        catalog::settings::read(&found.value.settings).map_err(Error::Failed)?;
    let Some(allowance) = Allowance::of(turn, "tel", phone_number, user.uuid).await? else {
        return Ok(Err(TOO_MANY.to_owned()));
    };
    let secret = turn.world.generate(Fresh::Digits(DIGITS))?;
    let texted = Texted {
        stage: *stage,
        stage_name: &found.value.name,
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
    let until = later(turn.world.now(), GOOD);
    turn.set_timer(until, Deadline::Code { device: id })?;
    *code = Some(Code { secret, until });
    Ok(Ok(effect))
}

fn hand_over(turn: &mut Turn<'_>, message: sms::Message) -> Result<Uuid, Error> {
    let due = later(turn.world.now(), WAIT);
    turn.request_until(Call::Sms(Box::new(message)), due)
}

fn later(now: Timestamp, span: SignedDuration) -> Timestamp {
    now.checked_add(span).unwrap_or(Timestamp::MAX)
}

/// What a number is kept as where it is only verified.
fn hashed(number: &str) -> String {
    let digest = Sha256::digest(number.as_bytes());
    let digits = digest.iter().map(|byte| format!("{byte:02x}"));
    format!("hash:{}", digits.collect::<String>())
}

/// Whether a number is kept as its hash only, so that nothing can be sent there.
pub(super) fn is_hashed(number: &str) -> bool {
    number.starts_with("hash:")
}

/// A telephone number without what people put between its digits; `None` where it is none.
fn normalised(typed: &str) -> Option<String> {
    let number: String = typed
        .chars()
        .filter(|it| !it.is_whitespace() && !"-().".contains(*it))
        .collect();
    let digits = number.strip_prefix('+').unwrap_or(&number);
    let is_number =
        (4..=15).contains(&digits.len()) && digits.bytes().all(|it| it.is_ascii_digit());
    is_number.then_some(number)
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
        let Some(allowance) = Allowance::of(turn, "tel", &number, owner).await? else {
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
        enrol(turn, Device::new(pending.device, owner, NAME, of, now));
        turn.set(KEY, None);
        Ok(Verdict::Passed)
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
            match sent {
                Ok(effect) => entered = Entered::Waits(effect),
                Err(_) => {
                    pending.is_nowhere();
                    forget_prompted(turn, PHONE);
                }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_kept_without_what_people_put_between_its_digits() {
        for (typed, kept) in [
            ("+49 (170) 123-45.67", "+491701234567"),
            (" 0170 1234567", "01701234567"),
            ("1234", "1234"),
        ] {
            assert_eq!(normalised(typed).as_deref(), Some(kept));
        }
        for typed in [
            "",
            "+",
            "123",
            "12a4",
            "+12345678901234567",
            "٣٣٣٣",
            "1+234",
        ] {
            assert_eq!(normalised(typed), None, "{typed}");
        }
    }

    #[test]
    fn a_hash_is_told_from_a_number() {
        let hash = hashed("+1555");
        let known = "hash:e4d007151a94d1daeaf529a51d7f0c74c1572568544fef77b2589892422fe940";
        assert_eq!(hash, known);
        assert!(is_hashed(&hash) && !is_hashed("+1555"));
    }
}
