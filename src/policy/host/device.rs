//! Devices: which ones somebody has, and what an expression may read of one. Never a secret: no
//! key, no code.

use std::rc::Rc;

use super::query::Model;
use super::row::Row;
use super::{Answers, abort};
use crate::directory::{Authenticator, Device, DeviceClass, devices_of};
use crate::expression::{Call, Failure, Value};
use crate::policy::context;

/// The class of each class of devices, as authentik calls it.
const CLASSES: [(DeviceClass, &str); 6] = [
    (DeviceClass::Duo, "DuoDevice"),
    (DeviceClass::Email, "EmailDevice"),
    (DeviceClass::Sms, "SMSDevice"),
    (DeviceClass::Static, "StaticDevice"),
    (DeviceClass::Totp, "TOTPDevice"),
    (DeviceClass::Webauthn, "WebAuthnDevice"),
];

/// What every device can be found by.
const COMMON: [&str; 7] = [
    "id",
    "name",
    "user",
    "confirmed",
    "created",
    "last_updated",
    "last_used",
];

/// What authentik calls devices of this class.
pub(super) fn name(class: DeviceClass) -> &'static str {
    let found = CLASSES.iter().find(|(known, _)| *known == class);
    found.map_or("Device", |(_, name)| name)
}

/// The class of devices that is called so.
pub(super) fn class(name: &str) -> Option<DeviceClass> {
    let found = CLASSES.iter().find(|(_, known)| *known == name);
    found.map(|(class, _)| *class)
}

/// What devices of this class can be found by.
pub(super) fn has_column(class: DeviceClass, name: &str) -> bool {
    let own: &[&str] = match class {
        DeviceClass::Static => &["throttling_failure_count", "throttling_failure_timestamp"],
        DeviceClass::Totp => &[
            "digits",
            "step",
            "throttling_failure_count",
            "throttling_failure_timestamp",
        ],
        DeviceClass::Webauthn => &[
            "aaguid",
            "credential_id",
            "sign_count",
            "rp_id",
            "created_on",
        ],
        DeviceClass::Duo => &["stage", "duo_user_id"],
        DeviceClass::Sms => &["stage", "phone_number"],
        DeviceClass::Email => &["stage", "email"],
    };
    COMMON.contains(&name) || own.contains(&name)
}

/// A field by its name in authentik's models; whose it is, [`Answers::column`] knows.
pub(super) fn field(device: &Device, name: &str) -> Option<Value> {
    let moment = |at: Option<jiff::Timestamp>| at.map_or(Value::None, Value::Moment);
    if !has_column(device.class(), name) && name != "pk" {
        return None;
    }
    Some(match (&device.of, name) {
        (_, "pk" | "id") => Value::Int(device.pk),
        (_, "name") => Value::text(&device.name),
        (_, "confirmed") => Value::Bool(device.confirmed),
        (_, "created" | "created_on") => Value::Moment(device.created),
        (_, "last_updated") => Value::Moment(device.last_updated),
        (_, "last_used") => moment(device.last_used),
        (_, "throttling_failure_count") => Value::Int(i64::from(device.throttle.failures)),
        (_, "throttling_failure_timestamp") => moment(device.throttle.last),
        (Authenticator::Totp(totp), "digits") => Value::Int(i64::from(totp.digits)),
        (Authenticator::Totp(totp), "step") => Value::Int(i64::from(totp.step)),
        (Authenticator::Webauthn(credential), name) => match name {
            "aaguid" => Value::text(credential.aaguid.to_string()),
            "credential_id" => Value::text(&credential.credential_id),
            "sign_count" => Value::Int(i64::from(credential.sign_count)),
            "rp_id" => Value::text(&credential.rp_id),
            _ => return None,
        },
        (
            Authenticator::Duo { stage, .. }
            | Authenticator::Sms { stage, .. }
            | Authenticator::Email { stage, .. },
            "stage",
        ) => Value::text(stage.to_string()),
        (Authenticator::Duo { duo_user_id, .. }, "duo_user_id") => Value::text(duo_user_id),
        (Authenticator::Sms { phone_number, .. }, "phone_number") => Value::text(phone_number),
        (Authenticator::Email { email, .. }, "email") => Value::text(email),
        _ => return None,
    })
}

impl Answers<'_> {
    /// `ak_user_has_authenticator(user, device_type=None)`: whether somebody has a confirmed device,
    /// of this class where one is named.
    pub(super) async fn has_authenticator(&self, call: &Call) -> Result<Value, Failure> {
        let wanted = match call.argument(1, "device_type") {
            None | Some(Value::None) => None,
            Some(wanted) => Some(wanted.displayed()),
        };
        let devices = self.devices(call).await?;
        let mut confirmed = devices.iter().filter(|it| it.confirmed);
        Ok(Value::Bool(confirmed.any(|it| {
            let class = it.class().as_str();
            wanted.as_ref().is_none_or(|wanted| wanted == class)
        })))
    }

    /// `devices_for_user(user, confirmed=True)`; with `confirmed=None` also those that are not.
    pub(super) async fn devices_for_user(&self, call: &Call) -> Result<Value, Failure> {
        let wanted = match call.argument(1, "confirmed") {
            None => Some(true),
            Some(Value::None) => None,
            Some(wanted) => Some(wanted.truthy()),
        };
        let devices = self.devices(call).await?;
        let fits = |it: &Device| wanted.is_none_or(|wanted| it.confirmed == wanted);
        let devices = devices.into_iter().filter(fits);
        let rows = devices.map(|it| self.seen(Row::Device(it)));
        Ok(Value::List(
            rows.map(|row| self.handle(&row).into()).collect(),
        ))
    }

    /// The devices of the user that a call names; nobody who is not stored has any.
    async fn devices(&self, call: &Call) -> Result<Vec<Device>, Failure> {
        let row = match call.argument(0, "user") {
            Some(Value::Object(user)) if user.class == context::USER => self.row(user).await?,
            _ => None,
        };
        let Some(user) = row else {
            return Ok(Vec::new());
        };
        let found = devices_of(self.request.world.objects(), user.id()).await;
        let found = found.map_err(abort)?;
        Ok(found.into_iter().map(|it| it.value).collect())
    }
}

/// The rows of a class among those that were read.
pub(super) fn of_class(rows: Vec<Rc<Row>>, model: &Model) -> Vec<Rc<Row>> {
    let Model::Device(Some(wanted)) = model else {
        return rows;
    };
    let is_wanted = |row: &Rc<Row>| match &**row {
        Row::Device(device) => device.class() == *wanted,
        _ => false,
    };
    rows.into_iter().filter(is_wanted).collect()
}
