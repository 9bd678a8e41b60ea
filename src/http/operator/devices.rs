//! The devices of a user, for the operator.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Operator, Refusal};
use crate::directory::mfa_attempts::mfa_attempts;
use crate::directory::{self, Act, Author, Device, DeviceClass, User, devices_of, remove_devices};
use crate::journal::object::Versioned;

/// Which devices are to go.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Removal {
    /// One: its class and its number.
    device: Option<(DeviceClass, i64)>,
    /// All of them.
    #[serde(default)]
    all: bool,
}

/// `GET /operator/users/{username}/devices`
pub(super) async fn list(operator: Data<Operator>, username: Path<String>) -> Answer {
    let user = named(&operator, &username).await?;
    let devices = devices_of(&*operator.journal, user.uuid).await?;
    let shown = shown(&operator, &user, devices.iter().map(|it| &it.value)).await?;
    Ok(HttpResponse::Ok().json(json!({ "devices": shown })))
}

/// `POST /operator/users/{username}/devices/remove`
pub(super) async fn remove(
    operator: Data<Operator>,
    username: Path<String>,
    body: Json<Removal>,
) -> Answer {
    let user = named(&operator, &username).await?;
    let devices: Vec<Versioned<Device>> = devices_of(&*operator.journal, user.uuid).await?;
    let Removal { device, all } = body.into_inner();
    let wanted: Vec<_> = match device {
        Some((class, pk)) => {
            let is_it = |it: &&Versioned<Device>| (it.value.class(), it.value.pk) == (class, pk);
            let found = devices.iter().find(is_it);
            let found = found.ok_or_else(|| {
                let username = username.as_str();
                Refusal::NotFound(format!("{username:?} has no device {class}/{pk}"))
            })?;
            vec![found.value.uuid]
        }
        None if all => devices.iter().map(|it| it.value.uuid).collect(),
        None => {
            let problem = "say which device is to go, or that all are";
            return Err(Refusal::Invalid(problem.to_owned()));
        }
    };
    let correlation = operator.clock.ordered_id();
    let act = Act {
        journal: &*operator.journal,
        clock: &operator.clock,
        author: &Author::operator(),
        correlation,
    };
    let removed = remove_devices(&act, &wanted).await?;
    for device in &removed {
        tracing::info!(
            id = %correlation.simple(),
            by = "operator",
            device = %device.uuid,
            class = device.class().as_str(),
            user = %device.user,
            "a device was removed"
        );
    }
    let shown = shown(&operator, &user, removed.iter()).await?;
    Ok(HttpResponse::Ok().json(json!({ "devices": shown })))
}

async fn named(operator: &Operator, username: &str) -> Result<User, Refusal> {
    let user = directory::user_by_username(&*operator.journal, username).await?;
    let missing = || Refusal::NotFound(format!("there is no user {username:?}"));
    user.map(|it| it.value).ok_or_else(missing)
}

async fn shown<'d>(
    operator: &Operator,
    user: &User,
    devices: impl Iterator<Item = &'d Device>,
) -> Result<Vec<Value>, Refusal> {
    let now = operator.clock.now();
    let attempts = mfa_attempts(&*operator.journal, user.uuid).await?;
    // Wrong codes count against the device, and against the user whichever it was.
    let of_user = attempts.value.locked_until(now);
    let locked_until = |device: &Device| match device.class() {
        DeviceClass::Webauthn | DeviceClass::Duo => None,
        _ => device.throttle.locked_until(now).max(of_user),
    };
    let shown = devices.map(|device| {
        json!({
            "class": device.class(),
            "number": device.pk,
            "name": device.name,
            "confirmed": device.confirmed,
            "created": device.created,
            "last_used": device.last_used,
            "locked_until": locked_until(device),
        })
    });
    Ok(shown.collect())
}
