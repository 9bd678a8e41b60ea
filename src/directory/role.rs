//! A role: permissions under a name, given to users and to groups.
//!
//! What a role's permissions are worth is decided in [`super::permission`].

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::User;
use crate::clock::Clock;
use crate::flow::field::{Invalid, Problem};
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{Key, Kind, Objects, Result};

/// A role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Its identifier.
    pub pk: Uuid,
    /// Its name; unique.
    pub name: String,
    /// Which part of the server looks after it; unique.
    #[serde(default)]
    pub managed: Option<String>,
    /// What it permits on all objects of a model, such as `authentik_flows.view_flow`.
    #[serde(default)]
    pub permissions: BTreeSet<String>,
    /// What it permits on single objects.
    #[serde(default)]
    pub objects: BTreeSet<OnObject>,
}

/// A permission on one object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OnObject {
    /// The object's model, such as `authentik_flows.flow`.
    pub model: String,
    /// The object's key, as the API shows it.
    pub pk: String,
    /// What is permitted, such as `authentik_flows.view_flow`.
    pub permission: String,
}

impl Role {
    /// A role with this name that permits nothing.
    #[must_use]
    pub fn new(clock: &Clock, name: &str) -> Self {
        Self {
            pk: clock.opaque_id(),
            name: name.to_owned(),
            managed: None,
            permissions: BTreeSet::new(),
            objects: BTreeSet::new(),
        }
    }

    /// The role of what was given to one user and to nobody else.
    #[must_use]
    pub fn of_one(clock: &Clock, user: &User) -> Self {
        let name = name_of_one(user.pk);
        Self {
            managed: Some(name.clone()),
            ..Self::new(clock, &name)
        }
    }

    /// What is wrong with it; nothing is when it may be stored.
    #[must_use]
    pub fn problems(&self) -> Vec<Invalid> {
        let problem = if self.name.trim().is_empty() {
            Problem::Blank
        } else if self.name.starts_with(OF_ONE) && self.managed.is_none() {
            Problem::Other("Roles with such a name are those that the server looks after.")
        } else {
            return Vec::new();
        };
        vec![Invalid::new("name", problem)]
    }

    /// Takes away what it permits on this object, and says whether there was anything.
    pub fn forget(&mut self, model: &str, pk: &str) -> bool {
        let before = self.objects.len();
        self.objects.retain(|it| it.model != model || it.pk != pk);
        self.objects.len() < before
    }
}

impl Stored for Role {
    const KIND: Kind = Kind::new("role");

    fn id(&self) -> Uuid {
        self.pk
    }

    fn unique(&self) -> Vec<Key> {
        let mut keys = vec![Key::new("name", &self.name)];
        keys.extend(self.managed.iter().map(|by| Key::new("managed", by)));
        keys
    }
}

/// How the names of roles that one user alone has begin, as in authentik.
const OF_ONE: &str = "ak-managed-role--user-";

/// What the role is called and managed as that one user alone has.
#[must_use]
pub fn name_of_one(pk: i64) -> String {
    format!("{OF_ONE}{pk}")
}

/// The role of what was given to this user and to nobody else, if anything was.
pub async fn role_of_one(
    objects: &(impl Objects + ?Sized),
    user: &User,
) -> Result<Option<Versioned<Role>>> {
    object::find(objects, Key::new("managed", name_of_one(user.pk))).await
}

/// All roles, by name.
pub async fn roles(objects: &(impl Objects + ?Sized)) -> Result<Vec<Versioned<Role>>> {
    let mut roles: Vec<Versioned<Role>> = object::all(objects).await?;
    roles.sort_by(|a, b| a.value.name.cmp(&b.value.name));
    Ok(roles)
}

/// The roles that these identifiers name, each once, by name. Roles that are gone are left out.
pub async fn named(
    objects: &(impl Objects + ?Sized),
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<Vec<Versioned<Role>>> {
    let ids: BTreeSet<Uuid> = ids.into_iter().collect();
    let mut found: Vec<Versioned<Role>> = Vec::new();
    for id in ids {
        found.extend(object::get(objects, id).await?);
    }
    found.sort_by(|a, b| a.value.name.cmp(&b.value.name));
    Ok(found)
}

/// The roles that the user has: their own, and those of every group that they are in, also from
/// below.
pub async fn roles_of(
    objects: &(impl Objects + ?Sized),
    user: &User,
) -> Result<Vec<Versioned<Role>>> {
    let groups = super::groups_of(objects, user).await?;
    let inherited = groups.iter().flat_map(|group| &group.value.roles);
    named(objects, user.roles.iter().chain(inherited).copied()).await
}
