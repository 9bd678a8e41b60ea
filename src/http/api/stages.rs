//! `/stages/all/user_settings/`: what users can set up for themselves.

use actix_web::HttpResponse;
use serde_json::{Value, json};

use super::call::Call;
use super::operation::{Answered, Content, Method, Operation};
use crate::catalog::Stage;
use crate::journal::object::{self, Versioned};
use crate::stage::Kind;

/// The operation.
pub(super) fn operations() -> Vec<Operation> {
    let path = "/stages/all/user_settings/";
    vec![
        Operation::new(
            Method::Get,
            path,
            "stages_all_user_settings_list",
            user_settings,
        )
        .answers(200, Content::List("UserSetting".to_owned())),
    ]
}

/// `GET /stages/all/user_settings/`, by kind and name of the stages.
///
/// Source: authentik `flows/api/stages.py` and `ui_user_settings` of each stage.
async fn user_settings(call: Call) -> Answered {
    let mut stages: Vec<Versioned<Stage>> = object::all(&*call.state.journal).await?;
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
