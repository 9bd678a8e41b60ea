//! What may be changed of a device: its name, and whether it is there.

use actix_web::HttpResponse;
use serde_json::Value;

use super::super::body;
use super::super::call::Call;
use super::super::operation::{Answered, Method};
use super::{anybodys, audit, own, owner, shown};
use crate::directory::device::Totp;
use crate::directory::{
    Authenticator, Device, DeviceClass, User, add_device, remove_devices, rename_device, user_by_pk,
};
use crate::http::request::Arrival;
use crate::http::{Error, State};

/// How long the key of a generator of codes is, in bytes.
const KEY: usize = 20;

/// `PUT` and `PATCH /authenticators/<class>/<id>/`
pub(super) async fn update(mut call: Call, class: DeviceClass, method: Method) -> Answered {
    let user = call.caller()?.user.value.clone();
    let device = own(&call.state, &user, class, call.path("id")).await?.value;
    let device = rename(&mut call, method, device).await?;
    Ok(HttpResponse::Ok().json(shown::one(&call.state, &device, &user, true).await?))
}

/// `PUT` and `PATCH /authenticators/admin/<class>/<id>/`
pub(super) async fn admin_update(mut call: Call, class: DeviceClass, method: Method) -> Answered {
    call.superuser()?;
    let device = anybodys(&call.state, class, call.path("id")).await?.value;
    let device = rename(&mut call, method, device).await?;
    let owner = owner(&call.state, &device).await?;
    Ok(HttpResponse::Ok().json(shown::one(&call.state, &device, &owner, false).await?))
}

/// Gives the device the name in the body. Without one nothing is changed, where only some fields
/// need be sent.
async fn rename(call: &mut Call, method: Method, device: Device) -> Result<Device, Error> {
    let sent = call.fields().await?;
    let given = sent.get("name");
    if given.is_none() && method == Method::Patch {
        return Ok(device);
    }
    let (state, arrival) = (&call.state, call.arrival);
    let by = &call.caller()?.user.value;
    let class = device.class();
    let name = body::text(given, shown::longest_name(class));
    let name = name.map_err(|complaint| body::wrong("name", complaint))?;
    if name == device.name {
        return Ok(device);
    }
    let (journal, clock) = (&*state.journal, &state.clock);
    let renamed = rename_device(journal, clock, device.uuid, &name, arrival.id).await?;
    let renamed = renamed.ok_or(Error::NotFound(shown::names(class).unknown))?;
    audit("a device was renamed", by.uuid, &renamed, arrival);
    Ok(renamed)
}

/// `DELETE /authenticators/<class>/<id>/`
pub(super) async fn destroy(call: Call, class: DeviceClass) -> Answered {
    let user = &call.caller()?.user.value;
    let device = own(&call.state, user, class, call.path("id")).await?;
    remove(&call.state, &device.value, user, call.arrival).await
}

/// `DELETE /authenticators/admin/<class>/<id>/`
pub(super) async fn admin_destroy(call: Call, class: DeviceClass) -> Answered {
    call.superuser()?;
    let device = anybodys(&call.state, class, call.path("id")).await?;
    remove(
        &call.state,
        &device.value,
        &call.caller()?.user.value,
        call.arrival,
    )
    .await
}

async fn remove(state: &State, device: &Device, by: &User, arrival: Arrival) -> Answered {
    let (journal, clock) = (&*state.journal, &state.clock);
    let removed = remove_devices(journal, clock, &[device.uuid], arrival.id).await?;
    for device in &removed {
        audit("a device was removed", by.uuid, device, arrival);
    }
    Ok(HttpResponse::NoContent().finish())
}

/// `POST /authenticators/admin/<class>/`: a device of `user`, or of the caller where none is named.
///
/// Nobody has the key of a generator of codes that is made here, and there are no recovery codes,
/// so it is not confirmed: it proves nothing, and nobody is asked for it. The other classes need
/// what only a device or a provider can say.
pub(super) async fn create(mut call: Call, class: DeviceClass) -> Answered {
    call.superuser()?;
    let fields = call.fields().await?;
    let (state, arrival) = (&call.state, call.arrival);
    let caller = &call.caller()?.user.value;
    let name = body::text(fields.get("name"), shown::longest_name(class));
    let name = name.map_err(|complaint| body::wrong("name", complaint))?;
    let of = blank(state, class)?;
    let owner = match fields.get("user") {
        None => caller.clone(),
        given => named(state, given).await?,
    };
    let now = state.clock.now();
    let device = Device::new(state.clock.opaque_id(), owner.uuid, &name, of, now);
    add_device(&*state.journal, &state.clock, &device, arrival.id).await?;
    audit("a device was made", caller.uuid, &device, arrival);
    Ok(HttpResponse::Created().json(shown::one(state, &device, &owner, false).await?))
}

/// What a device of this class is before anybody has set it up.
fn blank(state: &State, class: DeviceClass) -> Result<Authenticator, Error> {
    match class {
        DeviceClass::Static => Ok(Authenticator::Static { codes: Vec::new() }),
        DeviceClass::Totp => {
            let key = base16ct::lower::encode_string(&state.clock.random::<KEY>());
            Ok(Authenticator::Totp(Totp {
                key: key.into(),
                digits: 6,
                step: 30,
                drift: 0,
                last_t: -1,
            }))
        }
        DeviceClass::Webauthn | DeviceClass::Duo | DeviceClass::Sms | DeviceClass::Email => {
            let text = "An authenticator of this class can only be set up by its owner.";
            Err(body::wrong("non_field_errors", text))
        }
    }
}

async fn named(state: &State, given: Option<&Value>) -> Result<User, Error> {
    let complain = |complaint: String| body::wrong("user", complaint);
    let pk = body::pk(given).map_err(complain)?;
    let found = user_by_pk(&*state.journal, pk).await?;
    found
        .map(|it| it.value)
        .ok_or_else(|| complain(body::no_such(pk)))
}
