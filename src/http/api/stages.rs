//! `/stages/all/user_settings/`: what users can set up for themselves.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::caller;
use crate::catalog::Stage;
use crate::http::request::Arrival;
use crate::http::{Error, State};
use crate::journal::object::{self, Versioned};
use crate::stage::Kind;

/// `GET /stages/all/user_settings/`, by kind and name of the stages.
///
/// Source: authentik `flows/api/stages.py` and `ui_user_settings` of each stage.
pub(super) async fn user_settings(
    request: HttpRequest,
    state: web::Data<State>,
    arrival: Arrival,
) -> Result<HttpResponse, Error> {
    caller::user(&state, &request, arrival).await?;
    let mut stages: Vec<Versioned<Stage>> = object::all(&*state.journal).await?;
    stages.sort_by(|one, other| {
        let key = |it: &Versioned<Stage>| (it.value.kind.clone(), it.value.name.clone());
        key(one).cmp(&key(other))
    });
    let shown: Vec<Value> = stages.iter().filter_map(|it| shown(&it.value)).collect();
    Ok(HttpResponse::Ok().json(shown))
}

/// What a user can set up by a stage: a password where its stage names a flow for that, and every
/// authenticator. Only kinds that can name a flow have the setting at all.
fn shown(stage: &Stage) -> Option<Value> {
    let flow = stage.settings.get("configure_flow")?;
    let is_authenticator = stage.kind.starts_with("authenticator_");
    let title = if is_authenticator {
        let own = stage.settings.get("friendly_name").and_then(Value::as_str);
        let own = own.filter(|name| !name.is_empty());
        let kind = Kind::from_name(&stage.kind).map(Kind::title);
        own.or(kind)?.to_owned()
    } else if flow.is_string() {
        "Change Password".to_owned()
    } else {
        return None;
    };
    let component = stage.kind.replace('_', "-");
    let mut shown = json!({
        "object_uid": stage.pk,
        "title": title,
        "component": format!("ak-user-settings-{component}"),
    });
    if flow.is_string() {
        shown["configure_url"] = format!("/flows/-/configure/{}/", stage.pk).into();
    }
    Some(shown)
}
