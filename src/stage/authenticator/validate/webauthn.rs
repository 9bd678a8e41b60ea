//! Security keys and passkeys as a second factor, as the only one, and beside the question who
//! somebody is.

use serde_json::{Value, json};
use uuid::Uuid;

use super::offered::{self, Offer};
use super::{AuthenticatorValidate, NOT_OFFERED, Owner};
use crate::directory::device::{
    Authenticator, Credential, Device, DeviceClass, device_by_credential, devices_of,
};
use crate::flow::event::{Event, MfaProblem};
use crate::journal::object::Versioned;
use crate::stage::authenticator::webauthn::challenge;
use crate::stage::reply::object;
use crate::stage::{Error, Turn, Verdict};
use crate::webauthn::{Known, Request, Requirement, is_later, models};

/// Google's login on Chromebooks forgets to say of which type a credential is.
const FORGETFUL: &str = "MinuteMaid";

const INVALID: &str = "Invalid device";
const FAILED: &str = "Assertion failed";

/// Makes a challenge, in the place of the one before.
pub(in crate::stage) fn begin(turn: &mut Turn<'_>) -> Result<(), Error> {
    challenge::renew(turn)
}

/// Drops the challenge: nothing is asked any more.
pub(in crate::stage) fn end(turn: &mut Turn<'_>) {
    challenge::drop(turn);
}

impl AuthenticatorValidate {
    /// The offers that were made, with what a browser is asked for a key. The visitor sees all of
    /// it, the trail has no challenge.
    pub(super) async fn offers_kept(&self, turn: &mut Turn<'_>) -> Result<Vec<Offer>, Error> {
        let mut offers = offered::kept(turn);
        let Some(at) = offers.iter().position(Offer::is_of_a_key) else {
            return Ok(offers);
        };
        let user = if offers[at].is_to_anybody() {
            None
        } else {
            // Of a user who is gone there are no devices, as there are none of nobody.
            Some(Owner::of(turn).await?.id().unwrap_or(Uuid::nil()))
        };
        let mut shown = offers.clone();
        shown[at].challenge = object(options(self, turn, user, true).await?);
        turn.show("device_challenges", json!(shown));
        offers[at].challenge = object(options(self, turn, user, false).await?);
        Ok(offers)
    }

    /// Judges a key that was shown, and lets its owner pass if it is good.
    pub(super) async fn judge_key(
        &self,
        turn: &mut Turn<'_>,
        owner: &Owner,
        answer: &Value,
    ) -> Result<Verdict, Error> {
        let offers = offered::kept(turn);
        let Some(offer) = offers.iter().find(|offer| offer.is_of_a_key()) else {
            return Ok(super::refused("webauthn", NOT_OFFERED));
        };
        let known = owner.id().unwrap_or(Uuid::nil());
        let user = (!offer.is_to_anybody()).then_some(known);
        match judge(self, turn, answer, user).await? {
            Ok(device) => self.accepted(turn, device).await,
            Err(text) => Ok(super::refused("webauthn", text)),
        }
    }
}

/// What a browser is asked, for the devices of `user` or for any passkey of this site. Without
/// `with_challenge` it is as it may be written down.
pub(in crate::stage) async fn options(
    stage: &AuthenticatorValidate,
    turn: &Turn<'_>,
    user: Option<Uuid>,
    with_challenge: bool,
) -> Result<Value, Error> {
    let mut devices: Vec<Device> = Vec::new();
    if let Some(user) = user {
        let found = devices_of(turn.world.objects(), user).await?;
        devices.extend(found.into_iter().map(|it| it.value));
        // One that was registered in this very command is in no journal yet.
        for device in turn.world.written_devices(user) {
            devices.retain(|it| it.uuid != device.uuid);
            devices.push(device);
        }
    }
    devices.retain(|it| it.confirmed);
    devices.sort_by(|one, other| one.name.cmp(&other.name));
    let credentials = devices.into_iter().filter_map(|it| match it.of {
        Authenticator::Webauthn(credential) => Some(credential.credential_id),
        _ => None,
    });
    let request = Request {
        party: &challenge::party(turn),
        credentials: &credentials.collect::<Vec<_>>(),
        verification: stage.webauthn_user_verification,
        hints: &stage.webauthn_hints,
    };
    if !with_challenge {
        return Ok(request.options(None));
    }
    let secret = challenge::open(turn).await?;
    Ok(request.options(Some(&challenge::bytes(&secret))))
}

/// Judges an assertion, whose challenge is used up by that. The device comes back with what it
/// counted, and is not written yet; the inner error is for the visitor.
pub(in crate::stage) async fn judge(
    stage: &AuthenticatorValidate,
    turn: &mut Turn<'_>,
    answer: &Value,
    user: Option<Uuid>,
) -> Result<Result<Versioned<Device>, String>, Error> {
    let secret = challenge::open(turn).await?;
    begin(turn)?;
    let Some((mut device, credential)) = find(turn, answer, user).await? else {
        return Ok(refused(turn, None, MfaProblem::UnknownDevice, INVALID));
    };
    if !stage.allows_type(&device.value) {
        let text = challenge::wrong_type(turn).await?;
        return Ok(refused(turn, Some(&device), MfaProblem::Type, &text));
    }
    let party = challenge::party(turn);
    let verified = stage.webauthn_user_verification == Requirement::Required;
    let ceremony = challenge::ceremony(&secret, &party, verified);
    let known = Known {
        credential_id: &credential.credential_id,
        public_key: &credential.public_key,
    };
    let asserted = turn.world.assert(ceremony, answer, known)?;
    let asserted = asserted.and_then(|it| {
        let later = is_later(credential.sign_count, it.sign_count);
        // The copy of a key, or an answer that was sent before.
        later.then_some(it).ok_or_else(|| {
            let (was, is) = (credential.sign_count, it.sign_count);
            format!("its counter did not go on: it was {was} and is {is}")
        })
    });
    match asserted {
        Ok(asserted) => {
            device.value.of = Authenticator::Webauthn(Box::new(Credential {
                sign_count: asserted.sign_count,
                ..credential
            }));
            Ok(Ok(device))
        }
        Err(problem) => {
            // Of whoever was known before, whoever asked counts it.
            if user.is_none() {
                let owner = turn.user(device.value.user).await?;
                turn.count(owner.as_ref().map_or("", |it| &it.value.username), -1);
            }
            let reason = MfaProblem::Assertion { problem };
            Ok(refused(turn, Some(&device), reason, FAILED))
        }
    }
}

/// The device that an answer names, if it is there and `user`'s.
async fn find(
    turn: &Turn<'_>,
    answer: &Value,
    user: Option<Uuid>,
) -> Result<Option<(Versioned<Device>, Credential)>, Error> {
    let lenient = turn.client.user_agent.contains(FORGETFUL);
    let Some(id) = turn.world.presented(answer, lenient)? else {
        return Ok(None);
    };
    let device = device_by_credential(turn.world.objects(), &id).await?;
    let device =
        device.filter(|it| it.value.confirmed && user.is_none_or(|user| it.value.user == user));
    Ok(device.and_then(|device| match &device.value.of {
        Authenticator::Webauthn(credential) => {
            let credential = Credential::clone(credential);
            Some((device, credential))
        }
        _ => None,
    }))
}

fn refused(
    turn: &mut Turn<'_>,
    device: Option<&Versioned<Device>>,
    reason: MfaProblem,
    text: &str,
) -> Result<Versioned<Device>, String> {
    turn.learn(Event::MfaRejected {
        class: DeviceClass::Webauthn.to_string(),
        device: device.map(|it| it.value.uuid),
        reason,
    });
    Err(text.to_owned())
}

/// What policies get to know of a device's model; nothing of one that is not known.
pub(in crate::stage) fn model(device: &Device) -> Value {
    let Authenticator::Webauthn(credential) = &device.of else {
        return Value::Null;
    };
    let name = models::name(credential.aaguid);
    name.map_or(Value::Null, |name| {
        json!({
            "app": "authentik_stages_authenticator_webauthn",
            "model_name": "webauthndevicetype",
            "name": name,
            "pk": credential.aaguid,
        })
    })
}
