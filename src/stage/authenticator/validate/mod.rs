//! Asks for a second factor. Source: authentik `stages/authenticator_validate`.
//!
//! What the visitor may choose from is settled when they arrive and lies in the context. A code
//! is compared with those of all the devices that this stage offers; wrong, late and locked look
//! the same to whoever typed it. Somebody who does not exist is treated as a user without devices.

use async_trait::async_trait;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Owner, sms, with_user};
use crate::directory::device::DeviceClass;
use crate::flow::effect::{Effect, Outcome};
use crate::flow::event::{EMPTY_RESPONSE, NON_FIELD_ERRORS, errors};
use crate::flow::field::{Invalid, Problem};
use crate::flow::model::{Designation, InvalidResponseAction, words};
use crate::stage::duration::Duration;
use crate::stage::field::{Field, Shape};
use crate::stage::{Entered, Error, Response, Stage, Turn, Verdict};
use crate::webauthn::{Hint, Requirement};

mod accepted;
mod code;
mod configure;
mod duo;
mod offered;
mod remembered;
mod select;
pub(in crate::stage) mod webauthn;

pub(in crate::stage) use accepted::reference;

words! {
    /// What happens to a user without an authenticator.
    #[derive(Default)]
    NotConfiguredAction as NotConfiguredActionEnum {
        /// They go on without.
        #[default]
        Skip = "skip",
        /// They do not go on.
        Deny = "deny",
        /// They set one up.
        Configure = "configure",
    }
}

/// The settings of a stage that asks for a second factor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
#[schema(as = AuthenticatorValidateStage)]
pub struct AuthenticatorValidate {
    /// What happens to a user without an authenticator.
    pub(in crate::stage) not_configured_action: NotConfiguredAction,
    /// The stages by which such a user may set one up.
    pub(in crate::stage) configuration_stages: Vec<Uuid>,
    /// The classes of authenticators that are good enough.
    pub(in crate::stage) device_classes: Vec<DeviceClass>,
    /// How long a browser that showed one is not asked again.
    #[schema(value_type = String, min_length = 1)]
    pub(in crate::stage) last_auth_threshold: Duration,
    /// Whether a security key has to ask its owner for something.
    pub(in crate::stage) webauthn_user_verification: Requirement,
    /// Which kinds of authenticators browsers suggest, the best first.
    pub(in crate::stage) webauthn_hints: Vec<Hint>,
    /// The models of security keys that are good enough; all of them when there are none.
    pub(in crate::stage) webauthn_allowed_device_types: Vec<Uuid>,
}

impl Default for AuthenticatorValidate {
    fn default() -> Self {
        Self {
            not_configured_action: NotConfiguredAction::default(),
            configuration_stages: Vec::new(),
            device_classes: vec![
                DeviceClass::Static,
                DeviceClass::Totp,
                DeviceClass::Webauthn,
                DeviceClass::Duo,
                DeviceClass::Sms,
                DeviceClass::Email,
            ],
            last_auth_threshold: Duration::from_secs(0),
            webauthn_user_verification: Requirement::default(),
            webauthn_hints: Vec::new(),
            webauthn_allowed_device_types: Vec::new(),
        }
    }
}

/// What is read by a user without an authenticator who is not let on.
const NOT_CONFIGURED: &str = "No (allowed) MFA authenticator configured.";

/// What is read by whoever answers with a class that was not offered.
const NOT_OFFERED: &str = "No compatible device class allowed";

fn refused(field: &str, text: impl Into<String>) -> Verdict {
    Verdict::Rejected(errors(field, text, "invalid"))
}

/// What a visitor sees who has chosen. A client reads nothing of this. But the flow must not begin
/// again.
fn chosen(turn: &Turn<'_>) -> Verdict {
    if turn.stage.on_invalid == InvalidResponseAction::Retry {
        refused(NON_FIELD_ERRORS, EMPTY_RESPONSE)
    } else {
        Verdict::Asks
    }
}

impl AuthenticatorValidate {
    fn allows(&self, class: DeviceClass) -> bool {
        self.device_classes.contains(&class)
    }

    /// What becomes of a visitor who has nothing to show.
    async fn without(&self, turn: &mut Turn<'_>) -> Result<Entered, Error> {
        match self.not_configured_action {
            NotConfiguredAction::Skip => Ok(Entered::Passed),
            NotConfiguredAction::Deny => Ok(Entered::Denied(NOT_CONFIGURED.to_owned())),
            NotConfiguredAction::Configure => self.configure(turn).await,
        }
    }

    /// Whether a user who had nothing to show when they arrived has something now, which is asked
    /// for then.
    async fn has_some_by_now(&self, turn: &mut Turn<'_>, owner: &Owner) -> Result<bool, Error> {
        let offers = self.offers(&self.devices(turn, owner).await?);
        if offers.is_empty() {
            return Ok(false);
        }
        configure::forget(turn);
        offered::keep(turn, &offers);
        if offers.iter().any(offered::Offer::is_of_a_key) {
            webauthn::begin(turn)?;
        }
        Ok(true)
    }

    /// Judges the proof of an answer; `None` when it has none.
    async fn prove(
        &self,
        response: &Response,
        owner: &Owner,
        turn: &mut Turn<'_>,
    ) -> Result<Option<Verdict>, Error> {
        let verdict = if let Some(typed) = response.text("code") {
            self.judge_code(turn, owner, typed).await?
        } else if let Some(answer) = response.object("webauthn") {
            self.judge_key(turn, owner, answer).await?
        } else if let Some(pk) = response.integer("duo") {
            let anew = response.has_object("selected_challenge");
            duo::judge(self, turn, pk, anew).await?
        } else {
            return Ok(None);
        };
        Ok(Some(verdict))
    }
}

#[async_trait(?Send)]
impl Stage for AuthenticatorValidate {
    const COMPONENT: &'static str = "ak-stage-authenticator-validate";

    const FIELDS: &'static [Field] = &[
        Field {
            name: "selected_challenge",
            shape: Shape::OptionalObject,
            secret: false,
        },
        Field {
            name: "selected_stage",
            shape: Shape::OptionalText,
            secret: false,
        },
        Field {
            name: "code",
            shape: Shape::GivenToken,
            secret: true,
        },
        Field {
            name: "webauthn",
            shape: Shape::OptionalObject,
            secret: true,
        },
        Field {
            name: "duo",
            shape: Shape::OptionalInteger,
            secret: false,
        },
    ];

    async fn enter(&self, turn: &mut Turn<'_>) -> Result<Entered, Error> {
        configure::forget(turn);
        let owner = Owner::of(turn).await?;
        let logs_in = turn.flow.designation == Designation::Authentication;
        if matches!(owner, Owner::Nobody) {
            if !(logs_in && self.allows(DeviceClass::Webauthn)) {
                return Ok(Entered::Passed);
            }
            offered::keep(turn, &[offered::Offer::to_anybody()]);
            webauthn::begin(turn)?;
            return Ok(Entered::Asks);
        }
        let devices = self.devices(turn, &owner).await?;
        if let Some(device) = self.shown_before(turn, &devices) {
            remembered::waive(turn, &device.value);
            return Ok(Entered::Passed);
        }
        let offers = self.offers(&devices);
        offered::keep(turn, &offers);
        if offers.is_empty() {
            return self.without(turn).await;
        }
        if offers.iter().any(offered::Offer::is_of_a_key) {
            webauthn::begin(turn)?;
        }
        Ok(Entered::Asks)
    }

    async fn challenge(&self, turn: &mut Turn<'_>) -> Result<Map<String, Value>, Error> {
        let mut fields = with_user(turn).await?;
        let offers = self.offers_kept(turn).await?;
        fields.insert("device_challenges".to_owned(), json!(offers));
        let stages = configure::shown(turn).await?;
        fields.insert("configuration_stages".to_owned(), stages);
        Ok(fields)
    }

    async fn judge(&self, response: Response, turn: &mut Turn<'_>) -> Result<Verdict, Error> {
        let owner = Owner::of(turn).await?;
        let stages = configure::kept(turn);
        if !stages.is_empty() && self.has_some_by_now(turn, &owner).await? {
            return Ok(Verdict::Asks);
        }
        if let Some(typed) = response.text("selected_stage") {
            return self.take_stage(turn, &stages, typed.expose_secret()).await;
        }
        let selected = response.object("selected_challenge");
        if let Some(selected) = selected {
            match self.select(turn, &owner, selected, &response).await? {
                Ok(None) => {}
                Ok(Some(effect)) => return Ok(Verdict::Waits(effect)),
                Err(text) => return Ok(refused("selected_challenge", text)),
            }
        }
        if let Some(verdict) = self.prove(&response, &owner, turn).await? {
            if matches!(verdict, Verdict::Rejected(_)) {
                turn.count(owner.name(), -1);
            }
            return Ok(verdict);
        }
        if selected.is_some() {
            return Ok(chosen(turn));
        }
        Ok(refused(NON_FIELD_ERRORS, EMPTY_RESPONSE))
    }

    fn interrupts(&self, response: &Response, turn: &Turn<'_>) -> bool {
        if duo::is_waiting(turn) {
            return duo::gives_way(response, turn);
        }
        select::gives_way(response)
    }

    async fn conclude(&self, outcome: &Outcome, turn: &mut Turn<'_>) -> Result<Verdict, Error> {
        if !matches!(turn.took_up, Some(Effect::Sms { .. })) {
            return duo::conclude(self, turn, outcome).await;
        }
        Ok(match sms::sent(turn, outcome) {
            Ok(()) => chosen(turn),
            Err(problem) => refused("selected_challenge", problem.text),
        })
    }

    fn problems(&self) -> Vec<Invalid> {
        let configures = self.not_configured_action == NotConfiguredAction::Configure;
        if configures && self.configuration_stages.is_empty() {
            let text = "When \"Not configured action\" is set to \"Configure\", you must set a configuration stage.";
            return vec![Invalid::new("not_configured_action", Problem::Other(text))];
        }
        Vec::new()
    }
}
