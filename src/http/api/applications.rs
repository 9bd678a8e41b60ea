//! `/core/applications/`: what people log in for, how it is protected, and whether somebody may use
//! it.
//!
//! Source: authentik `core/api/applications.py`. There a list shows whoever asks what they may use;
//! here it shows what they may view, as every list does, and the page at `/` shows the rest.

use actix_web::HttpResponse;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::body;
use super::call::Call;
use super::operation::{Answered, Content, Method, Operation};
use super::resource::{KeyField, Resource, Scope, Shown, found, text};
use super::schema::{Components, reference, request};
use crate::blueprint::edit::{Miss, Model, Object, Staged, fields};
use crate::catalog::{Application, conditions_of};
use crate::clock::Clock;
use crate::directory::user_by_pk;
use crate::flow::query::Query;
use crate::http::Error;

/// How an application is protected by forward authentication. This is our own.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is of interest")]
pub(super) struct ForwardAuth {
    /// Where it lives: origins such as `https://app.example`; a host may begin with `*.`.
    hosts: Vec<String>,
    /// Expressions of the paths that need no login; one has to fit the whole of a path.
    #[schema(required = false)]
    skip_paths: Vec<String>,
    /// The flow that logs in, by its identifier or slug; the brand's where there is none.
    #[schema(required = false)]
    authentication_flow: Option<String>,
    /// The flow that logs out, by its identifier or slug; the brand's where there is none.
    #[schema(required = false)]
    invalidation_flow: Option<String>,
    /// How long the application's own cookie lasts at most, in seconds.
    #[schema(required = false, minimum = 1, maximum = 31_536_000)]
    session_seconds: u32,
    /// How long a decision may be believed, in seconds.
    #[schema(required = false, minimum = 0, maximum = 60)]
    cache_seconds: u32,
}

/// The schema of how an application is protected, or of null where it is not.
pub(super) fn nullable() -> Value {
    json!({ "oneOf": [{ "type": "null" }, reference("ForwardAuth")] })
}

static APPLICATIONS: Resource = Resource {
    path: "/core/applications/",
    prefix: "core_applications",
    key: "slug",
    key_field: KeyField::Field("slug"),
    scope: Scope::Of(Model::Application),
    name: "Application",
    noun: "authentik_core.application",
    search: &[
        "name",
        "slug",
        "meta_launch_url",
        "meta_description",
        "meta_publisher",
        "group",
    ],
    filters: &[
        text("group"),
        text("meta_description"),
        text("meta_launch_url"),
        text("meta_publisher"),
        text("name"),
        text("slug"),
    ],
    order: &["name"],
    closed: &[],
    is_own: None,
    guard: None,
    show: show_application,
};

/// The operations on them.
pub(super) fn operations() -> Vec<Operation> {
    let mut all = APPLICATIONS.operations();
    let path = APPLICATIONS.one("check_access/");
    let id = "core_applications_check_access_retrieve";
    all.push(
        Operation::new(Method::Get, &path, id, check_access)
            .key("slug", &json!({ "type": "string" }))
            .asks("for_user", json!({ "type": "integer" }))
            .answers(200, Content::One("PolicyTestResult".to_owned())),
    );
    all
}

/// Their schemas.
pub(super) fn describe(components: &mut Components) {
    let own = fields(Model::Application).iter();
    request(components, "Application", own, None);
    let integer = || json!({ "type": "integer" });
    for name in ["ApplicationRequest", "PatchedApplicationRequest"] {
        let mut body = components.get(name).cloned().unwrap_or_default();
        body["properties"]["provider"] = json!({ "type": ["integer", "null"] });
        body["properties"]["backchannel_providers"]["items"] = integer();
        components.put(name, body);
    }
    let text = || json!({ "type": "string" });
    let shown_text = || json!({ "type": ["string", "null"], "readOnly": true });
    components.put(
        "Application",
        json!({
            "type": "object",
            "properties": {
                "pk": { "type": "string", "format": "uuid", "readOnly": true },
                "name": text(),
                "slug": text(),
                "provider": { "type": ["integer", "null"] },
                "provider_obj": { "type": ["object", "null"], "readOnly": true },
                "backchannel_providers": { "type": "array", "items": integer() },
                "backchannel_providers_obj": { "type": "array", "items": {}, "readOnly": true },
                "open_in_new_tab": { "type": "boolean" },
                "meta_launch_url": text(),
                "meta_icon": text(),
                "meta_description": text(),
                "meta_publisher": text(),
                "policy_engine_mode": reference("PolicyEngineMode"),
                "group": text(),
                "meta_hide": { "type": "boolean" },
                "launch_url": shown_text(),
                "meta_icon_url": shown_text(),
                "meta_icon_themed_urls":
                    { "oneOf": [reference("ThemedUrls"), { "type": "null" }], "readOnly": true },
                "forward_auth": nullable(),
            },
            "required": ["backchannel_providers_obj", "launch_url", "meta_icon_themed_urls",
                "meta_icon_url", "name", "pk", "provider_obj", "slug"],
        }),
    );
}

/// An application as the API shows it, by itself and within other objects.
pub(super) fn shown(application: &Application) -> Value {
    let picture = |theme: &str| application.meta_icon.replace("%(theme)s", theme);
    let themed = application.meta_icon.contains("%(theme)s");
    json!({
        "pk": application.pk,
        "name": application.name,
        "slug": application.slug,
        "provider": null,
        "provider_obj": null,
        "backchannel_providers": [],
        "backchannel_providers_obj": [],
        "open_in_new_tab": application.open_in_new_tab,
        "meta_launch_url": application.meta_launch_url,
        "meta_icon": application.meta_icon,
        "meta_description": application.meta_description,
        "meta_publisher": application.meta_publisher,
        "policy_engine_mode": application.policy_engine_mode,
        "group": application.group,
        "meta_hide": application.meta_hide,
        "launch_url": application.launch_url(),
        "meta_icon_url": (!application.meta_icon.is_empty()).then(|| picture("light")),
        "meta_icon_themed_urls": themed
            .then(|| json!({ "light": picture("light"), "dark": picture("dark") })),
        "forward_auth": application.forward_auth,
    })
}

fn show_application(object: &Object, _: &Staged, _: &Shown<'_>) -> Result<Value, Miss> {
    match object {
        Object::Application(application) => Ok(shown(application)),
        _ => Err(Miss::Wrong("this is no application".to_owned())),
    }
}

/// `GET /core/applications/<slug>/check_access/`: whether its policies let the caller use it, or
/// somebody else, for superusers.
async fn check_access(call: Call) -> Answered {
    let object = found(&APPLICATIONS, &call, &mut Staged::default()).await?;
    let Object::Application(application) = object else {
        return Err(Error::Missing(APPLICATIONS.name));
    };
    let query = Query::parse(call.request.query_string());
    let user = match query.get("for_user") {
        None => call.caller()?.user.clone(),
        Some(pk) => {
            call.superuser()?;
            let pk: i64 = pk
                .parse()
                .map_err(|_| body::wrong("for_user", "A valid integer is required."))?;
            let user = user_by_pk(&*call.state.journal, pk).await?;
            user.ok_or_else(|| body::wrong("for_user", "User not found"))?
        }
    };
    let bound = conditions_of(&*call.state.journal, application.pk).await?;
    let (executions, asker) = (&call.state.executions, call.asker(&query, user)?);
    let decision = executions.may_use(&application, bound, asker).await?;
    Ok(HttpResponse::Ok().json(json!({
        "passing": decision.passing,
        "messages": decision.messages,
        "log_messages": [],
    })))
}

/// An application of which there is only the key under which a consent has it.
pub(super) fn unknown(clock: &Clock, key: &str) -> Value {
    let slug = "unknown".parse().expect("letters are a slug");
    let mut shown = shown(&Application {
        pk: pk_of(key),
        name: key.to_owned(),
        ..Application::new(clock, slug)
    });
    shown["slug"] = key.into();
    shown
}

/// An identifier for an application, from the key under which a consent has it.
pub(super) fn pk_of(key: &str) -> Uuid {
    key.parse()
        .unwrap_or_else(|_| crate::directory::link::id(key))
}
