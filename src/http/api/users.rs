//! `/core/users/me/`: what the caller may know of themselves.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::caller;
use crate::directory::attributes::merged;
use crate::directory::{avatar, groups_of};
use crate::http::client::client;
use crate::http::request::Arrival;
use crate::http::{Error, State};

/// What a superuser may do with the system as a whole.
const SYSTEM_PERMISSIONS: [&str; 4] = [
    "access_admin_interface",
    "edit_system_settings",
    "view_system_info",
    "view_system_settings",
];

/// `GET /core/users/me/`.
pub(super) async fn me(
    request: HttpRequest,
    state: web::Data<State>,
    arrival: Arrival,
) -> Result<HttpResponse, Error> {
    let user = caller::user(&state, &request, arrival).await?;
    let groups = groups_of(&*state.journal, &user).await?;
    let is_superuser = groups.iter().any(|group| group.value.is_superuser);
    let host = client(&request, &state.trusted_proxies).host;
    let brand = state.brand(&host).await?;
    let attributes = merged(&brand.attributes, &groups, &user);
    let settings = attributes.get("settings").filter(|value| value.is_object());
    // Only the groups that the user was put in, as authentik lists them.
    let own: Vec<Value> = groups
        .iter()
        .filter(|group| user.groups.contains(&group.value.pk))
        .map(|group| json!({ "name": group.value.name, "pk": group.value.pk }))
        .collect();
    let permissions: &[&str] = if is_superuser {
        &SYSTEM_PERMISSIONS
    } else {
        &[]
    };
    Ok(HttpResponse::Ok().json(json!({
        "user": {
            "pk": user.pk,
            "username": user.username,
            "name": user.name,
            "is_active": user.is_active,
            "is_superuser": is_superuser,
            "groups": own,
            "roles": [],
            "email": user.email,
            "avatar": avatar::of(&user),
            "uid": user.uid(state.install_id),
            "settings": settings.cloned().unwrap_or_else(|| json!({})),
            "type": user.user_type,
            "system_permissions": permissions,
        }
    })))
}
