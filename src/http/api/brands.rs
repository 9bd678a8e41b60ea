//! `/core/brands/current/`: what pages look like under the host that was asked for.

use actix_web::HttpResponse;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::call::Call;
use super::operation::{Access, Answered, Content, Method, Operation};
use crate::catalog::Flow;
use crate::http::client::client;
use crate::http::{Error, State};
use crate::journal::object;

/// The operation.
pub(super) fn operations() -> Vec<Operation> {
    let path = "/core/brands/current/";
    vec![
        Operation::new(Method::Get, path, "core_brands_current_retrieve", current)
            .access(Access::Public)
            .answers(200, Content::One("CurrentBrand".to_owned())),
    ]
}

/// `GET /core/brands/current/`, for everybody.
async fn current(call: Call) -> Answered {
    let state = &call.state;
    let host = client(&call.request, &state.trusted_proxies).host;
    Ok(HttpResponse::Ok().json(shown(state, &host).await?))
}

/// What it says of this host.
pub(in crate::http) async fn shown(state: &State, host: &str) -> Result<Value, Error> {
    let brand = state.brand(host).await?;
    let none = Value::Null;
    let settings = brand.attributes.get("settings").unwrap_or(&none);
    let theme = settings["theme"]["base"]
        .as_str()
        .filter(|theme| ["light", "dark"].contains(theme))
        .unwrap_or("automatic");
    let links = brand
        .attributes
        .get("settings")
        .and_then(|settings| settings["footer_links"].as_array())
        .cloned()
        .unwrap_or_default();
    let mut body = json!({
        "matched_domain": brand.domain,
        "branding_title": brand.branding_title,
        "branding_logo": themed(&brand.branding_logo, "light"),
        "branding_logo_themed_urls": themes(&brand.branding_logo),
        "branding_favicon": themed(&brand.branding_favicon, "light"),
        "branding_favicon_themed_urls": themes(&brand.branding_favicon),
        "branding_custom_css": brand.branding_custom_css,
        // Clients since 2026.8 require it; nothing here shows a map.
        "branding_map_tiles": "",
        "ui_footer_links": links,
        "ui_theme": theme,
        "default_locale": settings["locale"].as_str().unwrap_or_default(),
        "flags": {
            "core_default_app_access": true,
            "enterprise_audit_include_expanded_diff": false,
            "flows_continuous_login": false,
            "flows_refresh_others": false,
        },
    });
    let slugs = slugs(
        state,
        [
            ("flow_authentication", brand.flow_authentication),
            ("flow_invalidation", brand.flow_invalidation),
            ("flow_recovery", brand.flow_recovery),
            ("flow_unenrollment", brand.flow_unenrollment),
            ("flow_user_settings", brand.flow_user_settings),
            ("flow_device_code", brand.flow_device_code),
        ],
    )
    .await?;
    if let Some(body) = body.as_object_mut() {
        body.extend(slugs);
    }
    Ok(body)
}

/// The slugs of the flows that are set; the others are left out.
async fn slugs(
    state: &State,
    flows: [(&'static str, Option<Uuid>); 6],
) -> Result<Map<String, Value>, Error> {
    let mut slugs = Map::new();
    for (name, flow) in flows {
        if let Some(flow) = flow
            && let Some(flow) = object::get::<Flow>(&*state.journal, flow).await?
        {
            slugs.insert(name.to_owned(), flow.value.slug.as_str().into());
        }
    }
    Ok(slugs)
}

/// The addresses of a picture that has a form for each theme.
fn themes(picture: &str) -> Value {
    if picture.contains("%(theme)s") {
        json!({ "light": themed(picture, "light"), "dark": themed(picture, "dark") })
    } else {
        Value::Null
    }
}

fn themed(picture: &str, theme: &str) -> String {
    picture.replace("%(theme)s", theme)
}
