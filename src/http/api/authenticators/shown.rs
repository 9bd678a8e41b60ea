//! How the API shows devices. Never with a secret, but for the recovery codes that are left, to
//! whoever owns them.

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::directory::user::last_login;
use crate::directory::{Authenticator, Device, DeviceClass, User};
use crate::http::{Error, State};
use crate::webauthn::models;

/// What the API calls a class of devices.
#[derive(Debug)]
pub(super) struct Names {
    /// Its model: with its application as authentik writes it, and without.
    pub(super) label: &'static str,
    /// What people call one.
    pub(super) title: &'static str,
    /// Said where there is none with a number.
    pub(super) unknown: &'static str,
}

/// What the API calls this class.
pub(super) fn names(class: DeviceClass) -> Names {
    macro_rules! names {
        ($app:literal, $model:literal, $title:literal) => {
            Names {
                label: concat!("authentik_stages_authenticator_", $app, ".", $model),
                title: $title,
                unknown: concat!("No ", $model, " matches the given query."),
            }
        };
    }
    match class {
        DeviceClass::Static => names!("static", "StaticDevice", "Static Device"),
        DeviceClass::Totp => names!("totp", "TOTPDevice", "TOTP Device"),
        DeviceClass::Webauthn => names!("webauthn", "WebAuthnDevice", "WebAuthn Device"),
        DeviceClass::Duo => names!("duo", "DuoDevice", "Duo Device"),
        DeviceClass::Sms => names!("sms", "SMSDevice", "SMS Device"),
        DeviceClass::Email => names!("email", "EmailDevice", "Email Device"),
    }
}

/// A device as one of its class. `to_owner`: whether its owner asks.
pub(super) async fn one(
    state: &State,
    device: &Device,
    owner: &User,
    to_owner: bool,
) -> Result<Value, Error> {
    let mut shown = json!({
        "pk": device.pk,
        "name": device.name,
        "user": person(state, owner).await?,
    });
    match &device.of {
        Authenticator::Static { codes } => {
            let codes = codes.iter().filter(|_| to_owner);
            let codes: Vec<Value> = codes
                .map(|it| json!({ "token": it.code.expose_secret() }))
                .collect();
            shown["token_set"] = codes.into();
        }
        Authenticator::Webauthn(credential) => {
            shown["created_on"] = json!(device.created);
            shown["device_type"] = match models::name(credential.aaguid) {
                Some(name) => json!({ "aaguid": credential.aaguid, "description": name }),
                None => Value::Null,
            };
            shown["aaguid"] = credential.aaguid.to_string().into();
        }
        Authenticator::Sms { phone_number, .. } => {
            shown["phone_number"] = phone_number.as_str().into();
        }
        Authenticator::Email { email, .. } => shown["email"] = email.as_str().into(),
        Authenticator::Totp(_) | Authenticator::Duo { .. } => {}
    }
    Ok(shown)
}

/// A device among those of all classes.
pub(super) fn any(device: &Device) -> Value {
    let Names { label, title, .. } = names(device.class());
    let model = match &device.of {
        Authenticator::Webauthn(credential) => Some(credential.aaguid),
        _ => None,
    };
    json!({
        "verbose_name": title,
        "verbose_name_plural": format!("{title}s"),
        "meta_model_name": label.to_lowercase(),
        "pk": device.pk.to_string(),
        "name": device.name,
        "type": label,
        "confirmed": device.confirmed,
        "created": device.created,
        "last_updated": device.last_updated,
        "last_used": device.last_used,
        "extra_description": model.and_then(models::name),
        "external_id": model,
    })
}

/// Whose it is.
async fn person(state: &State, user: &User) -> Result<Value, Error> {
    let last_login = last_login(&*state.journal, user.uuid, state.clock.now()).await?;
    Ok(json!({
        "pk": user.pk,
        "username": user.username,
        "name": user.name,
        "is_active": user.is_active,
        "last_login": last_login,
        "email": user.email,
        "attributes": user.attributes,
        "uid": user.uid(state.install_id),
    }))
}
