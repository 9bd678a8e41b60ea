//! Who may do what: the permissions that there are, and those that a user has.
//!
//! A permission is named as authentik names it: the app, a dot, what may be done, an underscore and
//! the model, such as `authentik_flows.view_flow`. Superusers may do everything. Everybody else may
//! do what their roles and the roles of their groups permit, on all objects of a model or on single
//! ones. Nothing here knows what a permission is asked for.

mod known;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Display;

pub use known::{Known, Model, SYSTEM, all, find, model, models, of_model};

use super::role::{Role, roles_of};
use super::{User, groups_of};
use crate::journal::{Objects, Result};

/// What a user may do.
#[derive(Clone, Debug, Default)]
pub struct Granted {
    superuser: bool,
    global: HashSet<String>,
    /// By permission, the objects on which it is given.
    objects: HashMap<String, BTreeSet<String>>,
}

impl Granted {
    /// What superusers may: everything.
    #[must_use]
    pub fn everything() -> Self {
        Self {
            superuser: true,
            ..Self::default()
        }
    }

    /// What these roles permit together.
    #[must_use]
    pub fn by<'a>(roles: impl IntoIterator<Item = &'a Role>) -> Self {
        let mut granted = Self::default();
        for role in roles {
            granted.global.extend(role.permissions.iter().cloned());
            for on in &role.objects {
                let objects = granted.objects.entry(on.permission.clone()).or_default();
                objects.insert(on.pk.clone());
            }
        }
        granted
    }

    /// Whether everything is permitted.
    #[must_use]
    pub fn is_superuser(&self) -> bool {
        self.superuser
    }

    /// Whether this is permitted on all objects.
    #[must_use]
    pub fn may(&self, permission: &str) -> bool {
        self.superuser || self.global.contains(permission)
    }

    /// Whether this is permitted on the object with this key, or on all.
    #[must_use]
    pub fn may_of(&self, permission: &str, pk: impl Display) -> bool {
        self.may(permission)
            || self
                .objects
                .get(permission)
                .is_some_and(|objects| objects.contains(&pk.to_string()))
    }

    /// Whether this is permitted on any object at all.
    #[must_use]
    pub fn may_any(&self, permission: &str) -> bool {
        self.may(permission) || self.objects.contains_key(permission)
    }

    /// Whether anything is permitted at all.
    #[must_use]
    pub fn may_anything(&self) -> bool {
        self.superuser || !self.global.is_empty() || !self.objects.is_empty()
    }

    /// Whether everything that the role permits is permitted here, so that giving somebody the
    /// role gives them nothing that the giver lacks.
    #[must_use]
    pub fn covers(&self, role: &Role) -> bool {
        role.permissions.iter().all(|it| self.may(it))
            && role
                .objects
                .iter()
                .all(|it| self.may_of(&it.permission, &it.pk))
    }

    /// Whether everything that is permitted there is permitted here.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        self.superuser
            || !other.superuser
                && other.global.iter().all(|it| self.may(it))
                && other
                    .objects
                    .iter()
                    .all(|(permission, pks)| pks.iter().all(|pk| self.may_of(permission, pk)))
    }

    /// The names of all that is permitted, be it on all objects of a model or on single ones, in
    /// their order; `*` for everything.
    #[must_use]
    pub fn names(&self) -> BTreeSet<&str> {
        if self.superuser {
            return BTreeSet::from(["*"]);
        }
        let all = self.global.iter().chain(self.objects.keys());
        all.map(String::as_str).collect()
    }

    /// What may be done with the system as a whole, as `system_permissions` of the API lists it.
    #[must_use]
    pub fn of_system(&self) -> Vec<&'static str> {
        let named = SYSTEM.iter().map(|(codename, _)| *codename);
        named
            .filter(|codename| self.may(&format!("authentik_rbac.{codename}")))
            .collect()
    }
}

/// What the user may do. Whether they may log in at all is another question.
///
/// # Errors
/// When the journal cannot be read.
pub async fn granted(objects: &(impl Objects + ?Sized), user: &User) -> Result<Granted> {
    let groups = groups_of(objects, user).await?;
    if groups.iter().any(|group| group.value.is_superuser) {
        return Ok(Granted::everything());
    }
    let roles = roles_of(objects, user).await?;
    Ok(Granted::by(roles.iter().map(|role| &role.value)))
}

#[cfg(test)]
mod tests;
