//! `/rbac/roles/`: roles, and who has them.
//!
//! Source: authentik `rbac/api/roles.py`.

use actix_web::HttpResponse;
use serde_json::{Map, Value, json};

use super::super::body::{pk, wrong};
use super::super::call::Call;
use super::super::operation::{Answered, Content, Method, Operation};
use super::super::resource::{Filter, Fits, KeyField, Resource, Scope, Shown, found};
use super::super::schema::{Components, request, uuid};
use super::guard::{may_give_role, permit};
use super::{change_user, shown};
use crate::blueprint::edit::{Field, Miss, Model, Object, Staged, fields};
use crate::directory::{Role, user_by_pk};
use crate::http::Error;

/// The roles.
pub(super) static ROLES: Resource = Resource {
    path: "/rbac/roles/",
    prefix: "rbac_roles",
    key: "uuid",
    key_field: KeyField::Pk,
    scope: Scope::Of(Model::Role),
    name: "Role",
    noun: "authentik_rbac.role",
    search: &["name"],
    filters: &[
        Filter::of("groups", Fits::Uuid),
        Filter::of("managed", Fits::Texts),
        Filter::of("managed__isnull", Fits::Flag),
        Filter::of("name", Fits::Text),
        Filter::of("users", Fits::Integer),
    ],
    order: &["name"],
    closed: &["permissions"],
    is_own: None,
    guard: Some(|call, old, fields| Box::pin(std::future::ready(check(call, old, fields)))),
    show,
};

/// The operations on roles.
pub(super) fn operations() -> Vec<Operation> {
    let flag = json!({ "type": "boolean" });
    let mut all = ROLES.operations();
    if let Some(list) = all.first_mut() {
        *list = list.clone().asks("inherited", flag);
    }
    let (path, id) = ("/rbac/roles/{uuid}/add_user/", "rbac_roles_add_user_create");
    all.push(holder(Operation::new(Method::Post, path, id, add_user)));
    let (path, id) = (
        "/rbac/roles/{uuid}/remove_user/",
        "rbac_roles_remove_user_create",
    );
    all.push(holder(Operation::new(Method::Post, path, id, remove_user)));
    all
}

fn holder(operation: Operation) -> Operation {
    let body = "UserAccountSerializerForRoleRequest".to_owned();
    operation
        .key("uuid", &uuid())
        .takes(Content::One(body))
        .answers(204, Content::Nothing)
}

/// Their schemas. The role's own comes with the users'.
pub(super) fn describe(components: &mut Components) {
    let table: Vec<Field> = fields(Model::Role)
        .iter()
        .filter(|field| field.name != "permissions")
        .copied()
        .collect();
    request(components, "Role", table.iter(), None);
    components.put(
        "UserAccountSerializerForRoleRequest",
        json!({
            "type": "object",
            "properties": { "pk": { "type": "integer" } },
            "required": ["pk"],
        }),
    );
}

fn show(object: &Object, _: &Staged, _: &Shown<'_>) -> Result<Value, Miss> {
    let Object::Role(role) = object else {
        return Err(Miss::Wrong("this is no role".to_owned()));
    };
    Ok(json!(shown::ShownRole {
        pk: role.pk,
        name: role.name.clone(),
    }))
}

/// A role that the server looks after keeps its name.
fn check(_: &Call, old: Option<&Object>, fields: &mut Map<String, Value>) -> Result<(), Error> {
    let managed = match old {
        Some(Object::Role(role)) => role.managed.as_ref().map(|_| role.name.as_str()),
        _ => None,
    };
    match (managed, fields.get("name")) {
        (Some(name), Some(wanted)) if wanted.as_str() != Some(name) => Err(wrong(
            "name",
            "The server looks after this role, and it keeps its name.",
        )),
        _ => Ok(()),
    }
}

/// `POST /rbac/roles/{uuid}/add_user/`
async fn add_user(call: Call) -> Answered {
    hold(call, true).await
}

/// `POST /rbac/roles/{uuid}/remove_user/`
async fn remove_user(call: Call) -> Answered {
    hold(call, false).await
}

async fn hold(mut call: Call, shall: bool) -> Answered {
    let role = role(&call).await?.pk;
    permit(
        call.caller()?
            .granted
            .may_of("authentik_rbac.change_role", role),
    )?;
    may_give_role(&call, role).await?;
    let fields = call.fields().await?;
    let number = pk(fields.get("pk")).map_err(|it| wrong("pk", it))?;
    let user = user_by_pk(&*call.state.journal, number).await?;
    let user = user.ok_or(Error::Missing("User"))?;
    change_user(&call, user.value.uuid, |user| {
        user.roles.retain(|id| *id != role);
        user.roles.extend(shall.then_some(role));
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The role that the path names.
///
/// # Errors
/// 404 when there is none that the caller may see.
pub(super) async fn role(call: &Call) -> Result<Role, Error> {
    match found(&ROLES, call, &mut Staged::default()).await? {
        Object::Role(role) => Ok(role),
        _ => Err(Error::Missing("Role")),
    }
}
