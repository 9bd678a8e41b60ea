//! `/sources/all/`: other places to log in at. They come from blueprints; here they are shown and
//! removed.
//!
//! Source: authentik `core/api/sources.py`.

use actix_web::HttpResponse;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::call::Call;
use super::kind::{self, Sort};
use super::operation::{Answered, Content, Method, Operation};
use super::resource::{KeyField, Resource, Scope, Shown, id, text};
use super::schema::Components;
use crate::blueprint::edit::{Miss, Object, Staged};
use crate::catalog::{self, SourceKind};
use crate::journal::object::Stored;

/// A source as it is shown.
#[derive(Serialize, ToSchema)]
struct Source {
    #[schema(read_only)]
    pk: Uuid,
    name: String,
    slug: String,
    #[schema(required = false)]
    enabled: bool,
    #[schema(required = false)]
    promoted: bool,
    /// What edits it in authentik's interface.
    #[schema(read_only)]
    component: &'static str,
    #[schema(read_only)]
    verbose_name: &'static str,
    #[schema(read_only)]
    verbose_name_plural: String,
    #[schema(read_only)]
    meta_model_name: &'static str,
    /// No source comes with the server.
    #[schema(read_only, required = true)]
    managed: Option<String>,
    #[schema(required = false)]
    icon: String,
    #[schema(read_only, required = true)]
    icon_url: Option<String>,
    #[schema(read_only, required = true, value_type = Option<super::flows::ThemedUrls>)]
    icon_themed_urls: Value,
}

static SOURCES: Resource = Resource {
    path: "/sources/all/",
    prefix: "sources_all",
    key: "slug",
    key_field: KeyField::Field("slug"),
    scope: Scope::All(catalog::Source::KIND),
    name: "Source",
    noun: "authentik_core.source",
    search: &["slug", "name"],
    filters: &[text("managed"), text("name"), id("pbm_uuid"), text("slug")],
    order: &["name"],
    closed: &[],
    is_own: None,
    guard: None,
    show: show_source,
};

/// The operations on them.
pub(super) fn operations() -> Vec<Operation> {
    let mut all = SOURCES.reading_operations();
    let path = "/sources/all/types/";
    all.push(
        Operation::new(Method::Get, path, "sources_all_types_list", types)
            .answers(200, Content::List("TypeCreate".to_owned())),
    );
    let path = "/sources/all/user_settings/";
    all.push(
        Operation::new(
            Method::Get,
            path,
            "sources_all_user_settings_list",
            user_settings,
        )
        .answers(200, Content::List("UserSetting".to_owned())),
    );
    all
}

/// Their schemas.
pub(super) fn describe(components: &mut Components) {
    components.add::<Source>();
}

const fn form(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Oauth => "ak-source-oauth-form",
        SourceKind::Saml => "ak-source-saml-form",
    }
}

const fn title(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Oauth => "OAuth Source",
        SourceKind::Saml => "SAML Source",
    }
}

fn show_source(object: &Object, _: &Staged, _: &Shown<'_>) -> Result<Value, Miss> {
    let Object::Source(source) = object else {
        return Err(Miss::Wrong("this is no source".to_owned()));
    };
    let picture = |theme: &str| source.icon.replace("%(theme)s", theme);
    let themed = source.icon.contains("%(theme)s");
    Ok(json!(Source {
        pk: source.pk,
        name: source.name.clone(),
        slug: source.slug.to_string(),
        enabled: source.enabled,
        promoted: source.promoted,
        component: form(source.kind),
        verbose_name: title(source.kind),
        verbose_name_plural: format!("{}s", title(source.kind)),
        meta_model_name: source.kind.model(),
        managed: None,
        icon: source.icon.clone(),
        icon_url: (!source.icon.is_empty()).then(|| picture("light")),
        icon_themed_urls: if themed {
            json!({ "light": picture("light"), "dark": picture("dark") })
        } else {
            Value::Null
        },
    }))
}

/// `GET /sources/all/types/`: the kinds, by name.
async fn types(_: Call) -> Answered {
    let sorts = SourceKind::ALL.iter().map(|kind| Sort {
        name: title(*kind),
        description: match kind {
            SourceKind::Oauth => "Lets people log in with an account elsewhere, by OAuth.",
            SourceKind::Saml => "Lets people log in with an account elsewhere, by SAML.",
        },
        component: form(*kind).to_owned(),
        model_name: kind::noun(kind.model()),
        requires_enterprise: false,
        deprecated: false,
    });
    Ok(HttpResponse::Ok().json(kind::sorted(sorts)))
}

/// `GET /sources/all/user_settings/`: nobody can tie an account to one elsewhere, so there is
/// nothing to set.
async fn user_settings(_: Call) -> Answered {
    Ok(HttpResponse::Ok().json(Vec::<Value>::new()))
}
