//! What may be changed of a device: its name, and whether it is there.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;

use super::super::{body, caller};
use super::{Answer, anybodys, audit, class_of, own, owner, shown};
use crate::directory::device::Totp;
use crate::directory::{
    Authenticator, Device, DeviceClass, User, add_device, remove_devices, rename_device, user_by_pk,
};
use crate::http::request::Arrival;
use crate::http::{Error, State};

/// How long the key of a generator of codes is, in bytes.
const KEY: usize = 20;

/// `PUT` and `PATCH /authenticators/<class>/<id>/`
pub(super) async fn update(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    payload: web::Payload,
    state: web::Data<State>,
    arrival: Arrival,
) -> Answer {
    let caller = caller::acting(&state, &request, arrival).await?.user.value;
    let device = own(&state, &caller, &path).await?.value;
    let device = rename(&state, &request, payload, device, (&caller, arrival)).await?;
    Ok(HttpResponse::Ok().json(shown::one(&state, &device, &caller, true).await?))
}

/// `PUT` and `PATCH /authenticators/admin/<class>/<id>/`
pub(super) async fn admin_update(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    payload: web::Payload,
    state: web::Data<State>,
    arrival: Arrival,
) -> Answer {
    let caller = caller::acting_superuser(&state, &request, arrival).await?;
    let device = anybodys(&state, &path).await?.value;
    let by = (&caller.user.value, arrival);
    let device = rename(&state, &request, payload, device, by).await?;
    let owner = owner(&state, &device).await?;
    Ok(HttpResponse::Ok().json(shown::one(&state, &device, &owner, false).await?))
}

/// Gives the device the name in the body. Without one nothing is changed, where only some fields
/// need be sent.
async fn rename(
    state: &State,
    request: &HttpRequest,
    payload: web::Payload,
    device: Device,
    (by, arrival): (&User, Arrival),
) -> Result<Device, Error> {
    let sent = body::read(request, payload).await?;
    let given = body::fields(&sent)?.get("name");
    if given.is_none() && request.method() == Method::PATCH {
        return Ok(device);
    }
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
pub(super) async fn destroy(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    state: web::Data<State>,
    arrival: Arrival,
) -> Answer {
    let caller = caller::acting(&state, &request, arrival).await?.user.value;
    let device = own(&state, &caller, &path).await?.value;
    remove(&state, &device, &caller, arrival).await
}

/// `DELETE /authenticators/admin/<class>/<id>/`
pub(super) async fn admin_destroy(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    state: web::Data<State>,
    arrival: Arrival,
) -> Answer {
    let caller = caller::acting_superuser(&state, &request, arrival).await?;
    let device = anybodys(&state, &path).await?.value;
    remove(&state, &device, &caller.user.value, arrival).await
}

async fn remove(state: &State, device: &Device, by: &User, arrival: Arrival) -> Answer {
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
pub(super) async fn create(
    request: HttpRequest,
    class: web::Path<String>,
    payload: web::Payload,
    state: web::Data<State>,
    arrival: Arrival,
) -> Answer {
    let class = class_of(&class)?;
    let caller = caller::acting_superuser(&state, &request, arrival)
        .await?
        .user
        .value;
    let sent = body::read(&request, payload).await?;
    let fields = body::fields(&sent)?;
    let name = body::text(fields.get("name"), shown::longest_name(class));
    let name = name.map_err(|complaint| body::wrong("name", complaint))?;
    let of = blank(&state, class)?;
    let owner = match fields.get("user") {
        None => caller.clone(),
        given => named(&state, given).await?,
    };
    let now = state.clock.now();
    let device = Device::new(state.clock.opaque_id(), owner.uuid, &name, of, now);
    add_device(&*state.journal, &state.clock, &device, arrival.id).await?;
    audit("a device was made", caller.uuid, &device, arrival);
    Ok(HttpResponse::Created().json(shown::one(&state, &device, &owner, false).await?))
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
