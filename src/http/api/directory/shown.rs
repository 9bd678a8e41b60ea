//! Users, groups and roles as other objects show them, and what is known of objects beside what is
//! stored in them.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::blueprint::edit::{Miss, Object, Staged};
use crate::directory::user::last_login;
use crate::directory::{Group, Role, User, avatar};
use crate::http::api::partial::{self, PartialGroup};
use crate::http::{Error, State};
use crate::journal::object::Stored;

/// What is known of objects beside what is stored in them, by their identifiers: what is counted,
/// and what others say of them. Lists are filtered and sorted by it as by fields.
pub(in crate::http::api) type Beside = HashMap<Uuid, Map<String, Value>>;

/// A role.
#[derive(Serialize, ToSchema)]
#[schema(as = Role)]
pub(super) struct ShownRole {
    #[schema(read_only)]
    pub(super) pk: Uuid,
    pub(super) name: String,
}

/// When the users among these objects, or those to whom they belong, last logged in.
///
/// # Errors
/// When the journal cannot be read.
pub(in crate::http::api) async fn beside(
    state: &State,
    objects: &[Object],
) -> Result<Beside, Error> {
    let mut found = Beside::new();
    for object in objects {
        let user = match object {
            Object::User(user) => user.uuid,
            Object::Token(token) => token.user,
            _ => continue,
        };
        let at = last_login(&*state.journal, user, state.clock.now()).await?;
        let fields = Map::from_iter([("last_login".to_owned(), json!(at))]);
        found.insert(object.stream().id, fields);
    }
    Ok(found)
}

/// What other objects say of this one, for filters.
///
/// # Errors
/// What has to be read first.
pub(in crate::http::api) fn said_of(
    object: &Object,
    staged: &Staged,
    inherited: bool,
) -> Result<Map<String, Value>, Miss> {
    let fields = match object {
        Object::User(user) => {
            let groups = groups(staged, &user.groups)?;
            let roles = roles(staged, &user.roles)?;
            json!({
                "is_superuser": is_superuser(user, staged)?,
                "groups_by_name": groups.iter().map(|it| &it.name).collect::<Vec<_>>(),
                "groups_by_pk": groups.iter().map(|it| it.pk).collect::<Vec<_>>(),
                "roles_by_name": roles.iter().map(|it| &it.name).collect::<Vec<_>>(),
                "roles_by_pk": roles.iter().map(|it| it.pk).collect::<Vec<_>>(),
            })
        }
        Object::Group(group) => {
            let members = staged.users()?.filter(|it| it.groups.contains(&group.pk));
            let (pks, names): (Vec<i64>, Vec<&str>) =
                members.map(|it| (it.pk, it.username.as_str())).unzip();
            json!({ "members_by_pk": pks, "members_by_username": names })
        }
        Object::Role(role) => {
            let mut holders = Vec::new();
            for user in staged.users()? {
                let has = user.roles.contains(&role.pk)
                    || inherited && inherits(&user.groups, role.pk, staged)?;
                holders.extend(has.then_some(user.pk));
            }
            let all = staged.all(Group::KIND)?.into_iter();
            let groups = all.filter_map(|it| match it {
                Object::Group(group) if group.roles.contains(&role.pk) => Some(group.pk),
                _ => None,
            });
            json!({
                "users": holders,
                "groups": groups.collect::<Vec<_>>(),
                "managed": role.managed,
            })
        }
        _ => return Ok(Map::new()),
    };
    match fields {
        Value::Object(fields) => Ok(fields),
        _ => Ok(Map::new()),
    }
}

fn inherits(groups: &[Uuid], role: Uuid, staged: &Staged) -> Result<bool, Miss> {
    let above = ancestors(staged, groups)?;
    Ok(above.iter().any(|group| group.roles.contains(&role)))
}

/// These groups, by name, as far as they are there.
pub(super) fn groups<'s>(staged: &'s Staged, ids: &[Uuid]) -> Result<Vec<&'s Group>, Miss> {
    let mut found = Vec::new();
    for id in ids {
        if let Some(Object::Group(group)) = staged.get(Group::KIND, *id)? {
            found.push(group);
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// These groups and all above them.
pub(super) fn ancestors<'s>(staged: &'s Staged, ids: &[Uuid]) -> Result<Vec<&'s Group>, Miss> {
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    let mut open = ids.to_vec();
    while let Some(id) = open.pop() {
        if seen.insert(id)
            && let Some(Object::Group(group)) = staged.get(Group::KIND, id)?
        {
            open.extend(&group.parents);
            found.push(group);
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// These roles, by name, as far as they are there.
pub(super) fn roles<'s>(staged: &'s Staged, ids: &[Uuid]) -> Result<Vec<&'s Role>, Miss> {
    let mut found: Vec<&Role> = Vec::new();
    for id in ids {
        if let Some(Object::Role(role)) = staged.get(Role::KIND, *id)?
            && !found.iter().any(|it| it.pk == role.pk)
        {
            found.push(role);
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// Whether a group that the user is in, also from below, is one of superusers.
pub(super) fn is_superuser(user: &User, staged: &Staged) -> Result<bool, Miss> {
    let above = ancestors(staged, &user.groups)?;
    Ok(above.iter().any(|group| group.is_superuser))
}

/// Roles as they are shown.
pub(super) fn shown_roles(roles: &[&Role]) -> Vec<ShownRole> {
    let roles = roles.iter().map(|role| ShownRole {
        pk: role.pk,
        name: role.name.clone(),
    });
    roles.collect()
}

/// A user as the API shows them. `with` says whether their groups and their roles are shown with
/// them.
///
/// # Errors
/// What has to be read first.
pub(super) fn user(
    user: &User,
    staged: &Staged,
    state: &State,
    last_login: Option<&Value>,
    with: (bool, bool),
) -> Result<Value, Miss> {
    let groups = groups(staged, &user.groups)?;
    let roles = roles(staged, &user.roles)?;
    let group_objects: Vec<PartialGroup> = groups.iter().map(|it| partial::group(it)).collect();
    Ok(json!({
        "pk": user.pk,
        "username": user.username,
        "name": user.name,
        "is_active": user.is_active,
        "last_login": last_login,
        "date_joined": user.date_joined,
        "is_superuser": is_superuser(user, staged)?,
        "groups": groups.iter().map(|it| it.pk).collect::<Vec<_>>(),
        "groups_obj": with.0.then_some(group_objects),
        "roles": roles.iter().map(|it| it.pk).collect::<Vec<_>>(),
        "roles_obj": with.1.then(|| shown_roles(&roles)),
        "email": user.email,
        "avatar": avatar::of(user),
        "attributes": user.attributes,
        "uid": user.uid(state.install_id),
        "path": user.path,
        "type": user.user_type,
        "uuid": user.uuid,
        "password_change_date": user.password_change_date,
        "last_updated": user.last_updated,
    }))
}
