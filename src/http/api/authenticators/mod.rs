//! `/authenticators/`: everybody's own devices, and those of all for superusers.
//!
//! Source: authentik `stages/authenticator_*/api/`, `core/api/devices.py`.

use actix_web::HttpResponse;
use serde_json::{Value, json};

use super::call::Call;
use super::listing::Listing;
use super::operation::Answered;
use crate::directory::device::device_by_pk;
use crate::directory::{Device, DeviceClass, User, devices_of, user_by_pk};
use crate::flow::query::Query;
use crate::http::{Error, State};
use crate::journal::object::{self, Versioned};

mod change;
mod shown;
mod table;

pub(super) use table::operations;

/// Said of a number under which there is no device of a kind that this server does not have.
const NO_ENDPOINT: Error = Error::NotFound("No EndpointDevice matches the given query.");

/// `GET /authenticators/all/`: one's own confirmed devices of all classes, by class.
async fn all(call: Call) -> Answered {
    let (state, user) = (&call.state, &call.caller()?.user.value);
    let devices = devices_of(&*state.journal, user.uuid).await?;
    let confirmed = devices.iter().filter(|it| it.value.confirmed);
    let shown: Vec<Value> = confirmed.map(|it| shown::any(&it.value)).collect();
    Ok(HttpResponse::Ok().json(shown))
}

/// `GET /authenticators/admin/all/?user=`: the devices of a user, or of all, confirmed or not.
async fn admin_all(call: Call) -> Answered {
    call.superuser()?;
    let state = &call.state;
    let journal = &*state.journal;
    let query = Query::parse(call.request.query_string());
    let devices = match query.get("user") {
        None => {
            let mut all: Vec<Versioned<Device>> = object::all(journal).await?;
            all.sort_by_key(|it| (it.value.class().as_str(), it.value.created, it.value.uuid));
            all
        }
        Some(pk) => {
            let pk = pk.trim().parse();
            let pk: i64 = pk.map_err(|_| super::body::wrong("user", "Enter a number."))?;
            match user_by_pk(journal, pk).await? {
                Some(user) => devices_of(journal, user.value.uuid).await?,
                None => Vec::new(),
            }
        }
    };
    let shown: Vec<Value> = devices.iter().map(|it| shown::any(&it.value)).collect();
    Ok(HttpResponse::Ok().json(shown))
}

/// `GET /authenticators/<class>/`: one's own.
async fn list(call: Call, class: DeviceClass) -> Answered {
    let (state, user) = (&call.state, &call.caller()?.user.value);
    let mut devices = devices_of(&*state.journal, user.uuid).await?;
    devices.retain(|it| is_listed(class, &it.value));
    let listing = call.listing();
    arrange(&listing, &mut devices);
    let show =
        async |device: &Versioned<Device>| shown::one(state, &device.value, user, true).await;
    Ok(HttpResponse::Ok().json(listing.page(&devices, show).await?))
}

/// Whether a device is among its owner's own: one that was begun and not finished is not, where
/// the reference leaves it out.
fn is_listed(class: DeviceClass, device: &Device) -> bool {
    let needs = matches!(class, DeviceClass::Static | DeviceClass::Totp);
    device.class() == class && (device.confirmed || !needs)
}

/// `GET /authenticators/admin/<class>/`: everybody's.
async fn admin_list(call: Call, class: DeviceClass) -> Answered {
    call.superuser()?;
    let state = &call.state;
    let mut devices: Vec<Versioned<Device>> = object::all(&*state.journal).await?;
    devices.retain(|it| it.value.class() == class);
    let listing = call.listing();
    arrange(&listing, &mut devices);
    let show = async |device: &Versioned<Device>| {
        let owner = owner(state, &device.value).await?;
        shown::one(state, &device.value, &owner, false).await
    };
    Ok(HttpResponse::Ok().json(listing.page(&devices, show).await?))
}

/// Leaves out what is not asked for, and sorts the rest; by name where nobody says.
fn arrange(listing: &Listing, devices: &mut Vec<Versioned<Device>>) {
    devices.retain(|it| {
        let name = it.value.name.as_str();
        listing.filter("name").is_none_or(|wanted| wanted == name) && listing.finds(&[name])
    });
    devices.sort_by(|one, other| {
        let key = |it: &Versioned<Device>| (it.value.name.clone(), it.value.created, it.value.pk);
        key(one).cmp(&key(other))
    });
    // Stable, so that the first field counts most when it comes last.
    for (field, downwards) in listing.ordering().into_iter().rev() {
        devices.sort_by(|one, other| {
            let order = match field {
                "name" => one.value.name.cmp(&other.value.name),
                "pk" => one.value.pk.cmp(&other.value.pk),
                _ => std::cmp::Ordering::Equal,
            };
            if downwards { order.reverse() } else { order }
        });
    }
}

/// `GET /authenticators/<class>/<id>/`
async fn retrieve(call: Call, class: DeviceClass) -> Answered {
    let (state, user) = (&call.state, &call.caller()?.user.value);
    let device = own(state, user, class, call.path("id")).await?;
    Ok(HttpResponse::Ok().json(shown::one(state, &device.value, user, true).await?))
}

/// `GET /authenticators/<class>/<id>/used_by/`: nothing refers to a device.
async fn used_by(call: Call, class: DeviceClass) -> Answered {
    let (state, user) = (&call.state, &call.caller()?.user.value);
    own(state, user, class, call.path("id")).await?;
    Ok(HttpResponse::Ok().json(json!([])))
}

/// `GET /authenticators/admin/<class>/<id>/`
async fn admin_retrieve(call: Call, class: DeviceClass) -> Answered {
    call.superuser()?;
    let state = &call.state;
    let device = anybodys(state, class, call.path("id")).await?;
    let owner = owner(state, &device.value).await?;
    Ok(HttpResponse::Ok().json(shown::one(state, &device.value, &owner, false).await?))
}

/// `GET /authenticators/endpoint/`
async fn endpoints(call: Call) -> Answered {
    none(&call).await
}

/// `GET /authenticators/admin/endpoint/`
async fn admin_endpoints(call: Call) -> Answered {
    call.superuser()?;
    none(&call).await
}

/// One of them.
async fn endpoint(_: Call) -> Answered {
    Err(NO_ENDPOINT)
}

async fn none(call: &Call) -> Answered {
    let listing = call.listing();
    let show = async |nothing: &Value| Ok(nothing.clone());
    Ok(HttpResponse::Ok().json(listing.page(&[], show).await?))
}

/// The device that a path names.
async fn anybodys(state: &State, class: DeviceClass, pk: &str) -> Result<Versioned<Device>, Error> {
    let unknown = || Error::NotFound(shown::names(class).unknown);
    let pk = pk.parse().map_err(|_| unknown())?;
    let found = device_by_pk(&*state.journal, class, pk).await?;
    found.ok_or_else(unknown)
}

/// The same, provided that it is the user's. Nobody learns whether others have one of this number.
async fn own(
    state: &State,
    user: &User,
    class: DeviceClass,
    pk: &str,
) -> Result<Versioned<Device>, Error> {
    let found = anybodys(state, class, pk).await?;
    if found.value.user == user.uuid && is_listed(class, &found.value) {
        Ok(found)
    } else {
        Err(Error::NotFound(shown::names(class).unknown))
    }
}

/// Whose it is. A user goes with all devices, so there is one.
async fn owner(state: &State, device: &Device) -> Result<User, Error> {
    let found: Option<Versioned<User>> = object::get(&*state.journal, device.user).await?;
    let missing = || Error::Unavailable {
        cause: "the owner of a device was removed meanwhile".to_owned(),
    };
    found.map(|it| it.value).ok_or_else(missing)
}
