//! Permissions in blueprints: those of roles, of users, and on the object of an entry.

use std::collections::BTreeSet;

use serde_json::Value;
use uuid::Uuid;

use super::super::resolve::{Miss, Need};
use super::super::staged::Staged;
use super::write::{Draft, Errors, Refused};
use super::{Model, Object, check, name};
use crate::clock::Clock;
use crate::directory::permission::{self, Known};
use crate::directory::role::name_of_one;
use crate::directory::{Role, User};
use crate::journal::object::Stored;

/// The field of a user that lists what they alone may.
pub(super) const FIELD: &str = "permissions";

/// A list of permissions with their whole names.
pub(super) fn list(value: &Value) -> Result<BTreeSet<String>, Miss> {
    let Value::Array(items) = value else {
        return Err(Miss::Wrong("Expected a list of items.".to_owned()));
    };
    let mut names = BTreeSet::new();
    for item in items {
        match item {
            Value::String(name) if exists(name) => names.insert(name.clone()),
            other => {
                let shown = super::super::format::text(other);
                return Err(Miss::Wrong(format!("{shown:?} is not a permission.")));
            }
        };
    }
    Ok(names)
}

/// The whole name of a permission on objects of the model; the app may be left out of it.
pub(in crate::blueprint) fn of_object(name: &str, model: Model) -> Result<String, Miss> {
    let model = model.name();
    let known = permission::model(model).map(permission::of_model);
    let fits = |it: &Known| it.codename == name || it.full_name() == name;
    match known.unwrap_or_default().iter().find(|it| fits(it)) {
        Some(known) => Ok(known.full_name()),
        None => Err(Miss::Wrong(format!(
            "{name:?} is not a permission on objects of {model}."
        ))),
    }
}

/// Whether there is such a permission, here or on what only authentik has: of such models the four
/// usual ones, and of apps that are not here at all whatever is named.
fn exists(name: &str) -> bool {
    if permission::find(name).is_some() {
        return true;
    }
    let Some((app, codename)) = name.split_once('.') else {
        return false;
    };
    let usual = codename.split_once('_').is_some_and(|(verb, model)| {
        ["add", "change", "delete", "view"].contains(&verb)
            && name::is_unsupported(&format!("{app}.{model}"))
    });
    let is_here = permission::models().iter().any(|model| model.app == app);
    usual || (!is_here && !codename.is_empty() && name::is_unsupported_app(app))
}

/// The role that a grant names.
pub(in crate::blueprint) fn role(value: &Value, staged: &Staged) -> Result<Uuid, Miss> {
    let id = check::reference(Role::KIND, value, staged)?;
    Ok(serde_json::from_value(id).unwrap_or_default())
}

/// The user whom a grant names; their own role can be looked up afterwards.
pub(in crate::blueprint) fn user(value: &Value, staged: &Staged) -> Result<Uuid, Miss> {
    let user = check::user(value, staged)?;
    staged.all(Role::KIND)?;
    Ok(user)
}

/// The role of what this user alone may. A new one is given to them; the caller stores it.
pub(in crate::blueprint) fn role_of_one(
    user: &mut User,
    staged: &Staged,
    clock: &Clock,
) -> Result<Role, Miss> {
    let name = name_of_one(user.pk).into_bytes();
    let role = match staged.holder(Role::KIND, "managed", name)? {
        Some(Object::Role(role)) => role.clone(),
        _ => Role::of_one(clock, user),
    };
    if !user.roles.contains(&role.pk) {
        user.roles.push(role.pk);
    }
    Ok(role)
}

/// Checks a user's own permissions, which are not stored with them.
pub(super) fn check_own(
    draft: &Draft<'_>,
    staged: &Staged,
    errors: &mut Errors,
) -> Result<(), Refused> {
    let Some(value) = draft.data.get(FIELD) else {
        return Ok(());
    };
    match list(value).and_then(|_| staged.all(Role::KIND).map(drop)) {
        Ok(()) => Ok(()),
        Err(Miss::Need(need)) => Err(Refused::Need(need)),
        Err(Miss::Wrong(message) | Miss::LeftOut(message)) => {
            errors.add(FIELD, message);
            Ok(())
        }
    }
}

/// The role that changes with a user's own permissions, if it does.
pub(super) fn own(
    draft: &Draft<'_>,
    user: &mut User,
    staged: &Staged,
    clock: &Clock,
) -> Result<Option<Object>, Need> {
    let Some(Ok(wanted)) = draft.data.get(FIELD).map(list) else {
        return Ok(None);
    };
    let has_role = match staged.holder(Role::KIND, "managed", name_of_one(user.pk).into_bytes()) {
        Ok(found) => found.is_some(),
        Err(Miss::Need(need)) => return Err(need),
        Err(_) => false,
    };
    if wanted.is_empty() && !has_role {
        return Ok(None);
    }
    let mut role = match role_of_one(user, staged, clock) {
        Ok(role) => role,
        Err(Miss::Need(need)) => return Err(need),
        Err(_) => return Ok(None),
    };
    if role.permissions == wanted && has_role {
        return Ok(None);
    }
    role.permissions = wanted;
    Ok(Some(Object::Role(role)))
}
