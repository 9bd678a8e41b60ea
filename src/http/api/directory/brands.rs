//! `/core/brands/`: what pages look like, and which flows they lead to, by host.
//!
//! Source: authentik `brands/api.py`.

use serde_json::{Value, json};

use super::super::operation::Operation;
use super::super::resource::{Filter, Fits, KeyField, Resource, Scope, Shown};
use super::super::schema::{Components, request, uuid};
use crate::blueprint::edit::{Miss, Model, Object, Staged, fields};

/// The brands.
static BRANDS: Resource = Resource {
    path: "/core/brands/",
    prefix: "core_brands",
    key: "brand_uuid",
    key_field: KeyField::Pk,
    scope: Scope::Of(Model::Brand),
    name: "Brand",
    noun: "authentik_brands.brand",
    search: &["domain", "branding_title", "web_certificate__name"],
    filters: &[
        Filter::of("brand_uuid", Fits::Uuid),
        Filter::of("branding_default_flow_background", Fits::Text),
        Filter::of("branding_favicon", Fits::Text),
        Filter::of("branding_logo", Fits::Text),
        Filter::of("branding_title", Fits::Text),
        Filter::of("client_certificates", Fits::Uuids),
        Filter::of("default", Fits::Flag),
        Filter::of("domain", Fits::Text),
        Filter::of("flow_authentication", Fits::Uuid),
        Filter::of("flow_device_code", Fits::Uuid),
        Filter::of("flow_invalidation", Fits::Uuid),
        Filter::of("flow_recovery", Fits::Uuid),
        Filter::of("flow_unenrollment", Fits::Uuid),
        Filter::of("flow_user_settings", Fits::Uuid),
        Filter::of("web_certificate", Fits::Uuid),
    ],
    order: &["domain"],
    closed: &[],
    is_own: None,
    guard: None,
    show,
};

/// The operations on brands.
pub(super) fn operations() -> Vec<Operation> {
    BRANDS.operations()
}

/// Their schemas.
pub(super) fn describe(components: &mut Components) {
    request(components, "Brand", fields(Model::Brand).iter(), None);
    let text = || json!({ "type": "string" });
    let maybe = || json!({ "type": ["string", "null"], "format": "uuid" });
    let mut properties = json!({
        "brand_uuid": { "type": "string", "format": "uuid", "readOnly": true },
        "default": { "type": "boolean" },
        "client_certificates": { "type": "array", "items": uuid() },
        "attributes": { "type": "object", "additionalProperties": {} },
    });
    for name in [
        "domain",
        "branding_title",
        "branding_logo",
        "branding_favicon",
        "branding_custom_css",
        "branding_default_flow_background",
    ] {
        properties[name] = text();
    }
    for name in [
        "flow_authentication",
        "flow_invalidation",
        "flow_recovery",
        "flow_unenrollment",
        "flow_user_settings",
        "flow_device_code",
        "default_application",
        "web_certificate",
    ] {
        properties[name] = maybe();
    }
    components.put(
        "Brand",
        json!({
            "type": "object",
            "properties": properties,
            "required": ["brand_uuid", "domain"],
        }),
    );
}

fn show(object: &Object, _: &Staged, _: &Shown<'_>) -> Result<Value, Miss> {
    match object {
        Object::Brand(brand) => Ok(json!(brand)),
        _ => Err(Miss::Wrong("this is no brand".to_owned())),
    }
}
