//! What may be changed of a device: its name, and whether it is there.

use actix_web::HttpResponse;
use serde_json::Value;

use super::super::body;
use super::super::call::Call;
use super::super::operation::{Answered, Method};
use super::{anybodys, own, owner, shown};
use crate::directory::device::Totp;
use crate::directory::{Authenticator, Device, DeviceClass, User, user_by_pk};
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
    let class = device.class();
    let name = body::text(given, class.longest_name());
    let name = name.map_err(|complaint| body::wrong("name", complaint))?;
    if name == device.name {
        return Ok(device);
    }
    let renamed = call.doer()?.rename_device(device.uuid, &name).await?;
    renamed.ok_or(Error::NotFound(shown::names(class).unknown))
}

/// `DELETE /authenticators/<class>/<id>/`
pub(super) async fn destroy(call: Call, class: DeviceClass) -> Answered {
    let user = &call.caller()?.user.value;
    let device = own(&call.state, user, class, call.path("id")).await?;
    remove(&call, &device.value).await
}

/// `DELETE /authenticators/admin/<class>/<id>/`
pub(super) async fn admin_destroy(call: Call, class: DeviceClass) -> Answered {
    call.superuser()?;
    let device = anybodys(&call.state, class, call.path("id")).await?;
    remove(&call, &device.value).await
}

async fn remove(call: &Call, device: &Device) -> Answered {
    call.doer()?.remove_device(device.uuid).await?;
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
    let state = &call.state;
    let caller = &call.caller()?.user.value;
    let name = body::text(fields.get("name"), class.longest_name());
    let name = name.map_err(|complaint| body::wrong("name", complaint))?;
    let of = blank(state, class)?;
    let owner = match fields.get("user") {
        None => caller.clone(),
        given => named(state, given).await?,
    };
    let now = state.clock.now();
    let device = Device::new(state.clock.opaque_id(), owner.uuid, &name, of, now);
    call.doer()?.add_device(&device).await?;
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
