//! `/core/users/`: accounts.
//!
//! Source: authentik `core/api/users.py`.

use actix_web::HttpResponse;
use serde_json::{Map, Value, json};

use super::super::body::{REQUIRED, wrong};
use super::super::call::Call;
use super::super::operation::{Answered, Content, Method, Operation};
use super::super::resource::{Filter, Fits, KeyField, Resource, Scope, Shown, found};
use super::super::schema::{Components, reference, request, uuid};
use super::guard::{Loss, check_memberships, identifiers, may_act_on, permit, spare_the_last};
use super::shown::{self, ShownRole};
use crate::blueprint::edit::{Field, Miss, Model, Object, Staged, fields};
use crate::directory::User;
use crate::directory::user::{UserType, users};
use crate::http::Error;

/// The accounts.
pub(super) static USERS: Resource = Resource {
    path: "/core/users/",
    prefix: "core_users",
    key: "id",
    key_field: KeyField::Pk,
    scope: Scope::Of(Model::User),
    name: "User",
    noun: "authentik_core.user",
    search: &["username", "name", "email", "uuid", "attributes"],
    filters: &[
        Filter::of("attributes", Fits::Object),
        Filter::of("date_joined", Fits::Moment),
        Filter::of("date_joined__gt", Fits::Moment),
        Filter::of("date_joined__lt", Fits::Moment),
        Filter::of("email", Fits::Text),
        Filter::of("groups_by_name", Fits::Texts),
        Filter::of("groups_by_pk", Fits::Uuids),
        Filter::of("is_active", Fits::Flag),
        Filter::of("is_superuser", Fits::Flag),
        Filter::of("last_login", Fits::Moment),
        Filter::of("last_login__gt", Fits::Moment),
        Filter::of("last_login__isnull", Fits::Flag),
        Filter::of("last_login__lt", Fits::Moment),
        Filter::of("last_updated", Fits::Moment),
        Filter::of("last_updated__gt", Fits::Moment),
        Filter::of("last_updated__lt", Fits::Moment),
        Filter::of("name", Fits::Text),
        Filter::of("path", Fits::Text),
        Filter {
            name: "path_startswith",
            field: "path__startswith",
            fits: Fits::Text,
        },
        Filter::of("roles_by_name", Fits::Texts),
        Filter::of("roles_by_pk", Fits::Uuids),
        Filter::of("type", Fits::Words(types)),
        Filter::of("username", Fits::Text),
        Filter::of("uuid", Fits::Uuid),
    ],
    order: &["username"],
    closed: &["password", "password_hash", "permissions"],
    is_own: None,
    guard: Some(|call, old, fields| Box::pin(check(call, old, fields))),
    show,
};

fn types() -> Vec<&'static str> {
    UserType::ALL.iter().map(|it| it.as_str()).collect()
}

/// The operations on accounts.
pub(super) fn operations() -> Vec<Operation> {
    let flag = json!({ "type": "boolean", "default": true });
    let paths = Operation::new(
        Method::Get,
        "/core/users/paths/",
        "core_users_paths_retrieve",
        paths,
    )
    .asks("search", json!({ "type": "string" }))
    .answers(200, Content::One("UserPath".to_owned()));
    vec![
        USERS
            .list()
            .asks("include_groups", flag.clone())
            .asks("include_roles", flag),
        USERS.create(),
        USERS.retrieve(),
        USERS.update(Method::Put),
        USERS.update(Method::Patch),
        Operation::new(
            Method::Delete,
            "/core/users/{id}/",
            "core_users_destroy",
            destroy,
        )
        .key("id", &json!({ "type": "integer" }))
        .answers(204, Content::Nothing),
        USERS.used_by(),
        paths,
    ]
}

/// Their schemas.
pub(super) fn describe(components: &mut Components) {
    components.add::<ShownRole>();
    let table: Vec<Field> = fields(Model::User)
        .iter()
        .map(|field| Field {
            required: field.required || field.name == "name",
            ..*field
        })
        .collect();
    request(components, "User", table.iter(), None);
    let text = json!({ "type": "string" });
    let read = json!({ "type": "string", "readOnly": true });
    let at = json!({ "type": "string", "format": "date-time", "readOnly": true });
    let ids = json!({ "type": "array", "items": uuid() });
    let objects = |name: &str| json!({ "type": ["array", "null"], "items": reference(name), "readOnly": true });
    components.put(
        "User",
        json!({
            "type": "object",
            "properties": {
                "pk": { "type": "integer", "readOnly": true },
                "username": { "type": "string", "maxLength": 150 },
                "name": text,
                "is_active": { "type": "boolean" },
                "last_login": { "type": ["string", "null"], "format": "date-time" },
                "date_joined": at,
                "is_superuser": { "type": "boolean", "readOnly": true },
                "groups": ids,
                "groups_obj": objects("PartialGroup"),
                "roles": ids,
                "roles_obj": objects("Role"),
                "email": { "type": "string", "maxLength": 254 },
                "avatar": read,
                "attributes": { "type": "object", "additionalProperties": {} },
                "uid": read,
                "path": text,
                "type": reference("UserTypeEnum"),
                "uuid": { "type": "string", "format": "uuid", "readOnly": true },
                "password_change_date": at,
                "last_updated": at,
            },
            "required": ["avatar", "date_joined", "groups_obj", "is_superuser", "last_updated",
                "name", "password_change_date", "pk", "roles_obj", "uid", "username", "uuid"],
        }),
    );
    components.put(
        "UserPath",
        json!({
            "type": "object",
            "properties": {
                "paths": { "type": "array", "items": text, "readOnly": true },
            },
            "required": ["paths"],
        }),
    );
}

fn show(object: &Object, staged: &Staged, about: &Shown<'_>) -> Result<Value, Miss> {
    let Object::User(user) = object else {
        return Err(Miss::Wrong("this is no user".to_owned()));
    };
    let wants = |name: &str| about.query.get(name).is_none_or(|it| !is_no(it));
    let with = (wants("include_groups"), wants("include_roles"));
    shown::user(user, staged, about.state, about.beside("last_login"), with)
}

/// Whether a parameter says no.
pub(super) fn is_no(text: &str) -> bool {
    ["false", "0"].contains(&text.to_ascii_lowercase().as_str())
}

/// Checks what is wanted of a user.
async fn check(
    call: &Call,
    old: Option<&Object>,
    fields: &mut Map<String, Value>,
) -> Result<(), Error> {
    let old = match old {
        Some(Object::User(user)) => Some(user.as_ref()),
        _ => None,
    };
    let is_whole = old.is_none() || call.request.method() == actix_web::http::Method::PUT;
    if is_whole && !fields.contains_key("name") {
        return Err(wrong("name", REQUIRED));
    }
    check_type(old, fields)?;
    if let Some(user) = old {
        may_act_on(call, user).await?;
        let stops = fields.get("is_active").and_then(Value::as_bool) == Some(false);
        if stops && user.is_active {
            spare_the_last(call, Loss::User(user), "is_active").await?;
        }
        if let Some(left) = identifiers(fields.get("groups")) {
            spare_the_last(call, Loss::Memberships(user, left), "groups").await?;
        }
    }
    check_memberships(call, old, fields).await
}

/// The accounts of the server's own programs are made by the server, and stay what they are.
fn check_type(old: Option<&User>, fields: &Map<String, Value>) -> Result<(), Error> {
    let own = UserType::InternalServiceAccount;
    let wanted = fields.get("type").and_then(Value::as_str);
    let is_own = old.is_some_and(|user| user.user_type == own);
    match wanted {
        Some(wanted) if is_own && wanted != own.as_str() => Err(wrong(
            "type",
            "Can't change internal service account to other user type.",
        )),
        Some(wanted) if !is_own && wanted == own.as_str() => Err(wrong(
            "type",
            "Setting a user to internal service account is not allowed.",
        )),
        _ if is_own => Err(wrong(
            "non_field_errors",
            "Can't modify internal service account users",
        )),
        _ => Ok(()),
    }
}

/// `DELETE /core/users/{id}/`: with everything that is theirs, so that nobody can read it any more.
async fn destroy(call: Call) -> Answered {
    let object = found(&USERS, &call, &mut Staged::default()).await?;
    let Object::User(user) = &object else {
        return Err(Error::Missing("User"));
    };
    permit(
        call.caller()?
            .granted
            .may_of("authentik_core.delete_user", user.pk),
    )?;
    may_act_on(&call, user).await?;
    spare_the_last(&call, Loss::User(user), "non_field_errors").await?;
    USERS.remove(call).await
}

/// `GET /core/users/paths/`: where there are users.
async fn paths(call: Call) -> Answered {
    let granted = &call.caller()?.granted;
    let search = call.listing().filter("search").map(str::to_owned);
    let mut found: Vec<String> = users(&*call.state.journal)
        .await?
        .into_iter()
        .filter(|user| granted.may_of("authentik_core.view_user", user.value.pk))
        .map(|user| user.value.path)
        .filter(|path| search.as_ref().is_none_or(|it| path.contains(it.as_str())))
        .collect();
    permit(!found.is_empty() || granted.may("authentik_core.view_user"))?;
    found.sort();
    found.dedup();
    Ok(HttpResponse::Ok().json(json!({ "paths": found })))
}
