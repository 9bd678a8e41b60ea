//! Sets a mailbox up: a code is sent there, and has to come back. Source: authentik
//! `stages/authenticator_email`.
//!
//! The address is the user's own, or the one that a prompt asked for; else it is asked for here.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::super::duration::Duration;
use super::super::email::language;
use super::super::field::{Field, Shape};
use super::super::prompt::email::is_address;
use super::super::{Entered, Error, Kind, Response, Stage, Turn, Verdict, stage_of};
use super::mask::masked;
use super::pending::{Pending, code_to_send, forget_prompted, prompted};
use super::sending::{Allowance, Purpose, TOO_MANY};
use super::{Owner, enrol, with_user};
use crate::catalog::MailServer;
use crate::directory::device::{self, Authenticator, Code, Device, DeviceClass, devices_of};
use crate::directory::user::User;
use crate::flow::effect::Effect;
use crate::flow::event::{Errors, Event, NON_FIELD_ERRORS, errors};
use crate::flow::field::{Invalid, Problem};
use crate::journal::object::Versioned;
use crate::world::{Letter, Recipient, person};

/// Settings of a stage that sets mailboxes up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
#[schema(as = AuthenticatorEmailStage)]
pub struct AuthenticatorEmail {
    /// The flow in which people set one up.
    pub configure_flow: Option<Uuid>,
    /// What people read instead of the kind's name.
    pub friendly_name: String,
    /// The server that sends.
    #[serde(flatten)]
    #[schema(inline)]
    pub server: MailServer,
    /// How long a code is good.
    #[schema(value_type = String, min_length = 1)]
    pub token_expiry: Duration,
    /// The subject.
    #[schema(min_length = 1)]
    pub subject: String,
    /// The template.
    #[schema(min_length = 1)]
    pub template: String,
}

impl Default for AuthenticatorEmail {
    fn default() -> Self {
        Self {
            configure_flow: None,
            friendly_name: String::new(),
            server: MailServer::default(),
            token_expiry: Duration::from_secs(30 * 60),
            subject: "Sign-in code".to_owned(),
            template: "email/email_otp.html".to_owned(),
        }
    }
}

/// The entry of the context with the mailbox as far as it goes. Source: authentik
/// `stages/authenticator_email/stage.py`.
const KEY: &str = "goauthentik.io/stages/authenticator_email/email_device";

/// The prompt that may have asked for the address before.
const EMAIL: &str = "email";

/// What a mailbox is called until its owner says otherwise.
const NAME: &str = "Email Device";

const INVALID_ADDRESS: &str = "Invalid email";
const HAS_ONE: &str = "The user already has an email address registered for MFA.";

/// The message of a refusal that says no more.
const REFUSAL: &str = "Unknown error";

/// Why a code was not sent.
enum NotSent {
    /// The visitor can mend it.
    Visitor(&'static str),
    /// The operator has to.
    Operator,
}

/// A mail with a code.
struct Mailed<'a> {
    /// The stage that sends it.
    stage: Uuid,
    address: &'a str,
    code: &'a SecretString,
    until: Timestamp,
}

/// Sends a code to a mailbox that somebody logs in with, and puts it into the device, which is not
/// written here.
///
/// # Errors
/// The inner one is for the visitor.
pub(super) async fn send_code(
    turn: &mut Turn<'_>,
    user: &User,
    device: &mut Device,
) -> Result<Result<(), String>, Error> {
    let id = device.uuid;
    let Authenticator::Email { stage, email, code } = &mut device.of else {
        return Err(Error::Failed(format!("device {id} is no mailbox")));
    };
    let found = stage_of::<AuthenticatorEmail>(turn, *stage, Kind::AuthenticatorEmail).await?;
    let Some((_, settings)) = found else {
        turn.refuse("the stage by which the mailbox was set up is gone");
        return Ok(Err(REFUSAL.to_owned()));
    };
    let purpose = Purpose::Login;
    let Some(allowance) = Allowance::of(turn, "mailto", purpose, email, user.uuid).await? else {
        return Ok(Err(TOO_MANY.to_owned()));
    };
    let lasts = settings.token_expiry.span();
    let Code { secret, until } = code_to_send(turn, id, code.as_ref(), lasts)?;
    let mailed = Mailed {
        stage: *stage,
        address: email,
        code: &secret,
        until,
    };
    if !settings.post(turn, user, &mailed).await? {
        return Ok(Err(REFUSAL.to_owned()));
    }
    allowance.count(turn);
    *code = Some(Code { secret, until });
    Ok(Ok(()))
}

fn complains(text: &str) -> Errors {
    errors(NON_FIELD_ERRORS, text, "invalid")
}

impl AuthenticatorEmail {
    /// Posts a mail; false where the operator's settings do not make one, which is noted.
    async fn post(
        &self,
        turn: &mut Turn<'_>,
        user: &User,
        mailed: &Mailed<'_>,
    ) -> Result<bool, Error> {
        let server = &self.server;
        let letter = Letter {
            template: self.template.clone(),
            subject: self.subject.clone(),
            to: Some(Recipient {
                name: user.name.clone(),
                address: mailed.address.to_owned(),
            }),
            user: person(user),
            client: turn.client.clone(),
            brand: turn.brand().await?.branding_title,
            from: (!server.use_global_settings).then(|| server.from_address.clone()),
            server: (!server.use_global_settings).then_some(mailed.stage),
            language: turn.client.language.clone().or_else(|| language(user)),
            link: None,
            code: Some(mailed.code.clone()),
            text: None,
            more: Map::new(),
            expires: mailed.until,
        };
        let template = self.template.clone();
        match turn.world.post(letter).await? {
            Ok(effect) => {
                turn.learn(Event::EffectRequested {
                    effect,
                    what: Effect::Mail { template },
                });
                Ok(true)
            }
            Err(problem) => {
                let what = format!("Exception occurred while rendering E-mail template {template}");
                turn.learn(Event::ConfigurationError { what, problem });
                Ok(false)
            }
        }
    }

    /// Whether this address is somebody's here already, or the user's at another stage.
    async fn is_taken(turn: &Turn<'_>, owner: Uuid, address: &str) -> Result<bool, Error> {
        let objects = turn.world.objects();
        let here = device::devices_by_email(objects, turn.stage.stage.id, address).await?;
        let own = devices_of(objects, owner).await?;
        let same = |it: &Versioned<Device>| match &it.value.of {
            Authenticator::Email { email, .. } => email.to_lowercase() == address.to_lowercase(),
            _ => false,
        };
        Ok(!here.is_empty() || own.iter().any(same))
    }

    /// Sends the code to an address.
    async fn send(
        &self,
        turn: &mut Turn<'_>,
        user: &User,
        pending: &mut Pending,
    ) -> Result<Result<(), NotSent>, Error> {
        let address = pending.address.clone().unwrap_or_default();
        if Self::is_taken(turn, user.uuid, &address).await? {
            return Ok(Err(NotSent::Visitor(INVALID_ADDRESS)));
        }
        let purpose = Purpose::Enrolment;
        let allowance = Allowance::of(turn, "mailto", purpose, &address, user.uuid).await?;
        let Some(allowance) = allowance else {
            return Ok(Err(NotSent::Visitor(TOO_MANY)));
        };
        let code = pending.code(turn, self.token_expiry.span()).await?;
        let mailed = Mailed {
            stage: turn.stage.stage.id,
            address: &address,
            code: &code.secret,
            until: code.until,
        };
        if !self.post(turn, user, &mailed).await? {
            return Ok(Err(NotSent::Operator));
        }
        allowance.count(turn);
        Ok(Ok(()))
    }

    /// Takes the address that was typed.
    async fn address(
        &self,
        turn: &mut Turn<'_>,
        user: &User,
        mut pending: Pending,
        typed: &str,
    ) -> Result<Verdict, Error> {
        if !is_address(typed) {
            return Ok(Verdict::Rejected(complains(INVALID_ADDRESS)));
        }
        pending.is_at(typed, false);
        let sent = self.send(turn, user, &mut pending).await?;
        pending.store(turn, KEY);
        Ok(match sent {
            Ok(()) => Verdict::Asks,
            Err(NotSent::Visitor(text)) => Verdict::Rejected(complains(text)),
            Err(NotSent::Operator) => Verdict::Denied(REFUSAL.to_owned()),
        })
    }

    /// Takes the code that was typed: the right one makes the device.
    async fn code(
        &self,
        turn: &mut Turn<'_>,
        user: &User,
        mut pending: Pending,
        typed: &SecretString,
    ) -> Result<Verdict, Error> {
        let fits = pending.judge(turn, DeviceClass::Email, typed).await?;
        let Some(email) = pending.address.clone().filter(|_| fits) else {
            pending.store(turn, KEY);
            return Ok(Verdict::Rejected(complains("Code does not match")));
        };
        // Somebody may have been faster.
        if Self::is_taken(turn, user.uuid, &email).await? {
            return Ok(Verdict::Rejected(complains(INVALID_ADDRESS)));
        }
        let of = Authenticator::Email {
            stage: turn.stage.stage.id,
            email,
            code: None,
        };
        let now = turn.world.now();
        turn.set(KEY, None);
        enrol(turn, Device::new(pending.device, user.uuid, NAME, of, now)).await
    }

    /// Whether the user has a mailbox of this stage, confirmed or not.
    async fn has_one(turn: &Turn<'_>, user: Uuid) -> Result<bool, Error> {
        let own = devices_of(turn.world.objects(), user).await?;
        let here = turn.stage.stage.id;
        Ok(own.iter().any(|it| match it.value.of {
            Authenticator::Email { stage, .. } => stage == here,
            _ => false,
        }))
    }
}

#[async_trait(?Send)]
impl Stage for AuthenticatorEmail {
    const COMPONENT: &'static str = "ak-stage-authenticator-email";

    const FIELDS: &'static [Field] = &[
        Field {
            name: "code",
            shape: Shape::OptionalText,
            secret: true,
        },
        Field {
            name: "email",
            shape: Shape::OptionalText,
            secret: false,
        },
    ];

    async fn enter(&self, turn: &mut Turn<'_>) -> Result<Entered, Error> {
        let owner = Owner::of(turn).await?;
        let Some(user) = owner.user() else {
            return Ok(Entered::Denied(REFUSAL.to_owned()));
        };
        if Self::has_one(turn, user.value.uuid).await? {
            return Ok(Entered::Denied(HAS_ONE.to_owned()));
        }
        if Pending::of(turn, KEY).is_some() {
            return Ok(Entered::Asks);
        }
        let mut pending = Pending::new(turn)?;
        let own = Some(user.value.email.clone()).filter(|own| !own.is_empty());
        if let Some(known) = own.or_else(|| prompted(turn, EMAIL)) {
            let mut sent = Err(NotSent::Visitor(INVALID_ADDRESS));
            if is_address(&known) {
                pending.is_at(&known, true);
                sent = self.send(turn, &user.value, &mut pending).await?;
            }
            match sent {
                Ok(()) => {}
                // Another one is asked for.
                Err(NotSent::Visitor(_)) => {
                    pending.is_nowhere();
                    forget_prompted(turn, EMAIL);
                }
                Err(NotSent::Operator) => return Ok(Entered::Denied(REFUSAL.to_owned())),
            }
        }
        pending.store(turn, KEY);
        Ok(Entered::Asks)
    }

    async fn challenge(&self, turn: &mut Turn<'_>) -> Result<Map<String, Value>, Error> {
        let mut fields = with_user(turn).await?;
        let address = Pending::of(turn, KEY).and_then(|pending| pending.address);
        let shown = address.as_deref().map(masked);
        fields.insert("email_required".to_owned(), address.is_none().into());
        fields.insert("email".to_owned(), shown.into());
        Ok(fields)
    }

    async fn judge(&self, response: Response, turn: &mut Turn<'_>) -> Result<Verdict, Error> {
        let owner = Owner::of(turn).await?;
        let Some(user) = owner.user() else {
            return Ok(Verdict::Denied(REFUSAL.to_owned()));
        };
        let user = &user.value;
        let pending = match Pending::of(turn, KEY) {
            Some(pending) => pending,
            None => Pending::new(turn)?,
        };
        match (response.text("code"), response.text("email")) {
            (Some(code), _) => self.code(turn, user, pending, code).await,
            (None, Some(email)) => {
                let email = email.expose_secret().to_owned();
                self.address(turn, user, pending, &email).await
            }
            (None, None) => Ok(Verdict::Rejected(complains("email required"))),
        }
    }

    fn problems(&self) -> Vec<Invalid> {
        let mut found = self.server.problems(&self.template);
        if self.token_expiry.span() <= SignedDuration::ZERO {
            let problem = "A code has to be good for some time.";
            found.push(Invalid::new("token_expiry", Problem::Other(problem)));
        }
        found
    }
}
