//! The permissions that an entry gives on its object, to roles and to users.

use serde_json::Value;
use uuid::Uuid;

use super::model::{Model, Object, Written, permission, role_of_one};
use super::resolve::Miss;
use super::staged::Staged;
use crate::clock::Clock;
use crate::directory::role::OnObject;
use crate::directory::{Role, User};
use crate::journal::object::Stored;

/// A permission on the entry's object, and who gets it.
pub(super) struct Grant {
    permission: String,
    role: Option<Uuid>,
    user: Option<Uuid>,
}

/// Reads one of an entry's `permissions`.
pub(super) fn read(grant: &Value, model: Model, staged: &Staged) -> Result<Grant, Miss> {
    let Some(Value::String(name)) = grant.get("permission") else {
        let message = "a permission has to be a mapping with a text \"permission\"";
        return Err(Miss::Wrong(message.to_owned()));
    };
    let given = |field: &str| grant.get(field).filter(|value| !value.is_null());
    Ok(Grant {
        permission: permission::of_object(name, model)?,
        role: match given("role") {
            Some(role) => Some(permission::role(role, staged)?),
            None => None,
        },
        user: match given("user") {
            Some(user) => Some(permission::user(user, staged)?),
            None => None,
        },
    })
}

/// Adds to what an entry writes the roles that permit more than before, and the users who get a
/// role for that.
pub(super) fn give(
    grants: &[Grant],
    written: &mut Written,
    staged: &Staged,
    clock: &Clock,
) -> Result<(), Miss> {
    for grant in grants {
        let on = OnObject {
            model: written.object.model_name().to_owned(),
            pk: super::format::text(&written.object.pk()),
            permission: grant.permission.clone(),
        };
        if let Some(id) = grant.role {
            let found = current(written, Role::KIND, id, staged)?;
            if let Some(Object::Role(role)) = found {
                permit(role, &on, written);
            }
        }
        if let Some(id) = grant.user {
            let found = current(written, User::KIND, id, staged)?;
            if let Some(Object::User(mut user)) = found {
                let before = user.roles.len();
                let role = role_of_one(&mut user, staged, clock)?;
                // An earlier grant of this entry may have made it.
                let role = match current(written, Role::KIND, role.pk, staged)? {
                    Some(Object::Role(role)) => role,
                    _ => role,
                };
                if user.roles.len() > before {
                    replace(written, Object::User(user));
                }
                permit(role, &on, written);
            }
        }
    }
    Ok(())
}

fn permit(mut role: Role, on: &OnObject, written: &mut Written) {
    if role.objects.insert(on.clone()) {
        replace(written, Object::Role(role));
    }
}

/// The object as the entry leaves it so far.
fn current(
    written: &Written,
    kind: crate::journal::Kind,
    id: Uuid,
    staged: &Staged,
) -> Result<Option<Object>, Miss> {
    let stream = crate::journal::StreamId::new(kind, id);
    let mut own = std::iter::once(&written.object).chain(&written.others);
    match own.find(|object| object.stream() == stream) {
        Some(object) => Ok(Some(object.clone())),
        None => Ok(staged.get(kind, id)?.cloned()),
    }
}

fn replace(written: &mut Written, object: Object) {
    let stream = object.stream();
    if written.object.stream() == stream {
        written.object = object;
        return;
    }
    written.others.retain(|other| other.stream() != stream);
    written.others.push(object);
}
