//! A visitor chooses one of the authenticators that they were offered.

use serde_json::Value;

use super::{AuthenticatorValidate, Owner, duo, offered};
use crate::directory::device::DeviceClass;
use crate::flow::event::Event;
use crate::stage::{Error, Turn};

/// What is read by whoever chooses what was not offered.
const INVALID: &str = "invalid challenge selected";

impl AuthenticatorValidate {
    /// Takes a choice. The inner error is for the visitor.
    pub(super) async fn select(
        &self,
        turn: &mut Turn<'_>,
        owner: &Owner,
        selected: &Value,
    ) -> Result<Result<(), String>, Error> {
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
            return Ok(Ok(()));
        }
        let devices = self.devices(turn, owner).await?;
        let chosen = devices.iter().map(|it| &it.value).find(|device| {
            device.class() == offer.device_class && device.pk.to_string() == offer.device_uid
        });
        let Some(device) = chosen else {
            return Ok(Err(INVALID.to_owned()));
        };
        if device.class() == DeviceClass::Duo {
            duo::chosen(turn);
        }
        turn.learn(Event::MfaChallenged {
            device: device.uuid,
            class: device.class().to_string(),
        });
        Ok(Ok(()))
    }
}
