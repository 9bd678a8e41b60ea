//! `/stages/authenticator/webauthn_device_types/`: the models of security keys and passkeys that a
//! stage may ask for.
//!
//! Source: authentik `stages/authenticator_webauthn/api/device_types.py`.

use actix_web::HttpResponse;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::body::wrong;
use super::call::Call;
use super::operation::{Access, Answered, Content, Method, Operation};
use super::schema::uuid;
use crate::flow::query::Query;
use crate::http::Error;
use crate::webauthn::models;

/// Whoever may see them.
const VIEW: Access =
    Access::Permitted("authentik_stages_authenticator_webauthn.view_webauthndevicetype");

/// A model as it is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = WebAuthnDeviceType)]
pub(super) struct DeviceType {
    aaguid: Uuid,
    description: String,
}

/// The operations on them.
pub(super) fn operations() -> Vec<Operation> {
    let path = "/stages/authenticator/webauthn_device_types/";
    let prefix = "stages_authenticator_webauthn_device_types";
    let text = || json!({ "type": "string" });
    let number = || json!({ "type": "integer" });
    vec![
        Operation::new(Method::Get, path, &format!("{prefix}_list"), list)
            .access(VIEW)
            .answers(200, Content::Page("WebAuthnDeviceType".to_owned()))
            .asks("aaguid", uuid())
            .asks("description", text())
            .asks("icon", text())
            .asks("ordering", text())
            .asks("page", number())
            .asks("page_size", number())
            .asks("search", text()),
        Operation::new(
            Method::Get,
            &format!("{path}{{aaguid}}/"),
            &format!("{prefix}_retrieve"),
            retrieve,
        )
        .access(VIEW)
        .key("aaguid", &uuid())
        .answers(200, Content::One("WebAuthnDeviceType".to_owned())),
    ]
}

/// A model as a stage shows it.
pub(super) fn shown(model: Uuid) -> Value {
    let name = match model {
        models::UNKNOWN => "Unknown models".to_owned(),
        model => models::name(model).map_or_else(|| model.to_string(), str::to_owned),
    };
    json!(DeviceType {
        aaguid: model,
        description: name,
    })
}

/// Every model that is known, and what stands for the others.
fn all() -> Vec<Value> {
    let all = std::iter::once(models::UNKNOWN).chain(models::known());
    all.map(shown).collect()
}

async fn list(call: Call) -> Answered {
    let query = Query::parse(call.request.query_string());
    let listing = call.listing();
    let wanted = |name: &str| query.get(name).filter(|it| !it.is_empty());
    if wanted("aaguid").is_some_and(|it| it.parse::<Uuid>().is_err()) {
        return Err(wrong("aaguid", "Enter a valid UUID."));
    }
    let aaguid = wanted("aaguid").and_then(|it| it.parse::<Uuid>().ok());
    let mut found = all();
    found.retain(|it| {
        let text = |name: &str| it[name].as_str().unwrap_or_default();
        aaguid.is_none_or(|wanted| text("aaguid") == wanted.to_string())
            && wanted("description").is_none_or(|wanted| text("description") == wanted)
            // There are no pictures of them here.
            && wanted("icon").is_none()
            && listing.finds(&[text("description"), text("aaguid")])
    });
    let by = listing.ordering();
    let (field, downwards) = by
        .into_iter()
        .find(|(field, _)| ["aaguid", "description"].contains(field))
        .unwrap_or(("description", false));
    found.sort_by(|one, other| {
        let key = |it: &Value| it[field].as_str().map(str::to_owned);
        let order = key(one).cmp(&key(other));
        if downwards { order.reverse() } else { order }
    });
    let page = listing
        .page(&found, async |it: &Value| Ok(it.clone()))
        .await?;
    Ok(HttpResponse::Ok().json(page))
}

async fn retrieve(call: Call) -> Answered {
    let model: Option<Uuid> = call.path("aaguid").parse().ok();
    let known = model.filter(|it| *it == models::UNKNOWN || models::name(*it).is_some());
    let model = known.ok_or(Error::Missing("WebAuthnDeviceType"))?;
    Ok(HttpResponse::Ok().json(shown(model)))
}
