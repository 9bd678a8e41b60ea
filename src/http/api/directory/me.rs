//! `/core/users/me/`: what the caller may know of themselves.

use actix_web::HttpResponse;
use serde_json::{Value, json};

use super::super::call::Call;
use super::super::operation::{Answered, Content, Method, Operation};
use crate::directory::attributes::merged;
use crate::directory::role::named;
use crate::directory::{avatar, groups_of};

/// The operation.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(Method::Get, "/core/users/me/", "core_users_me_retrieve", me)
            .answers(200, Content::One("SessionUser".to_owned())),
    ]
}

/// `GET /core/users/me/`
async fn me(call: Call) -> Answered {
    let (state, caller) = (&call.state, call.caller()?);
    let user = &caller.user.value;
    let groups = groups_of(&*state.journal, user).await?;
    let roles = named(&*state.journal, user.roles.iter().copied()).await?;
    let brand = state.brand(&caller.client.host).await?;
    let attributes = merged(&brand.attributes, &groups, user);
    let settings = attributes.get("settings").filter(|value| value.is_object());
    // Only the groups and roles that the user was given, as authentik lists them.
    let groups: Vec<Value> = groups
        .iter()
        .filter(|group| user.groups.contains(&group.value.pk))
        .map(|group| json!({ "name": group.value.name, "pk": group.value.pk }))
        .collect();
    let roles = roles.iter().map(|role| &role.value);
    let roles: Vec<Value> = roles
        .map(|role| json!({ "name": role.name, "pk": role.pk }))
        .collect();
    let shown = json!({
            "pk": user.pk,
            "username": user.username,
            "name": user.name,
            "is_active": user.is_active,
            "is_superuser": caller.granted.is_superuser(),
            "groups": groups,
            "roles": roles,
            "email": user.email,
            "avatar": avatar::of(user),
            "uid": user.uid(state.install_id),
            "settings": settings.cloned().unwrap_or_else(|| json!({})),
            "type": user.user_type,
            "system_permissions": caller.granted.of_system(),
        "is_current": true,
    });
    // Clients since 2026.8 require the list of those who may be switched to: nobody else.
    Ok(HttpResponse::Ok().json(json!({ "user": shown, "users": [shown] })))
}
