//! Changes to devices that are made on their own, by their owner or an administrator.
//!
//! An execution never comes here: what it does to a device is part of its own commit. Each change
//! carries a note of who asked for it.

use uuid::Uuid;

use super::command::ATTEMPTS;
use super::device::{Authenticator, devices_by_duo_user};
use super::{Act, Device, Error};
use crate::journal::Version;
use crate::journal::object::{self, Versioned, delete, put};

/// Writes a device that is not there yet.
///
/// # Errors
/// What the journal says.
pub async fn add_device(act: &Act<'_>, device: &Device) -> Result<(), Error> {
    if act.commit(vec![put(device, Version::NONE)]).await? {
        Ok(())
    } else {
        Err(Error::Contended)
    }
}

/// Somebody whom Duo knows already.
#[derive(Clone, Copy, Debug)]
pub struct Import<'a> {
    /// The stage whose account at Duo is used.
    pub stage: Uuid,
    /// What Duo calls the user.
    pub duo_user_id: &'a str,
    /// Who that is here.
    pub user: Uuid,
}

/// The name that an imported device has at first.
const IMPORTED: &str = "Imported Duo Authenticator";

/// Gives a user whom Duo knows a device; whether nobody had one of this account before.
///
/// # Errors
/// [`Error::Contended`], or what the journal says.
pub async fn import_device(act: &Act<'_>, import: Import<'_>) -> Result<bool, Error> {
    if !devices_by_duo_user(act.journal, import.duo_user_id)
        .await?
        .is_empty()
    {
        return Ok(false);
    }
    let of = Authenticator::Duo {
        stage: import.stage,
        duo_user_id: import.duo_user_id.to_owned(),
    };
    let id = act.clock.opaque_id();
    let mut device = Device::new(id, import.user, IMPORTED, of, act.clock.now());
    device.confirmed = true;
    add_device(act, &device).await?;
    Ok(true)
}

/// Gives a device another name, and returns it; `None` when it is gone.
///
/// # Errors
/// [`Error::Contended`], or what the journal says.
pub async fn rename_device(
    act: &Act<'_>,
    device: Uuid,
    name: &str,
) -> Result<Option<Device>, Error> {
    for _ in 0..ATTEMPTS {
        let found: Option<Versioned<Device>> = object::get(act.journal, device).await?;
        let Some(mut found) = found else {
            return Ok(None);
        };
        name.clone_into(&mut found.value.name);
        found.value.last_updated = act.clock.now();
        if act.commit(vec![put(&found.value, found.version)]).await? {
            return Ok(Some(found.value));
        }
    }
    Err(Error::Contended)
}

/// Removes devices, all or none. Those that are gone already count as removed; those that were
/// there are returned.
///
/// # Errors
/// [`Error::Contended`], or what the journal says.
pub async fn remove_devices(act: &Act<'_>, devices: &[Uuid]) -> Result<Vec<Device>, Error> {
    for _ in 0..ATTEMPTS {
        let mut found: Vec<Versioned<Device>> = Vec::new();
        for device in devices {
            found.extend(object::get(act.journal, *device).await?);
        }
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let ends = |it: &Versioned<Device>| delete::<Device>(it.value.uuid, it.version);
        let writes = found.iter().map(ends).collect();
        // A login that uses one of them at this moment wrote it: the removal is tried again.
        if act.commit(writes).await? {
            return Ok(found.into_iter().map(|it| it.value).collect());
        }
    }
    Err(Error::Contended)
}
