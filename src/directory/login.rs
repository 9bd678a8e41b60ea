//! Who logged in when and from where: what policies compare a login with.
//!
//! Each login is an object of its own, so that two at once do not disturb each other. It is
//! sealed by the user's key and goes with it.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::geoip::Place;
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{Key, KeyId, Kind, Objects, Result, Version, Write};

/// How many logins of a user are kept.
pub const KEPT: usize = 50;

/// How many more there have to be before the oldest go: two logins at once that remove the same
/// one are in each other's way, so this happens at one of ten.
const PORTION: usize = 10;

/// One login.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Login {
    /// Its identifier, which sorts by time.
    pub id: Uuid,
    /// Who logged in.
    pub user: Uuid,
    /// When.
    pub at: Timestamp,
    /// From which address.
    pub address: IpAddr,
    /// Where that was, as far as the databases said then.
    pub place: Place,
}

impl Stored for Login {
    const KIND: Kind = Kind::new("login");

    fn id(&self) -> Uuid {
        self.id
    }

    fn sealed_by(&self) -> KeyId {
        KeyId(self.user)
    }

    fn index(&self) -> Vec<Key> {
        vec![Key::new("user", self.user)]
    }
}

/// The logins of a user that are still known, the newest first.
pub async fn logins_of(
    objects: &(impl Objects + ?Sized),
    user: Uuid,
) -> Result<Vec<Versioned<Login>>> {
    let mut found: Vec<Versioned<Login>> = object::scan(objects, Key::new("user", user)).await?;
    found.sort_by_key(|login| std::cmp::Reverse((login.value.at, login.value.id)));
    Ok(found)
}

/// The writes that keep a login and let go of those that are too old.
pub async fn remember(objects: &(impl Objects + ?Sized), login: &Login) -> Result<Vec<Write>> {
    let mut writes = vec![object::put(login, Version::NONE)];
    let known = logins_of(objects, login.user).await?;
    if known.len() + 1 >= KEPT + PORTION {
        let old = known.iter().skip(KEPT - 1);
        writes.extend(old.map(|it| object::delete::<Login>(it.value.id, it.version)));
    }
    Ok(writes)
}
