//! Passkeys beside the question who somebody is: the browser offers them while a name is typed.
//! Source: authentik `stages/identification`, `passkey`.
//!
//! What is offered and what is good enough says the stage that `webauthn_stage` names.

use serde_json::{Map, Value};

use super::{Identification, Kind, beside, refused};
use crate::directory::device::Device;
use crate::flow::context::{self, key};
use crate::flow::event::Event;
use crate::journal::object::{Versioned, put};
use crate::stage::authenticator::validate::{AuthenticatorValidate, reference, webauthn};
use crate::stage::{Error, Turn, Verdict};
use crate::world::Change;

/// Which part of authentik has authenticated somebody who came with a passkey.
const BACKEND: &str = "authentik.stages.identification.stage.IdentificationStageView";

/// How they logged in.
const METHOD: &str = "auth_webauthn_pwl";

impl Identification {
    /// The stage whose passkeys are offered.
    async fn passkeys(&self, turn: &Turn<'_>) -> Result<Option<AuthenticatorValidate>, Error> {
        beside(turn, self.webauthn_stage, Kind::AuthenticatorValidate).await
    }

    /// Makes what a passkey has to sign, if any is asked for.
    pub(super) fn begin_passkey(&self, turn: &mut Turn<'_>) -> Result<(), Error> {
        match self.webauthn_stage {
            Some(_) => webauthn::begin(turn),
            None => Ok(()),
        }
    }

    /// What the browser is asked, as it may be written down; the visitor sees all of it.
    pub(super) async fn passkey_challenge(&self, turn: &mut Turn<'_>) -> Result<Value, Error> {
        let Some(stage) = self.passkeys(turn).await? else {
            return Ok(Value::Null);
        };
        let shown = webauthn::options(&stage, turn, None, true).await?;
        turn.show("passkey_challenge", shown);
        webauthn::options(&stage, turn, None, false).await
    }

    /// Judges the passkey that was shown. Nothing else of the answer counts then.
    pub(super) async fn judge_passkey(
        &self,
        turn: &mut Turn<'_>,
        answer: &Value,
    ) -> Result<Verdict, Error> {
        let Some(stage) = self.passkeys(turn).await? else {
            return Ok(refused("Invalid device"));
        };
        let known = turn.running.context.pending_user();
        match webauthn::judge(&stage, turn, answer, known).await? {
            Ok(device) => {
                accept(turn, device).await?;
                Ok(Verdict::Passed)
            }
            Err(text) => Ok(refused(&text)),
        }
    }
}

/// Lets the owner of a passkey pass.
async fn accept(turn: &mut Turn<'_>, mut device: Versioned<Device>) -> Result<(), Error> {
    let now = turn.world.now();
    device.value.last_used = Some(now);
    device.value.last_updated = now;
    turn.world
        .change(Change::Write(put(&device.value, device.version)));
    let device = device.value;
    let user = device.user;
    let found = turn.user(user).await?;
    let active = found.is_some_and(|user| user.value.is_active);
    turn.learn(Event::MfaVerified {
        device: device.uuid,
        class: device.class().to_string(),
    });
    turn.learn(Event::UserIdentified {
        user: Some(user),
        active,
    });
    webauthn::end(turn);
    turn.set(key::PENDING_USER, Some(context::Value::User(user)));
    if turn
        .running
        .context
        .get(key::PENDING_USER_IDENTIFIER)
        .is_some()
    {
        turn.set(key::PENDING_USER_IDENTIFIER, None);
    }
    turn.set(key::USER_BACKEND, Some(context::Value::text(BACKEND)));
    turn.set(key::AUTH_METHOD, Some(context::Value::text(METHOD)));
    let mut args = match turn.running.context.get(key::AUTH_METHOD_ARGS) {
        Some(context::Value::Json(Value::Object(args))) => args.clone(),
        _ => Map::new(),
    };
    args.insert("device".to_owned(), reference(&device));
    args.insert("device_type".to_owned(), webauthn::model(&device));
    turn.set(
        key::AUTH_METHOD_ARGS,
        Some(context::Value::Json(Value::Object(args))),
    );
    Ok(())
}
