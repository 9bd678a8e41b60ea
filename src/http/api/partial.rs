//! Users and groups as they are shown within other objects.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::schema::Components;
use crate::directory::{Group, User};

/// A user, as far as others need to know.
#[derive(Serialize)]
pub(super) struct PartialUser {
    pk: i64,
    username: String,
    name: String,
    is_active: bool,
    email: String,
    attributes: Map<String, Value>,
    uid: String,
}

/// A group, as far as others need to know.
#[derive(Serialize, ToSchema)]
pub(super) struct PartialGroup {
    #[schema(read_only)]
    pk: Uuid,
    #[schema(read_only)]
    num_pk: u32,
    name: String,
    #[schema(required = false)]
    is_superuser: bool,
    #[schema(required = false, value_type = Object)]
    attributes: Map<String, Value>,
}

/// The schema of a group; that of a user is with those of devices.
pub(super) fn describe(components: &mut Components) {
    components.add::<PartialGroup>();
}

/// A user of this installation.
pub(super) fn user(user: &User, install: Uuid) -> PartialUser {
    PartialUser {
        pk: user.pk,
        username: user.username.clone(),
        name: user.name.clone(),
        is_active: user.is_active,
        email: user.email.clone(),
        attributes: user.attributes.clone(),
        uid: user.uid(install),
    }
}

/// Whoever stands for nobody: clients expect somebody where a person made something.
pub(super) fn nobody() -> PartialUser {
    PartialUser {
        pk: 0,
        username: "AnonymousUser".to_owned(),
        name: String::new(),
        is_active: false,
        email: String::new(),
        attributes: Map::new(),
        uid: String::new(),
    }
}

/// A group.
pub(super) fn group(group: &Group) -> PartialGroup {
    PartialGroup {
        pk: group.pk,
        num_pk: group.num_pk(),
        name: group.name.clone(),
        is_superuser: group.is_superuser,
        attributes: group.attributes.clone(),
    }
}
