//! A visitor chooses one of the authenticators that they were offered.

use serde_json::Value;
use uuid::Uuid;

use super::{AuthenticatorValidate, Owner, duo, offered};
use crate::directory::device::DeviceClass;
use crate::flow::event::Event;
use crate::journal::object::{Versioned, put};
use crate::stage::authenticator::{email, sms};
use crate::stage::{Error, Response, Turn};
use crate::world::Change;

/// What is read by whoever chooses what was not offered.
const INVALID: &str = "invalid challenge selected";

/// Whether an answer takes the place of a choice that waits until its code is sent: a proof, or
/// another choice.
pub(super) fn gives_way(response: &Response) -> bool {
    let chosen = response.object("selected_challenge");
    response.text("code").is_some()
        || response.has_object("webauthn")
        || response.integer("duo").is_some()
        || response.text("selected_stage").is_some()
        || chosen.is_some_and(|it| it["device_class"] != DeviceClass::Sms.as_str())
}

impl AuthenticatorValidate {
    /// Takes a choice, and sends a code where the device needs one: `Some` is the effect of a text
    /// message, of which somebody has to know what came. The inner error is for the visitor.
    ///
    /// A choice that comes together with a code sends none: it would take the place of the one
    /// that is being answered.
    pub(super) async fn select(
        &self,
        turn: &mut Turn<'_>,
        owner: &Owner,
        selected: &Value,
        response: &Response,
    ) -> Result<Result<Option<Uuid>, String>, Error> {
        let text = |name: &str| selected[name].as_str();
        let uid = text("device_uid");
        let offers = offered::kept(turn);
        let offer = offers.iter().find(|offer| {
            text("device_class") == Some(offer.device_class.as_str())
                && uid == Some(offer.device_uid.as_str())
        });
        let Some(offer) = offer else {
            return Ok(Err(INVALID.to_owned()));
        };
        if offer.is_to_anybody() {
            return Ok(Ok(None));
        }
        let devices = self.devices(turn, owner).await?;
        let chosen = devices.into_iter().find(|device| {
            let device = &device.value;
            device.class() == offer.device_class && device.pk.to_string() == offer.device_uid
        });
        let (Some(device), Some(user)) = (chosen, owner.user()) else {
            return Ok(Err(INVALID.to_owned()));
        };
        if device.value.class() == DeviceClass::Duo {
            duo::chosen(turn);
        }
        let Versioned { version, mut value } = device;
        turn.learn(Event::MfaChallenged {
            device: value.uuid,
            class: value.class().to_string(),
        });
        if response.text("code").is_some() {
            return Ok(Ok(None));
        }
        let sent = match value.class() {
            DeviceClass::Sms => {
                let sent = sms::send_code(turn, &user.value, &mut value).await?;
                sent.map(Some)
            }
            DeviceClass::Email => {
                let sent = email::send_code(turn, &user.value, &mut value).await?;
                sent.map(|()| None)
            }
            _ => return Ok(Ok(None)),
        };
        if sent.is_ok() {
            value.last_updated = turn.world.now();
            turn.world.change(Change::Write(put(&value, version)));
        }
        Ok(sent)
    }
}
