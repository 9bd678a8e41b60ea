//! `/rbac/permissions/`: the permissions that there are, and those that roles give.
//!
//! Source: authentik `rbac/api/rbac.py`, `rbac/api/rbac_assigned_by_roles.py`, `rbac/api/rbac_roles.py`.

use std::collections::BTreeSet;

use actix_web::HttpResponse;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::body::{REQUIRED, wrong};
use super::super::call::Call;
use super::super::operation::{Answered, Content, Method, Operation};
use super::super::schema::{Components, reference, uuid};
use super::guard::permit;
use super::roles::role;
use super::{commit, contended};
use crate::blueprint::edit::{Model, Object, Staged, ask, find as find_object};
use crate::directory::Role;
use crate::directory::permission::{self, Known};
use crate::directory::role::{OnObject, roles};
use crate::http::Error;
use crate::journal::object::{self, Versioned, put};

const VIEW: &str = "authentik_rbac.view_role";

/// The operations.
pub(super) fn operations() -> Vec<Operation> {
    let text = || json!({ "type": "string" });
    let base = "/rbac/permissions/assigned_by_roles/";
    let assigned = "rbac_permissions_assigned_by_roles";
    vec![
        Operation::new(
            Method::Get,
            "/rbac/permissions/",
            "rbac_permissions_list",
            all,
        )
        .paged()
        .asks("codename", text())
        .asks("content_type__app_label", text())
        .asks("content_type__model", text())
        .asks("role", text())
        .answers(200, Content::Page("Permission".to_owned())),
        Operation::new(
            Method::Get,
            "/rbac/permissions/{id}/",
            "rbac_permissions_retrieve",
            retrieve,
        )
        .key("id", &json!({ "type": "integer" }))
        .answers(200, Content::One("Permission".to_owned())),
        Operation::new(Method::Get, base, &format!("{assigned}_list"), by_roles)
            .paged()
            .asks("model", text())
            .asks("object_pk", text())
            .answers(
                200,
                Content::Page("RoleAssignedObjectPermission".to_owned()),
            ),
        Operation::new(
            Method::Post,
            "/rbac/permissions/assigned_by_roles/{uuid}/assign/",
            &format!("{assigned}_assign"),
            assign,
        )
        .key("uuid", &uuid())
        .takes(Content::One("PermissionAssignRequest".to_owned()))
        .answers(200, Content::List("PermissionAssignResult".to_owned())),
        Operation::new(
            Method::Patch,
            "/rbac/permissions/assigned_by_roles/{uuid}/unassign/",
            &format!("{assigned}_unassign_partial_update"),
            unassign,
        )
        .key("uuid", &uuid())
        .takes(Content::One("PatchedPermissionAssignRequest".to_owned()))
        .answers(204, Content::Nothing),
        Operation::new(
            Method::Get,
            "/rbac/permissions/roles/",
            "rbac_permissions_roles_list",
            of_objects,
        )
        .paged()
        .asks("uuid", uuid())
        .answers(200, Content::Page("ExtraRoleObjectPermission".to_owned())),
    ]
}

/// Their schemas.
pub(super) fn describe(components: &mut Components) {
    let read = json!({ "type": "string", "readOnly": true });
    let number = json!({ "type": "integer", "readOnly": true });
    let mut put = |name: &str, properties: Value, required: &[&str]| {
        let schema = json!({ "type": "object", "properties": properties, "required": required });
        components.put(name, schema);
    };
    put(
        "Permission",
        json!({
            "id": number,
            "name": { "type": "string", "maxLength": 255 },
            "codename": { "type": "string", "maxLength": 100 },
            "model": read,
            "app_label": read,
            "app_label_verbose": read,
            "model_verbose": read,
        }),
        &[
            "app_label",
            "app_label_verbose",
            "codename",
            "id",
            "model",
            "model_verbose",
            "name",
        ],
    );
    let model = json!({
        "id": number, "codename": read, "model": read, "app_label": read, "name": read,
    });
    let required = ["app_label", "codename", "id", "model", "name"];
    put("RoleModelPermission", model.clone(), &required);
    let mut object = model;
    object["object_pk"] = json!({ "type": "string" });
    let required = ["app_label", "codename", "id", "model", "name", "object_pk"];
    put("RoleObjectPermission", object.clone(), &required);
    object["app_label_verbose"] = read.clone();
    object["model_verbose"] = read.clone();
    object["object_description"] = json!({ "type": ["string", "null"], "readOnly": true });
    put(
        "ExtraRoleObjectPermission",
        object,
        &[
            "app_label",
            "app_label_verbose",
            "codename",
            "id",
            "model",
            "model_verbose",
            "name",
            "object_description",
            "object_pk",
        ],
    );
    let list = |name: &str| json!({ "type": "array", "items": reference(name) });
    put(
        "RoleAssignedObjectPermission",
        json!({
            "role_pk": read,
            "name": read,
            "object_permissions": list("RoleObjectPermission"),
            "model_permissions": list("RoleModelPermission"),
        }),
        &["model_permissions", "name", "object_permissions", "role_pk"],
    );
    let asked = json!({
        "permissions": { "type": "array", "items": { "type": "string", "minLength": 1 } },
        "model": reference("ModelEnum"),
        "object_pk": { "type": "string", "minLength": 1 },
    });
    put("PermissionAssignRequest", asked.clone(), &["permissions"]);
    put("PatchedPermissionAssignRequest", asked, &[]);
    put(
        "PermissionAssignResult",
        json!({ "id": { "type": "string" } }),
        &["id"],
    );
    let names: Vec<String> = permission::models()
        .iter()
        .map(permission::Model::full_name)
        .collect();
    components.put("ModelEnum", json!({ "type": "string", "enum": names }));
}

/// What every form of a permission says.
fn show(known: &Known) -> Map<String, Value> {
    Map::from_iter([
        ("id".to_owned(), known.id().into()),
        ("codename".to_owned(), known.codename.clone().into()),
        ("model".to_owned(), known.model.name.into()),
        ("app_label".to_owned(), known.model.app.into()),
        ("name".to_owned(), known.title.clone().into()),
    ])
}

fn show_whole(known: &Known) -> Map<String, Value> {
    let mut shown = show(known);
    shown.insert(
        "app_label_verbose".to_owned(),
        known.model.app_title().into(),
    );
    shown.insert("model_verbose".to_owned(), known.model.title.into());
    shown
}

/// `GET /rbac/permissions/`
async fn all(call: Call) -> Answered {
    permit(call.caller()?.granted.may_any(VIEW))?;
    let listing = call.listing();
    let of_role = match listing.filter("role") {
        Some(id) => {
            let id: Uuid = id
                .parse()
                .map_err(|_| wrong("role", "Enter a valid UUID."))?;
            let role: Option<Versioned<Role>> = object::get(&*call.state.journal, id).await?;
            let visible = role.filter(|_| {
                let caller = call.caller();
                caller.is_ok_and(|caller| caller.granted.may_of(VIEW, id))
            });
            Some(
                visible
                    .map(|role| role.value.permissions)
                    .unwrap_or_default(),
            )
        }
        None => None,
    };
    let is = |field: &str, value: &str| listing.filter(field).is_none_or(|it| it == value);
    let mut found: Vec<Known> = permission::all()
        .filter(|it| {
            let held = of_role.as_ref();
            held.is_none_or(|held: &BTreeSet<String>| held.contains(&it.full_name()))
                && is("codename", &it.codename)
                && is("content_type__app_label", it.model.app)
                && is("content_type__model", it.model.name)
                && listing.finds(&[&it.codename, it.model.app, it.model.name, &it.title])
        })
        .collect();
    for (field, downwards) in listing.ordering().into_iter().rev() {
        found.sort_by(|a, b| {
            let order = match field {
                "codename" => a.codename.cmp(&b.codename),
                "name" => a.title.cmp(&b.title),
                "id" => a.id().cmp(&b.id()),
                _ => std::cmp::Ordering::Equal,
            };
            if downwards { order.reverse() } else { order }
        });
    }
    let shown = listing
        .page(&found, async |it| Ok(show_whole(it).into()))
        .await?;
    Ok(HttpResponse::Ok().json(shown))
}

/// `GET /rbac/permissions/{id}/`
async fn retrieve(call: Call) -> Answered {
    permit(call.caller()?.granted.may_any(VIEW))?;
    let id = call.path("id");
    let found = permission::all().find(|it| it.id().to_string() == id);
    let found = found.ok_or(Error::Missing("Permission"))?;
    Ok(HttpResponse::Ok().json(show_whole(&found)))
}

/// `GET /rbac/permissions/assigned_by_roles/`: which roles permit something on a model or on one
/// object of it.
async fn by_roles(call: Call) -> Answered {
    let granted = &call.caller()?.granted;
    permit(granted.may_any(VIEW))?;
    let listing = call.listing();
    let model = listing
        .filter("model")
        .ok_or_else(|| wrong("model", REQUIRED))?;
    let known = permission::model(model).ok_or_else(|| {
        let problem = "Select a valid choice. {} is not one of the available choices.";
        wrong("model", problem.replace("{}", model))
    })?;
    let object = listing.filter("object_pk");
    let permissions = permission::of_model(known);
    let mut found = Vec::new();
    for role in roles(&*call.state.journal).await? {
        let role = role.value;
        if !granted.may_of(VIEW, role.pk) || !listing.finds(&[&role.name]) {
            continue;
        }
        let of_objects: Vec<Value> = role
            .objects
            .iter()
            .filter(|on| on.model == model && object.is_none_or(|pk| pk == on.pk))
            .filter_map(|on| {
                let mut shown = show(&permission::find(&on.permission)?);
                shown.insert("object_pk".to_owned(), on.pk.clone().into());
                Some(Value::Object(shown))
            })
            .collect();
        let of_model: Vec<Value> = permissions
            .iter()
            .filter(|it| role.permissions.contains(&it.full_name()))
            .map(|it| Value::Object(show(it)))
            .collect();
        if !of_objects.is_empty() || object.is_none() && !of_model.is_empty() {
            found.push(json!({
                "role_pk": role.pk,
                "name": role.name,
                "object_permissions": of_objects,
                "model_permissions": of_model,
            }));
        }
    }
    let shown = listing.page(&found, async |it| Ok(it.clone())).await?;
    Ok(HttpResponse::Ok().json(shown))
}

/// `GET /rbac/permissions/roles/`: what a role permits on single objects.
async fn of_objects(call: Call) -> Answered {
    let granted = &call.caller()?.granted;
    permit(granted.may_any(VIEW))?;
    let listing = call.listing();
    let wanted: Option<Uuid> = match listing.filter("uuid") {
        Some(id) => Some(
            id.parse()
                .map_err(|_| wrong("uuid", "Enter a valid UUID."))?,
        ),
        None => None,
    };
    let journal = &*call.state.journal;
    let mut staged = Staged::default();
    let mut found = Vec::new();
    for role in roles(journal).await? {
        let role = role.value;
        if wanted.is_some_and(|id| id != role.pk) || !granted.may_of(VIEW, role.pk) {
            continue;
        }
        for on in &role.objects {
            let Some(known) = permission::find(&on.permission) else {
                continue;
            };
            let view = format!("{}.view_{}", known.model.app, known.model.name);
            let name = match Model::of_name(&on.model) {
                Ok(model) if granted.may_of(&view, &on.pk) => {
                    let pair = [("pk".to_owned(), on.pk.clone().into())];
                    let look =
                        |staged: &Staged| Ok(find_object(model, &pair, staged)?.map(Object::name));
                    ask(&mut staged, journal, look).await?
                }
                _ => None,
            };
            let mut shown = show_whole(&known);
            shown.insert("object_pk".to_owned(), on.pk.clone().into());
            shown.insert("object_description".to_owned(), json!(name));
            found.push(Value::Object(shown));
        }
    }
    let shown = listing.page(&found, async |it| Ok(it.clone())).await?;
    Ok(HttpResponse::Ok().json(shown))
}

/// What is to be given or taken: permissions, and the object where it is one.
struct Asked {
    permissions: Vec<Known>,
    object: Option<(String, String)>,
}

async fn asked(call: &mut Call) -> Result<Asked, Error> {
    let fields = call.fields().await?;
    let text = |field: &str| {
        fields
            .get(field)
            .and_then(Value::as_str)
            .filter(|it| !it.is_empty())
    };
    let object = match (text("model"), text("object_pk")) {
        (None, None) => None,
        (Some(model), Some(pk)) => Some((model.to_owned(), pk.to_owned())),
        (Some(_), None) => return Err(wrong("object_pk", REQUIRED)),
        (None, Some(_)) => return Err(wrong("model", REQUIRED)),
    };
    if let Some((name, pk)) = &object {
        let missing = || {
            let problem = format!("\"{name}\" is not a valid choice.");
            wrong("model", problem)
        };
        permission::model(name).ok_or_else(missing)?;
        if let Ok(model) = Model::of_name(name) {
            let pair = [("pk".to_owned(), pk.as_str().into())];
            let look = |staged: &Staged| Ok(find_object(model, &pair, staged)?.is_some());
            let there = ask(&mut Staged::default(), &*call.state.journal, look).await?;
            if !there {
                let problem = format!("Invalid pk \"{pk}\" - object does not exist.");
                return Err(wrong("object_pk", problem));
            }
        }
    }
    let Some(Value::Array(items)) = fields.get("permissions") else {
        let problem = match fields.get("permissions") {
            None => REQUIRED,
            Some(_) => "Expected a list of items.",
        };
        return Err(wrong("permissions", problem));
    };
    let mut permissions = Vec::new();
    for item in items {
        let name = item.as_str().unwrap_or_default();
        let fits = |it: &Known| match &object {
            Some((model, _)) => it.model.full_name() == *model,
            None => true,
        };
        let known = permission::find(name).filter(fits).ok_or_else(|| {
            let problem = format!("\"{name}\" is not a valid choice.");
            wrong("permissions", problem)
        })?;
        permissions.push(known);
    }
    Ok(Asked {
        permissions,
        object,
    })
}

/// `POST /rbac/permissions/assigned_by_roles/{uuid}/assign/`: nobody gives what they lack.
async fn assign(mut call: Call) -> Answered {
    let role = role(&call).await?;
    let may = "authentik_rbac.assign_role_permissions";
    permit(call.caller()?.granted.may_of(may, role.pk))?;
    let asked = asked(&mut call).await?;
    let granted = &call.caller()?.granted;
    for known in &asked.permissions {
        permit(match &asked.object {
            Some((_, pk)) => granted.may_of(&known.full_name(), pk),
            None => granted.may(&known.full_name()),
        })?;
    }
    change(&call, role.pk, |role| {
        for known in &asked.permissions {
            match on(known, &asked) {
                Some(on) => role.objects.insert(on),
                None => role.permissions.insert(known.full_name()),
            };
        }
    })
    .await?;
    let given = asked.permissions.iter();
    let ids: Vec<Value> = given
        .map(|known| json!({ "id": known.id().to_string() }))
        .collect();
    Ok(HttpResponse::Ok().json(ids))
}

/// `PATCH /rbac/permissions/assigned_by_roles/{uuid}/unassign/`
async fn unassign(mut call: Call) -> Answered {
    let role = role(&call).await?;
    let may = "authentik_rbac.unassign_role_permissions";
    permit(call.caller()?.granted.may_of(may, role.pk))?;
    let asked = asked(&mut call).await?;
    change(&call, role.pk, |role| {
        for known in &asked.permissions {
            match on(known, &asked) {
                Some(on) => role.objects.remove(&on),
                None => role.permissions.remove(&known.full_name()),
            };
        }
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

fn on(known: &Known, asked: &Asked) -> Option<OnObject> {
    let (model, pk) = asked.object.as_ref()?;
    Some(OnObject {
        model: model.clone(),
        pk: pk.clone(),
        permission: known.full_name(),
    })
}

/// Changes a role as it is at that moment.
async fn change(call: &Call, role: Uuid, change: impl Fn(&mut Role)) -> Result<(), Error> {
    let attempt = async || {
        let found: Option<Versioned<Role>> = object::get(&*call.state.journal, role).await?;
        let mut found = found.ok_or(Error::Missing("Role"))?;
        change(&mut found.value);
        let changed = commit(call, vec![put(&found.value, found.version)]).await?;
        Ok::<_, Error>(changed.then_some(()))
    };
    let changed = call.state.turns.until(attempt).await?;
    changed.ok_or_else(contended)
}
