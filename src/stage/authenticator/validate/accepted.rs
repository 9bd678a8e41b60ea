//! What follows when an authenticator has proved that the visitor has it.

use serde_json::{Map, Value, json};

use super::{AuthenticatorValidate, offered, remembered, webauthn};
use crate::directory::device::Device;
use crate::directory::mfa_attempts::{MfaAttempts, mfa_attempts};
use crate::flow::context::{Value as Known, key};
use crate::flow::event::Event;
use crate::journal::object::{Versioned, put};
use crate::stage::{Error, Turn, Verdict};
use crate::world::Change;

/// How somebody logged in who showed an authenticator and nothing before it.
const METHOD: &str = "auth_mfa";

/// How somebody logged in whom nobody knew before they showed it.
const PASSWORDLESS: &str = "auth_webauthn_pwl";

impl AuthenticatorValidate {
    /// Lets the visitor pass. It writes the device, so whoever calls hands it over with all that is
    /// to be different about it; and whoever is known by nothing else is known by it.
    pub(in crate::stage) async fn accepted(
        &self,
        turn: &mut Turn<'_>,
        mut device: Versioned<Device>,
    ) -> Result<Verdict, Error> {
        let now = turn.world.now();
        device.value.last_used = Some(now);
        device.value.last_updated = now;
        device.value.throttle.reset();
        let write = put(&device.value, device.version);
        turn.world.change(Change::Write(write));
        let device = device.value;
        turn.learn(Event::MfaVerified {
            device: device.uuid,
            class: device.class().to_string(),
        });
        forgive(turn, &device).await?;
        let is_known = turn.running.context.get(key::PENDING_USER).is_some();
        // Whoever is merely logged in is known as well.
        let mut offers = offered::kept(turn).into_iter();
        let is_passwordless = !is_known && offers.any(|it| it.is_to_anybody());
        note_method(turn, &device, !is_passwordless);
        if !is_known {
            let active = turn.user(device.user).await?;
            let active = active.is_some_and(|user| user.value.is_active);
            let user = device.user;
            turn.set(key::PENDING_USER, Some(Known::User(user)));
            turn.learn(Event::UserIdentified {
                user: Some(user),
                active,
            });
        }
        if turn.running.context.get(key::WEBAUTHN_CHALLENGE).is_some() {
            turn.set(key::WEBAUTHN_CHALLENGE, None);
        }
        remembered::remember(self, turn, &device);
        Ok(Verdict::Passed)
    }
}

/// The wrong codes before a right one count no more.
async fn forgive(turn: &Turn<'_>, device: &Device) -> Result<(), Error> {
    let attempts = mfa_attempts(turn.world.objects(), device.user).await?;
    if attempts.value.failures > 0 {
        let none = MfaAttempts::none(device.user);
        let write = put(&none, attempts.version);
        turn.world.change(Change::Write(write));
    }
    Ok(())
}

/// How policies get to know by what the visitor proved who they are.
fn note_method(turn: &mut Turn<'_>, device: &Device, is_known: bool) {
    let context = &turn.running.context;
    let mut args = match context.get(key::AUTH_METHOD_ARGS) {
        Some(Known::Json(Value::Object(args))) => args.clone(),
        _ => Map::new(),
    };
    let shown = reference(device);
    let devices = args.entry("mfa_devices").or_insert_with(|| json!([]));
    if let Value::Array(devices) = devices {
        devices.push(shown.clone());
    }
    if !is_known {
        args.insert("device".to_owned(), shown);
        args.insert("device_type".to_owned(), webauthn::model(device));
    }
    let has_method = context.get(key::AUTH_METHOD).is_some();
    let method = if is_known { METHOD } else { PASSWORDLESS };
    if !has_method || !is_known {
        turn.set(key::AUTH_METHOD, Some(Known::text(method)));
    }
    let args = Known::Json(Value::Object(args));
    turn.set(key::AUTH_METHOD_ARGS, Some(args));
}

/// What is known of a device elsewhere: which it is, and what its owner calls it.
pub(in crate::stage) fn reference(device: &Device) -> Value {
    let class = device.class();
    json!({
        "app": format!("authentik_stages_authenticator_{class}"),
        "model_name": format!("{class}device"),
        "name": device.name,
        "pk": device.pk,
    })
}
