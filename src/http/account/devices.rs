//! Somebody's second factors: what there is, another name for one, and its end.

use actix_web::HttpResponse;
use uuid::Uuid;

use super::{Form, Owner, setting_up};
use crate::directory::{Authenticator, Device, DeviceClass, devices_of};
use crate::flow::field::text;
use crate::http::Error;
use crate::journal::object;
use crate::web::account::{self, Devices, Removal, Rename, Topic};
use crate::webauthn::models;

/// Where the list is.
const LIST: &str = "devices/";

/// `GET /if/user/devices/`
pub(super) async fn list(owner: &Owner<'_>) -> Result<HttpResponse, Error> {
    let devices = all(owner).await?;
    let topic = Topic::Devices(Devices {
        devices: devices.iter().map(|it| shown(owner, it)).collect(),
        offers: setting_up::offers(owner).await?,
    });
    owner.page(&topic).await
}

/// `GET /if/user/devices/<id>/`, with what was typed before.
pub(super) async fn one(
    owner: &Owner<'_>,
    id: &str,
    typed: Option<&Form>,
) -> Result<HttpResponse, Error> {
    let device = own(owner, id).await?;
    let typed = typed.and_then(|form| form.get("name"));
    let name = typed.unwrap_or(&device.name).to_owned();
    owner.page(&naming(owner, &device, name, Vec::new())).await
}

/// `POST /if/user/devices/<id>/`: gives it the name that was typed.
pub(super) async fn rename(
    owner: &Owner<'_>,
    id: &str,
    form: &Form,
) -> Result<HttpResponse, Error> {
    let device = own(owner, id).await?;
    let name = form.get("name").unwrap_or_default().trim();
    if let Err(problem) = text(name, device.class().longest_name()) {
        let topic = naming(owner, &device, name.to_owned(), vec![problem.to_string()]);
        return owner.page(&topic).await;
    }
    if name != device.name {
        let renamed = owner.doer().rename_device(device.uuid, name).await?;
        renamed.ok_or(Error::NOT_FOUND)?;
    }
    Ok(Owner::done(LIST, "renamed"))
}

/// `GET /if/user/devices/<id>/remove/`: whether it shall really go.
pub(super) async fn ask(owner: &Owner<'_>, id: &str) -> Result<HttpResponse, Error> {
    let device = own(owner, id).await?;
    let mut others = all(owner).await?;
    others.retain(|it| it.uuid != device.uuid);
    let are_codes = others.iter().all(|it| it.class() == DeviceClass::Static);
    let topic = Topic::Removal(Removal {
        device: shown(owner, &device),
        is_last: others.is_empty(),
        leaves_codes: are_codes && !others.is_empty(),
    });
    owner.page(&topic).await
}

/// `POST /if/user/devices/<id>/remove/`
pub(super) async fn remove(owner: &Owner<'_>, id: &str) -> Result<HttpResponse, Error> {
    let device = own(owner, id).await?;
    owner.doer().remove_device(device.uuid).await?;
    Ok(Owner::done(LIST, "removed"))
}

/// The user's own, as far as they prove anything.
async fn all(owner: &Owner<'_>) -> Result<Vec<Device>, Error> {
    let found = devices_of(owner.journal(), owner.user.value.uuid).await?;
    let found = found.into_iter().map(|it| it.value);
    Ok(found.filter(|it| it.confirmed).collect())
}

/// One of them. Nobody learns whether there is such a device of somebody else's.
async fn own(owner: &Owner<'_>, id: &str) -> Result<Device, Error> {
    let id: Uuid = id.parse().map_err(|_| Error::NOT_FOUND)?;
    let found = object::get::<Device>(owner.journal(), id).await?;
    let found = found.map(|it| it.value);
    let is_own = |it: &Device| it.user == owner.user.value.uuid && it.confirmed;
    found.filter(is_own).ok_or(Error::NOT_FOUND)
}

fn naming(owner: &Owner<'_>, device: &Device, name: String, errors: Vec<String>) -> Topic {
    Topic::Rename(Rename {
        device: shown(owner, device),
        name,
        longest: device.class().longest_name(),
        errors,
    })
}

fn shown(owner: &Owner<'_>, device: &Device) -> account::Device {
    let detail = match &device.of {
        Authenticator::Webauthn(credential) => models::name(credential.aaguid).map(str::to_owned),
        // Of a number that is only verified, there is nothing to show.
        Authenticator::Sms { phone_number, .. } => {
            (!phone_number.starts_with("hash:")).then(|| phone_number.clone())
        }
        Authenticator::Email { email, .. } => Some(email.clone()),
        Authenticator::Static { .. } | Authenticator::Totp(_) | Authenticator::Duo { .. } => None,
    };
    let codes = match &device.of {
        Authenticator::Static { codes } => Some(codes.len()),
        _ => None,
    };
    account::Device {
        id: device.uuid,
        class: device.class(),
        name: device.name.clone(),
        detail,
        codes,
        created: owner.past(device.created),
        used: device.last_used.map(|at| owner.past(at)),
    }
}
