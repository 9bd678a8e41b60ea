//! `/core/groups/`: groups, and who is in them.
//!
//! Source: authentik `core/api/groups.py`.

use actix_web::HttpResponse;
use serde_json::{Map, Value, json};

use super::super::body::{pk, wrong};
use super::super::call::Call;
use super::super::operation::{Answered, Content, Method, Operation};
use super::super::resource::{Filter, Fits, KeyField, Resource, Scope, Shown, found};
use super::super::schema::{Components, reference, request, uuid};
use super::guard::{Loss, check_group, identifiers, may_act_on_group, permit, spare_the_last};
use super::users::is_no;
use super::{change_user, shown};
use crate::blueprint::edit::{Field, Miss, Model, Object, Shape, Staged, fields};
use crate::directory::{Group, user_by_pk};
use crate::http::Error;
use crate::journal::object::Stored;

/// The groups.
static GROUPS: Resource = Resource {
    path: "/core/groups/",
    prefix: "core_groups",
    key: "group_uuid",
    key_field: KeyField::Pk,
    scope: Scope::Of(Model::Group),
    name: "Group",
    noun: "authentik_core.group",
    search: &["name", "is_superuser"],
    filters: &[
        Filter::of("attributes", Fits::Object),
        Filter::of("is_superuser", Fits::Flag),
        Filter::of("members_by_pk", Fits::Integers),
        Filter::of("members_by_username", Fits::Texts),
        Filter::of("name", Fits::Text),
    ],
    order: &["name"],
    closed: &[],
    is_own: None,
    guard: Some(|call, old, fields| Box::pin(check(call, old, fields))),
    show,
};

/// The operations on groups.
pub(super) fn operations() -> Vec<Operation> {
    let mut all = vec![included(GROUPS.list())];
    all.push(GROUPS.create());
    all.push(included(GROUPS.retrieve()));
    all.push(GROUPS.update(Method::Put));
    all.push(GROUPS.update(Method::Patch));
    let (path, id) = ("/core/groups/{group_uuid}/", "core_groups_destroy");
    all.push(
        Operation::new(Method::Delete, path, id, destroy)
            .key("group_uuid", &uuid())
            .answers(204, Content::Nothing),
    );
    all.push(GROUPS.used_by());
    let (path, id) = (
        "/core/groups/{group_uuid}/add_user/",
        "core_groups_add_user_create",
    );
    all.push(member(Operation::new(Method::Post, path, id, add_user)));
    let (path, id) = (
        "/core/groups/{group_uuid}/remove_user/",
        "core_groups_remove_user_create",
    );
    all.push(member(Operation::new(Method::Post, path, id, remove_user)));
    all
}

fn included(operation: Operation) -> Operation {
    let flag = |usual: bool| json!({ "type": "boolean", "default": usual });
    operation
        .asks("include_children", flag(false))
        .asks("include_inherited_roles", flag(false))
        .asks("include_parents", flag(false))
        .asks("include_users", flag(true))
}

fn member(operation: Operation) -> Operation {
    operation
        .key("group_uuid", &uuid())
        .takes(Content::One("UserAccountRequest".to_owned()))
        .answers(204, Content::Nothing)
}

/// Their schemas.
pub(super) fn describe(components: &mut Components) {
    let numbers = || json!({ "type": "array", "items": { "type": "integer" } });
    let users = Field {
        name: "users",
        shape: Shape::Users,
        required: false,
    };
    let table = fields(Model::Group).iter().chain([&users]);
    request(components, "Group", table, None);
    let ids = json!({ "type": "array", "items": uuid() });
    let read = |mut schema: Value| {
        schema["readOnly"] = true.into();
        schema
    };
    let objects = |name: &str| json!({ "type": ["array", "null"], "items": reference(name), "readOnly": true });
    let some = json!({ "type": "object", "additionalProperties": {} });
    components.put(
        "Group",
        json!({
            "type": "object",
            "properties": {
                "pk": read(uuid()),
                "num_pk": { "type": "integer", "readOnly": true },
                "name": { "type": "string" },
                "is_superuser": { "type": "boolean" },
                "parents": ids,
                "parents_obj": objects("RelatedGroup"),
                "users": numbers(),
                "users_obj": objects("PartialUser"),
                "attributes": some,
                "roles": ids,
                "roles_obj": { "type": "array", "items": reference("Role"), "readOnly": true },
                "inherited_roles_obj": objects("Role"),
                "children": read(ids.clone()),
                "children_obj": objects("RelatedGroup"),
            },
            "required": ["children", "children_obj", "inherited_roles_obj", "name", "num_pk",
                "parents_obj", "pk", "roles_obj", "users_obj"],
        }),
    );
    components.put(
        "RelatedGroup",
        json!({
            "type": "object",
            "properties": {
                "pk": read(uuid()),
                "name": { "type": "string" },
                "is_superuser": { "type": "boolean" },
                "attributes": some,
                "group_uuid": read(uuid()),
            },
            "required": ["group_uuid", "name", "pk"],
        }),
    );
    components.put(
        "PartialUser",
        json!({
            "type": "object",
            "properties": {
                "pk": { "type": "integer", "readOnly": true },
                "username": { "type": "string", "maxLength": 150 },
                "name": { "type": "string" },
                "is_active": { "type": "boolean" },
                "last_login": { "type": ["string", "null"], "format": "date-time" },
                "email": { "type": "string", "maxLength": 254 },
                "attributes": some,
                "uid": { "type": "string", "readOnly": true },
            },
            "required": ["name", "pk", "uid", "username"],
        }),
    );
    components.put(
        "UserAccountRequest",
        json!({
            "type": "object",
            "properties": { "pk": { "type": "integer" } },
            "required": ["pk"],
        }),
    );
}

fn show(object: &Object, staged: &Staged, about: &Shown<'_>) -> Result<Value, Miss> {
    let Object::Group(group) = object else {
        return Err(Miss::Wrong("this is no group".to_owned()));
    };
    let asked = |name: &str| about.query.get(name).is_some_and(|it| !is_no(it));
    let with_users = about.query.get("include_users").is_none_or(|it| !is_no(it));
    let members: Vec<_> = staged
        .users()?
        .filter(|user| user.groups.contains(&group.pk))
        .collect();
    let users: Vec<Value> = members
        .iter()
        .map(|user| {
            json!({
                "pk": user.pk,
                "username": user.username,
                "name": user.name,
                "is_active": user.is_active,
                "email": user.email,
                "attributes": user.attributes,
                "uid": user.uid(about.state.install_id),
            })
        })
        .collect();
    let parents = shown::groups(staged, &group.parents)?;
    let all = staged.all(Group::KIND)?.into_iter();
    let mut children: Vec<&Group> = all
        .filter_map(|it| match it {
            Object::Group(child) if child.parents.contains(&group.pk) => Some(child),
            _ => None,
        })
        .collect();
    children.sort_by(|a, b| a.name.cmp(&b.name));
    let roles = shown::roles(staged, &group.roles)?;
    let inherited: Vec<_> = shown::ancestors(staged, &group.parents)?
        .iter()
        .flat_map(|above| &above.roles)
        .copied()
        .collect();
    let inherited = shown::roles(staged, &inherited)?;
    Ok(json!({
        "pk": group.pk,
        "num_pk": group.num_pk(),
        "name": group.name,
        "is_superuser": group.is_superuser,
        "parents": parents.iter().map(|it| it.pk).collect::<Vec<_>>(),
        "parents_obj": asked("include_parents").then(|| related(&parents)),
        "users": members.iter().map(|it| it.pk).collect::<Vec<_>>(),
        "users_obj": with_users.then_some(users),
        "attributes": group.attributes,
        "roles": roles.iter().map(|it| it.pk).collect::<Vec<_>>(),
        "roles_obj": shown::shown_roles(&roles),
        "inherited_roles_obj":
            asked("include_inherited_roles").then(|| shown::shown_roles(&inherited)),
        "children": children.iter().map(|it| it.pk).collect::<Vec<_>>(),
        "children_obj": asked("include_children").then(|| related(&children)),
    }))
}

fn related(groups: &[&Group]) -> Vec<Value> {
    let groups = groups.iter().map(|group| {
        json!({
            "pk": group.pk,
            "group_uuid": group.pk,
            "name": group.name,
            "is_superuser": group.is_superuser,
            "attributes": group.attributes,
        })
    });
    groups.collect()
}

/// Checks what is wanted of a group.
async fn check(
    call: &Call,
    old: Option<&Object>,
    fields: &mut Map<String, Value>,
) -> Result<(), Error> {
    let old = match old {
        Some(Object::Group(group)) => Some(group),
        _ => None,
    };
    check_group(call, old, fields).await?;
    if let Some(group) = old {
        let own = group.pk.to_string();
        let parents = fields.get("parents").and_then(Value::as_array);
        if parents.is_some_and(|it| it.iter().any(|parent| parent.as_str() == Some(&own))) {
            return Err(wrong("parents", "Cannot set group as parent of itself."));
        }
        spare_those_in(call, group, fields).await?;
    }
    let was = old.is_some_and(|group| group.is_superuser);
    let wanted = fields.get("is_superuser").and_then(Value::as_bool);
    let Some(wanted) = wanted.filter(|wanted| *wanted != was) else {
        // Written otherwise than as true or false, it could not be compared.
        return match fields.get("is_superuser") {
            Some(value) if !value.is_boolean() => {
                Err(wrong("is_superuser", "Must be a valid boolean."))
            }
            _ => Ok(()),
        };
    };
    let (verb, name) = if wanted {
        ("enable", "True")
    } else {
        ("disable", "False")
    };
    let permission = format!("authentik_core.{verb}_group_superuser");
    let granted = &call.caller()?.granted;
    let may = match old {
        Some(group) => granted.may_of(&permission, group.pk),
        None => granted.may(&permission),
    };
    if may {
        return Ok(());
    }
    let problem = format!("User does not have permission to set superuser status to {name}.");
    Err(wrong("is_superuser", problem))
}

/// Keeps the last superuser, whichever part of a group that they are one by changes.
async fn spare_those_in(
    call: &Call,
    group: &Group,
    fields: &Map<String, Value>,
) -> Result<(), Error> {
    let mut changed = group.clone();
    let is_superuser = fields.get("is_superuser").and_then(Value::as_bool);
    changed.is_superuser = is_superuser.unwrap_or(group.is_superuser);
    if let Some(parents) = identifiers(fields.get("parents")) {
        changed.parents = parents;
    }
    let members = fields.get("users").and_then(Value::as_array);
    let members = members.map(|it| it.iter().filter_map(Value::as_i64).collect());
    let loses = changed.is_superuser != group.is_superuser || changed.parents != group.parents;
    if loses || members.is_some() {
        let field = match (&members, is_superuser) {
            (_, Some(false)) => "is_superuser",
            (Some(_), _) => "users",
            _ => "parents",
        };
        spare_the_last(call, Loss::Changed(&changed, members), field).await?;
    }
    Ok(())
}

/// `DELETE /core/groups/{group_uuid}/`
async fn destroy(call: Call) -> Answered {
    let group = group(&call).await?;
    permit(
        call.caller()?
            .granted
            .may_of("authentik_core.delete_group", group.pk),
    )?;
    may_act_on_group(&call, group.pk).await?;
    spare_the_last(&call, Loss::Group(group.pk), "non_field_errors").await?;
    GROUPS.remove(call).await
}

/// `POST /core/groups/{group_uuid}/add_user/`
async fn add_user(call: Call) -> Answered {
    membership(call, "add_user_to_group").await
}

/// `POST /core/groups/{group_uuid}/remove_user/`
async fn remove_user(call: Call) -> Answered {
    membership(call, "remove_user_from_group").await
}

async fn membership(mut call: Call, verb: &str) -> Answered {
    let group = group(&call).await?.pk;
    let permission = format!("authentik_core.{verb}");
    permit(call.caller()?.granted.may_of(&permission, group))?;
    may_act_on_group(&call, group).await?;
    let fields = call.fields().await?;
    let number = pk(fields.get("pk")).map_err(|it| wrong("pk", it))?;
    let user = user_by_pk(&*call.state.journal, number).await?;
    let user = user.ok_or(Error::Missing("User"))?;
    if verb == "remove_user_from_group" {
        let left = user.value.groups.iter().filter(|id| **id != group);
        let loss = Loss::Memberships(&user.value, left.copied().collect());
        spare_the_last(&call, loss, "pk").await?;
    }
    change_user(&call, user.value.uuid, |user| {
        user.groups.retain(|id| *id != group);
        if verb == "add_user_to_group" {
            user.groups.push(group);
        }
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn group(call: &Call) -> Result<Group, Error> {
    match found(&GROUPS, call, &mut Staged::default()).await? {
        Object::Group(group) => Ok(group),
        _ => Err(Error::Missing("Group")),
    }
}
