//! What the visitor may choose from: the devices that are good enough, and one offer for each
//! class.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{AuthenticatorValidate, Owner};
use crate::directory::device::{Authenticator, Device, DeviceClass, devices_of};
use crate::flow::context::{Value as Known, key};
use crate::journal::Version;
use crate::journal::object::Versioned;
use crate::stage::authenticator::mask::masked;
use crate::stage::{Error, Turn};
use crate::webauthn::models;

/// One authenticator that the visitor may choose, as it is on the wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Offer {
    /// Its class.
    pub(super) device_class: DeviceClass,
    /// Its number; `-1` where anybody's is taken.
    pub(super) device_uid: String,
    /// What its class says besides. What a security key has to sign is not here: that is in the
    /// vault.
    pub(super) challenge: Map<String, Value>,
    /// When it was used last.
    pub(super) last_used: Option<jiff::Timestamp>,
}

impl Offer {
    /// A security key or a passkey, whoever's it is.
    pub(super) fn to_anybody() -> Self {
        Self {
            device_class: DeviceClass::Webauthn,
            device_uid: "-1".to_owned(),
            challenge: Map::new(),
            last_used: None,
        }
    }

    /// Whether it is one of a security key or a passkey.
    pub(super) fn is_of_a_key(&self) -> bool {
        self.device_class == DeviceClass::Webauthn
    }

    /// Whether anybody's is taken.
    pub(super) fn is_to_anybody(&self) -> bool {
        self.device_uid == "-1"
    }

    fn of(device: &Device) -> Self {
        let mut challenge = Map::new();
        if let Authenticator::Email { email, .. } = &device.of {
            challenge.insert("email".to_owned(), masked(email).into());
        }
        Self {
            device_class: device.class(),
            device_uid: device.pk.to_string(),
            challenge,
            last_used: device.last_used,
        }
    }
}

impl AuthenticatorValidate {
    /// The user's devices that count here, in authentik's order. Those of a model that is not
    /// allowed are among them.
    pub(super) async fn devices(
        &self,
        turn: &Turn<'_>,
        owner: &Owner,
    ) -> Result<Vec<Versioned<Device>>, Error> {
        // A stranger's are looked for as well: it is as much work.
        let user = owner.id().unwrap_or(Uuid::nil());
        let mut found = devices_of(turn.world.objects(), user).await?;
        for device in turn.world.written_devices(user) {
            match found.iter_mut().find(|it| it.value.uuid == device.uuid) {
                Some(known) => known.value = device,
                None => found.push(Versioned {
                    version: Version::NONE,
                    value: device,
                }),
            }
        }
        found.sort_by_key(|it| (it.value.class().as_str(), it.value.created, it.value.uuid));
        found.retain(|it| self.counts(&it.value));
        Ok(found)
    }

    fn counts(&self, device: &Device) -> bool {
        device.confirmed && self.allows(device.class()) && !is_hashed(device)
    }

    /// One offer for each class, of its oldest device.
    pub(super) fn offers(&self, devices: &[Versioned<Device>]) -> Vec<Offer> {
        let mut offers: Vec<Offer> = Vec::new();
        for device in devices.iter().map(|it| &it.value) {
            let class = device.class();
            let is_new = offers.last().is_none_or(|it| it.device_class != class);
            if is_new && self.allows_type(device) {
                offers.push(Offer::of(device));
            }
        }
        offers
    }

    /// Whether the model of a security key is good enough; one that does not say what it is, is.
    pub(in crate::stage) fn allows_type(&self, device: &Device) -> bool {
        let allowed = &self.webauthn_allowed_device_types;
        match &device.of {
            Authenticator::Webauthn(key) if !allowed.is_empty() => {
                key.aaguid.is_nil() || models::is_allowed(allowed, key.aaguid)
            }
            _ => true,
        }
    }
}

/// Nothing can be sent to a number of which only the digest is known.
fn is_hashed(device: &Device) -> bool {
    match &device.of {
        Authenticator::Sms { phone_number, .. } => phone_number.starts_with("hash:"),
        _ => false,
    }
}

/// Puts the offers into the context, where also a page that is loaded again finds them.
pub(super) fn keep(turn: &mut Turn<'_>, offers: &[Offer]) {
    turn.set(key::VALIDATE_CHALLENGES, Some(Known::Json(json!(offers))));
}

/// The offers that were made.
pub(super) fn kept(turn: &Turn<'_>) -> Vec<Offer> {
    match turn.running.context.get(key::VALIDATE_CHALLENGES) {
        Some(Known::Json(offers)) => serde_json::from_value(offers.clone()).unwrap_or_default(),
        _ => Vec::new(),
    }
}
