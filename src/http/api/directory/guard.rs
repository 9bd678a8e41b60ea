//! What whoever manages people may not do with it: give anybody, also themselves, what they lack.
//!
//! Superusers may give everything. Everybody else may act only on people and groups that may
//! nothing that they may not do themselves, and may put people only into such groups and give only
//! such roles. Without this, a permission to change users would be one to do everything.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};
use uuid::Uuid;

use super::super::body::wrong;
use super::super::call::Call;
use crate::directory::group::with_ancestors;
use crate::directory::permission::{Granted, granted};
use crate::directory::role::named;
use crate::directory::user::users;
use crate::directory::{Group, Role, User};
use crate::http::Error;
use crate::journal::object::{self, Versioned};

/// Whether the caller may act on a user: themselves, and whoever may nothing that they may not.
///
/// # Errors
/// [`Error::NotPermitted`] when not.
pub(super) async fn may_act_on(call: &Call, user: &User) -> Result<(), Error> {
    let caller = call.caller()?;
    if caller.granted.is_superuser() || caller.user.value.uuid == user.uuid {
        return Ok(());
    }
    let theirs = granted(&*call.state.journal, user).await?;
    permit(caller.granted.includes(&theirs))
}

/// Whether the caller may change who is in a group, and what being in it means.
///
/// # Errors
/// [`Error::NotPermitted`] when those in it may something that the caller may not.
pub(super) async fn may_act_on_group(call: &Call, group: Uuid) -> Result<(), Error> {
    let caller = call.caller()?;
    if caller.granted.is_superuser() {
        return Ok(());
    }
    permit(caller.granted.includes(&of_group(call, group).await?))
}

/// Whether the caller may give somebody this role.
///
/// # Errors
/// [`Error::NotPermitted`] when it permits something that the caller may not do, or when there is no
/// such role.
pub(super) async fn may_give_role(call: &Call, role: Uuid) -> Result<(), Error> {
    let caller = call.caller()?;
    if caller.granted.is_superuser() {
        return Ok(());
    }
    let found: Option<Versioned<Role>> = object::get(&*call.state.journal, role).await?;
    permit(found.is_some_and(|role| caller.granted.covers(&role.value)))
}

/// What being in a group permits.
async fn of_group(call: &Call, group: Uuid) -> Result<Granted, Error> {
    let journal = &*call.state.journal;
    let groups = with_ancestors(journal, &[group]).await?;
    if groups.iter().any(|group| group.value.is_superuser) {
        return Ok(Granted::everything());
    }
    let roles = groups.iter().flat_map(|group| &group.value.roles).copied();
    let roles = named(journal, roles).await?;
    Ok(Granted::by(roles.iter().map(|role| &role.value)))
}

/// Checks the groups and roles that a user is to have.
///
/// # Errors
/// [`Error::NotPermitted`] when one of them comes or goes that the caller has no say about.
pub(super) async fn check_memberships(
    call: &Call,
    user: Option<&User>,
    fields: &Map<String, Value>,
) -> Result<(), Error> {
    let granted = &call.caller()?.granted;
    if granted.is_superuser() {
        return Ok(());
    }
    let (groups, roles) = match user {
        Some(user) => (&user.groups[..], &user.roles[..]),
        None => (&[][..], &[][..]),
    };
    let (come, go) = difference(groups, fields.get("groups"));
    for group in come {
        permit(may_change_members(granted, "add_user_to_group", group))?;
        may_act_on_group(call, group).await?;
    }
    for group in go {
        permit(may_change_members(granted, "remove_user_from_group", group))?;
        may_act_on_group(call, group).await?;
    }
    let (come, go) = difference(roles, fields.get("roles"));
    for role in come.into_iter().chain(go) {
        permit(granted.may_of("authentik_rbac.change_role", role))?;
        may_give_role(call, role).await?;
    }
    Ok(())
}

/// Whether somebody may put people into a group, or take them out.
pub(super) fn may_change_members(granted: &Granted, verb: &str, group: Uuid) -> bool {
    granted.may_of(&format!("authentik_core.{verb}"), group)
        || granted.may_of("authentik_core.change_group", group)
}

/// Checks what a group is to be: those above it and its roles give those in it what they permit.
///
/// # Errors
/// [`Error::NotPermitted`] when the caller may not do all of that themselves.
pub(super) async fn check_group(
    call: &Call,
    group: Option<&Group>,
    fields: &Map<String, Value>,
) -> Result<(), Error> {
    if call.caller()?.granted.is_superuser() {
        return Ok(());
    }
    let (parents, roles) = match group {
        Some(group) => {
            may_act_on_group(call, group.pk).await?;
            (&group.parents[..], &group.roles[..])
        }
        None => (&[][..], &[][..]),
    };
    for parent in difference(parents, fields.get("parents")).0 {
        may_act_on_group(call, parent).await?;
    }
    for role in difference(roles, fields.get("roles")).0 {
        may_give_role(call, role).await?;
    }
    Ok(())
}

/// What a change takes from whoever is a superuser.
pub(super) enum Loss<'a> {
    /// A user goes, or cannot log in any more.
    User(&'a User),
    /// A user is in these groups alone.
    Memberships(&'a User, Vec<Uuid>),
    /// A group goes.
    Group(Uuid),
    /// A group becomes this, with these users in it where they change as well.
    Changed(&'a Group, Option<Vec<i64>>),
}

/// Keeps the last superuser who can log in: without one, nobody could mend anything from afar.
///
/// # Errors
/// A complaint about this field when nobody would be left.
pub(super) async fn spare_the_last(
    call: &Call,
    loss: Loss<'_>,
    field: &'static str,
) -> Result<(), Error> {
    let journal = &*call.state.journal;
    let (mut groups, mut users) = (HashMap::new(), users(journal).await?);
    for group in object::all::<Group>(journal).await? {
        groups.insert(group.value.pk, group.value);
    }
    if !has_superuser(&users, &groups) {
        return Ok(());
    }
    match loss {
        Loss::User(gone) => users.retain(|user| user.value.uuid != gone.uuid),
        Loss::Memberships(user, left) => {
            let found = users.iter_mut().find(|it| it.value.uuid == user.uuid);
            if let Some(found) = found {
                found.value.groups = left;
            }
        }
        Loss::Group(gone) => {
            groups.remove(&gone);
        }
        Loss::Changed(group, members) => {
            if let Some(members) = members {
                for user in &mut users {
                    user.value.groups.retain(|id| *id != group.pk);
                    let is_in = members.contains(&user.value.pk);
                    user.value.groups.extend(is_in.then_some(group.pk));
                }
            }
            groups.insert(group.pk, group.clone());
        }
    }
    if has_superuser(&users, &groups) {
        Ok(())
    } else {
        Err(wrong(field, "This is the last active superuser."))
    }
}

/// Whether anybody who can log in is a superuser by one of these groups.
fn has_superuser(users: &[Versioned<User>], groups: &HashMap<Uuid, Group>) -> bool {
    let is_one = |user: &User| {
        let (mut open, mut seen) = (user.groups.clone(), HashSet::new());
        while let Some(id) = open.pop() {
            let Some(group) = groups.get(&id).filter(|_| seen.insert(id)) else {
                continue;
            };
            if group.is_superuser {
                return true;
            }
            open.extend(&group.parents);
        }
        false
    };
    let mut users = users.iter().map(|user| &user.value);
    users.any(|user| user.is_active && is_one(user))
}

/// The identifiers in a field, where it is given.
pub(super) fn identifiers(given: Option<&Value>) -> Option<Vec<Uuid>> {
    let items = given?.as_array()?.iter();
    Some(
        items
            .filter_map(|item| item.as_str()?.parse().ok())
            .collect(),
    )
}

/// Which of the identifiers in a field are new, and which are missing there. What is no identifier is
/// complained of elsewhere, and a field that is not given changes nothing.
fn difference(had: &[Uuid], given: Option<&Value>) -> (Vec<Uuid>, Vec<Uuid>) {
    let Some(wanted) = identifiers(given) else {
        return (Vec::new(), Vec::new());
    };
    let wanted: HashSet<Uuid> = wanted.into_iter().collect();
    let come = wanted.iter().filter(|id| !had.contains(id)).copied();
    let go = had.iter().filter(|id| !wanted.contains(id)).copied();
    (come.collect(), go.collect())
}

/// # Errors
/// [`Error::NotPermitted`] when it is not permitted.
pub(super) fn permit(may: bool) -> Result<(), Error> {
    if may {
        Ok(())
    } else {
        Err(Error::NotPermitted)
    }
}
