//! What each kind of stage asks, and how it judges the answer.
//!
//! One file per kind: settings, challenge, response, judgement. A stage sees its execution and
//! the world through a [`Turn`] and reaches for nothing else; what it learns becomes events.

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::catalog;
use crate::flow::effect::Outcome;
use crate::flow::event::Errors;
use crate::flow::field::Invalid;
use crate::flow::plan::{Pinned, PlannedStage};
use crate::journal::Version;
use crate::journal::object::{self, Versioned};
use crate::world;

pub mod authenticator;
pub mod captcha;
#[cfg(test)]
pub(crate) mod changed;
pub mod consent;
pub mod deny;
pub mod dummy;
pub mod duration;
pub mod email;
pub mod field;
pub mod form;
pub mod identification;
pub mod invitation;
pub mod password;
mod planner;
pub mod prompt;
pub mod redirect;
mod reply;
mod run;
mod setting_up;
#[cfg(test)]
mod tests;
mod turn;
pub mod user_delete;
pub mod user_login;
pub mod user_logout;
pub mod user_write;

use authenticator::duo as authenticator_duo;
use authenticator::email as authenticator_email;
use authenticator::sms as authenticator_sms;
use authenticator::static_codes as authenticator_static;
use authenticator::totp as authenticator_totp;
use authenticator::validate as authenticator_validate;
use authenticator::webauthn as authenticator_webauthn;

pub use field::{Field, Response};
pub use form::Form;
pub use planner::DOES_NOT_APPLY;
pub use reply::Reply;
pub use run::{Handled, Stuck, attempt, handle};
pub use setting_up::configure_flow;
pub use turn::Turn;

/// Why a stage could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The world did not answer; the command is not carried out at all.
    #[error(transparent)]
    World(#[from] world::Error),
    /// The stage cannot go on. The visitor sees an error page, the execution stays.
    #[error("{0}")]
    Failed(String),
    /// The core refused what the stage asked for, which is a fault of ours.
    #[error("the core refused a command: {0}")]
    Rejected(#[from] crate::flow::Rejection),
}

impl From<crate::journal::Error> for Error {
    fn from(error: crate::journal::Error) -> Self {
        Self::World(error.into())
    }
}

/// What a stage does when the visitor arrives.
#[derive(Debug)]
pub enum Entered {
    /// It asks the visitor.
    Asks,
    /// It needs nobody and is done.
    Passed,
    /// It lets nobody through.
    Denied(String),
    /// It does not know what to ask before this effect, which it asked for, is concluded.
    Waits(Uuid),
    /// It leads into another flow, in which the execution goes on.
    Redirected {
        /// The flow.
        flow: Uuid,
        /// Whether what was learnt is kept.
        keep_context: bool,
    },
}

/// What a stage thinks of an answer.
#[derive(Debug)]
pub enum Verdict {
    /// The visitor may go on.
    Passed,
    /// The visitor may try again.
    Rejected(Errors),
    /// The answer was good, but there is more to ask.
    Asks,
    /// The visitor may not go on.
    Denied(String),
    /// Nobody knows before this effect, which the stage asked for, is concluded.
    Waits(Uuid),
}

/// The behaviour of one kind of stage; its settings are the type itself.
#[async_trait(?Send)]
pub trait Stage {
    /// The component that shows its challenge: the contract with every interface.
    const COMPONENT: &'static str;

    /// The fields of an answer.
    const FIELDS: &'static [Field] = &[];

    /// Called once, when the visitor arrives. May act, and may do without the visitor.
    async fn enter(&self, _turn: &mut Turn<'_>) -> Result<Entered, Error> {
        Ok(Entered::Asks)
    }

    /// The stage's own part of the challenge. Called for every showing, so it only reads; what it
    /// notes counts when the challenge is issued, not when it is shown again.
    async fn challenge(&self, turn: &mut Turn<'_>) -> Result<Map<String, Value>, Error>;

    /// Judges an answer.
    async fn judge(&self, response: Response, turn: &mut Turn<'_>) -> Result<Verdict, Error>;

    /// The fields of an answer, where only the settings know them.
    async fn form(&self, _turn: &mut Turn<'_>) -> Result<Form, Error> {
        Ok(Form::Fixed(Self::FIELDS))
    }

    /// Whether an answer takes the place of the one that waits, instead of joining it.
    fn interrupts(&self, _response: &Response, _turn: &Turn<'_>) -> bool {
        false
    }

    /// Judges the answer that waited for an effect, by what came of it; or the arrival that did.
    async fn conclude(&self, _outcome: &Outcome, _turn: &mut Turn<'_>) -> Result<Verdict, Error> {
        Err(Error::Failed(format!(
            "stages of the kind {} wait for nothing",
            Self::COMPONENT
        )))
    }

    /// What is wrong with the settings, beyond what their types say.
    fn problems(&self) -> Vec<Invalid> {
        Vec::new()
    }
}

/// The one list of stage kinds: module, type, blueprint model, names for people.
macro_rules! stages {
    ($($module:ident :: $Type:ident, $model:literal, $title:literal;)+) => {
        /// A stage with its settings.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Configured {
            $(#[doc = concat!("`", $title, "`")] $Type($module::$Type),)+
        }

        catalog::kind::kinds! {
            /// A kind of stage.
            $($Type, stringify!($module), $model, $title;)+
        }

        impl Kind {
            /// The settings with every default filled in.
            ///
            /// # Errors
            /// The problems, by field.
            pub fn validate(
                self,
                settings: &Map<String, Value>,
            ) -> Result<Map<String, Value>, Errors> {
                match self {
                    $(Self::$Type => catalog::settings::validate(
                        settings,
                        <$module::$Type as Stage>::problems,
                    ),)+
                }
            }

            /// The settings, as the description of the API has them.
            #[must_use]
            pub fn described(self) -> catalog::schema::Described {
                match self {
                    $(Self::$Type => catalog::schema::Described::of::<$module::$Type>(),)+
                }
            }

            /// Reads settings that were validated before.
            ///
            /// # Errors
            /// [`Error::Failed`] names what cannot be read.
            pub fn configure(self, settings: &Map<String, Value>) -> Result<Configured, Error> {
                match self {
                    $(Self::$Type => catalog::settings::read(settings)
                        .map(Configured::$Type)
                        .map_err(Error::Failed),)+
                }
            }
        }

        impl Configured {
            fn component(&self) -> &'static str {
                match self { $(Self::$Type(_) => <$module::$Type as Stage>::COMPONENT),+ }
            }

            async fn form(&self, turn: &mut Turn<'_>) -> Result<Form, Error> {
                match self { $(Self::$Type(stage) => stage.form(turn).await),+ }
            }

            fn interrupts(&self, response: &Response, turn: &Turn<'_>) -> bool {
                match self { $(Self::$Type(stage) => stage.interrupts(response, turn)),+ }
            }

            async fn conclude(
                &self,
                outcome: &Outcome,
                turn: &mut Turn<'_>,
            ) -> Result<Verdict, Error> {
                match self { $(Self::$Type(stage) => stage.conclude(outcome, turn).await),+ }
            }

            async fn enter(&self, turn: &mut Turn<'_>) -> Result<Entered, Error> {
                match self { $(Self::$Type(stage) => stage.enter(turn).await),+ }
            }

            async fn challenge(&self, turn: &mut Turn<'_>) -> Result<Map<String, Value>, Error> {
                match self { $(Self::$Type(stage) => stage.challenge(turn).await),+ }
            }

            async fn judge(
                &self,
                response: Response,
                turn: &mut Turn<'_>,
            ) -> Result<Verdict, Error> {
                match self { $(Self::$Type(stage) => stage.judge(response, turn).await),+ }
            }
        }
    };
}

stages! {
    authenticator_duo::AuthenticatorDuo, "authentik_stages_authenticator_duo.authenticatorduostage", "Duo Authenticator Setup Stage";
    authenticator_email::AuthenticatorEmail, "authentik_stages_authenticator_email.authenticatoremailstage", "Email Authenticator Setup Stage";
    authenticator_sms::AuthenticatorSms, "authentik_stages_authenticator_sms.authenticatorsmsstage", "SMS Authenticator Setup Stage";
    authenticator_static::AuthenticatorStatic, "authentik_stages_authenticator_static.authenticatorstaticstage", "Static Authenticator Setup Stage";
    authenticator_totp::AuthenticatorTotp, "authentik_stages_authenticator_totp.authenticatortotpstage", "TOTP Authenticator Setup Stage";
    authenticator_validate::AuthenticatorValidate, "authentik_stages_authenticator_validate.authenticatorvalidatestage", "Authenticator Validation Stage";
    authenticator_webauthn::AuthenticatorWebauthn, "authentik_stages_authenticator_webauthn.authenticatorwebauthnstage", "WebAuthn Authenticator Setup Stage";
    captcha::Captcha, "authentik_stages_captcha.captchastage", "Captcha Stage";
    consent::Consent, "authentik_stages_consent.consentstage", "Consent Stage";
    deny::Deny, "authentik_stages_deny.denystage", "Deny Stage";
    dummy::Dummy, "authentik_stages_dummy.dummystage", "Dummy Stage";
    email::Email, "authentik_stages_email.emailstage", "Email Stage";
    identification::Identification, "authentik_stages_identification.identificationstage", "Identification Stage";
    invitation::Invitation, "authentik_stages_invitation.invitationstage", "Invitation Stage";
    password::Password, "authentik_stages_password.passwordstage", "Password Stage";
    prompt::Prompt, "authentik_stages_prompt.promptstage", "Prompt Stage";
    redirect::Redirect, "authentik_stages_redirect.redirectstage", "Redirect Stage";
    user_delete::UserDelete, "authentik_stages_user_delete.userdeletestage", "User Delete Stage";
    user_login::UserLogin, "authentik_stages_user_login.userloginstage", "User Login Stage";
    user_logout::UserLogout, "authentik_stages_user_logout.userlogoutstage", "User Logout Stage";
    user_write::UserWrite, "authentik_stages_user_write.userwritestage", "User Write Stage";
}

/// The settings that an execution is pinned to.
async fn settings_of(
    world: &dyn world::World,
    planned: &PlannedStage,
) -> Result<Configured, Error> {
    if let Some(settings) = &planned.settings {
        return kind(&planned.kind)?.configure(settings);
    }
    let Pinned { id, version } = planned.stage;
    let stage: Option<Versioned<catalog::Stage>> =
        object::get_at(world.objects(), id, Version(version)).await?;
    let stage = stage.ok_or_else(|| world::Error::Gone(format!("stage {id}@{version}")))?;
    kind(&stage.value.kind)?.configure(&stage.value.settings)
}

/// Another stage of this kind as it is now, and its settings; `None` where there is none.
async fn stage_of<T: DeserializeOwned>(
    turn: &Turn<'_>,
    id: Uuid,
    kind: Kind,
) -> Result<Option<(catalog::Stage, T)>, Error> {
    let found: Option<Versioned<catalog::Stage>> = object::get(turn.world.objects(), id).await?;
    let Some(found) = found.filter(|it| it.value.kind == kind.name()) else {
        return Ok(None);
    };
    let settings = catalog::settings::read(&found.value.settings).map_err(Error::Failed)?;
    Ok(Some((found.value, settings)))
}

fn kind(name: &str) -> Result<Kind, Error> {
    let unknown = || Error::Failed(format!("this version has no stages of the kind {name}"));
    Kind::from_name(name).ok_or_else(unknown)
}
