//! `/propertymappings/`: expressions that say what somebody is sent. There is one kind of them.
//!
//! Source: authentik `core/api/property_mappings.py`, `events/api/notification_mappings.py`.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::body;
use super::call::Call;
use super::kind::{self, Sort};
use super::operation::{Answered, Content, Method, Operation};
use super::resource::{Filter, Fits, KeyField, Resource, Scope, Shown, found, may, text};
use super::schema::{Components, request, uuid};
use crate::blueprint::edit::{Miss, Model, Object, Staged, fields};
use crate::catalog::WebhookMapping;
use crate::directory::{Group, User, user_by_pk};
use crate::flow::query::Query;
use crate::http::Error;
use crate::journal::object::{self, Stored, Versioned};

const MODEL: &str = "authentik_events.notificationwebhookmapping";
const TITLE: &str = "Webhook Mapping";
const FORM: &str = "ak-property-mapping-notification-form";

/// A mapping of whatever kind.
#[derive(Serialize, ToSchema)]
struct PropertyMapping {
    #[schema(read_only)]
    pk: Uuid,
    /// No mapping comes with the server.
    #[schema(required = false)]
    managed: Option<String>,
    name: String,
    expression: String,
    /// What edits it in authentik's interface.
    #[schema(read_only)]
    component: &'static str,
    #[schema(read_only)]
    verbose_name: &'static str,
    #[schema(read_only)]
    verbose_name_plural: String,
    #[schema(read_only)]
    meta_model_name: &'static str,
}

/// A mapping, as its own kind shows it.
#[derive(Serialize, ToSchema)]
struct NotificationWebhookMapping {
    #[schema(read_only)]
    pk: Uuid,
    name: String,
    expression: String,
}

static ALL: Resource = Resource {
    path: "/propertymappings/all/",
    prefix: "propertymappings_all",
    key: "pm_uuid",
    key_field: KeyField::Pk,
    scope: Scope::All(WebhookMapping::KIND),
    name: "PropertyMapping",
    noun: "authentik_core.propertymapping",
    search: &["name"],
    filters: &[
        text("managed"),
        Filter {
            name: "managed__isnull",
            field: "managed__isnull",
            fits: Fits::Flag,
        },
        text("name"),
    ],
    order: &["name"],
    closed: &[],
    is_own: None,
    guard: None,
    show: show_any,
};

static WEBHOOK: Resource = Resource {
    path: "/propertymappings/notification/",
    prefix: "propertymappings_notification",
    scope: Scope::Of(Model::WebhookMapping),
    name: "NotificationWebhookMapping",
    noun: MODEL,
    filters: &[text("name")],
    show: show_webhook,
    ..ALL
};

/// The operations on them.
pub(super) fn operations() -> Vec<Operation> {
    let mut all = ALL.reading_operations();
    all.extend(WEBHOOK.operations());
    let path = "/propertymappings/all/types/";
    all.push(
        Operation::new(Method::Get, path, "propertymappings_all_types_list", types)
            .answers(200, Content::List("TypeCreate".to_owned())),
    );
    all.push(
        Operation::new(
            Method::Post,
            &ALL.one("test/"),
            "propertymappings_all_test_create",
            test,
        )
        .key("pm_uuid", &uuid())
        .asks("format_result", json!({ "type": "boolean" }))
        .takes(Content::One("PropertyMappingTestRequest".to_owned()))
        .answers(200, Content::One("PropertyMappingTestResult".to_owned())),
    );
    all
}

/// Their schemas.
pub(super) fn describe(components: &mut Components) {
    components.add::<PropertyMapping>();
    components.add::<NotificationWebhookMapping>();
    let own = fields(Model::WebhookMapping).iter();
    request(components, "NotificationWebhookMapping", own, None);
    components.put(
        "PropertyMappingTestRequest",
        json!({
            "type": "object",
            "properties": {
                "user": { "type": ["integer", "null"] },
                "context": { "type": "object", "additionalProperties": {} },
                "group": { "type": ["string", "null"], "format": "uuid" },
            },
        }),
    );
    components.put(
        "PropertyMappingTestResult",
        json!({
            "type": "object",
            "properties": {
                "result": { "type": "string", "readOnly": true },
                "successful": { "type": "boolean", "readOnly": true },
            },
            "required": ["result", "successful"],
        }),
    );
}

fn of(object: &Object) -> Result<&WebhookMapping, Miss> {
    match object {
        Object::WebhookMapping(mapping) => Ok(mapping),
        _ => Err(Miss::Wrong("this is no mapping".to_owned())),
    }
}

fn show_any(object: &Object, _: &Staged, _: &Shown<'_>) -> Result<Value, Miss> {
    let mapping = of(object)?;
    Ok(json!(PropertyMapping {
        pk: mapping.pk,
        managed: None,
        name: mapping.name.clone(),
        expression: mapping.expression.clone(),
        component: FORM,
        verbose_name: TITLE,
        verbose_name_plural: format!("{TITLE}s"),
        meta_model_name: MODEL,
    }))
}

fn show_webhook(object: &Object, _: &Staged, _: &Shown<'_>) -> Result<Value, Miss> {
    let mapping = of(object)?;
    Ok(json!(NotificationWebhookMapping {
        pk: mapping.pk,
        name: mapping.name.clone(),
        expression: mapping.expression.clone(),
    }))
}

/// `GET /propertymappings/all/types/`
async fn types(_: Call) -> Answered {
    let sort = Sort {
        name: TITLE,
        description: "Says what the provider of text messages is sent.",
        component: FORM.to_owned(),
        model_name: kind::noun(MODEL),
        requires_enterprise: false,
        deprecated: false,
    };
    Ok(HttpResponse::Ok().json(kind::sorted(std::iter::once(sort))))
}

/// Whom a mapping is tried for, and what it is handed.
struct Trial {
    user: Option<Versioned<User>>,
    group: Option<Uuid>,
    context: Map<String, Value>,
}

/// `POST /propertymappings/all/<uuid>/test/`: what it gives. Nothing that it wants changed is.
async fn test(mut call: Call) -> Answered {
    let mut staged = Staged::default();
    let object = found(&ALL, &call, &mut staged).await?;
    // What it gives may be more than the caller could read by themselves.
    if !may(&ALL, &call, "change", &object)? {
        return Err(Error::NotPermitted);
    }
    let mapping = of(&object).cloned();
    let mapping = mapping.map_err(|_| Error::Missing("PropertyMapping"))?;
    let given = call.fields().await?;
    let trial = trial(&call, &given).await?;
    let caller = call.caller()?;
    let query = Query::parse(call.request.query_string());
    let asker = call.asker(&query, trial.user.unwrap_or_else(|| caller.user.clone()))?;
    let executions = &call.state.executions;
    let given = (trial.context, trial.group);
    let tried = executions.test_mapping(&mapping, given, asker).await?;
    let is_pretty = query.get("format_result") == Some("true");
    let (result, successful) = match tried {
        Ok(value) if is_pretty => (format!("{value:#}"), true),
        Ok(value) => (value.to_string(), true),
        Err(problem) => (problem, false),
    };
    Ok(HttpResponse::Ok().json(json!({ "result": result, "successful": successful })))
}

async fn trial(call: &Call, given: &Map<String, Value>) -> Result<Trial, Error> {
    let journal = &*call.state.journal;
    let granted = &call.caller()?.granted;
    let mut wrong = BTreeMap::new();
    let mut trial = Trial {
        user: None,
        group: None,
        context: Map::new(),
    };
    if let Some(given) = given.get("user").filter(|it| !it.is_null()) {
        match body::pk(Some(given)) {
            Ok(pk) => {
                let user = user_by_pk(journal, pk).await?;
                let user = user.filter(|user| {
                    granted.may_of("authentik_core.view_user", user.value.pk.to_string())
                });
                if user.is_none() {
                    wrong.insert("user", body::no_such(pk));
                }
                trial.user = user;
            }
            Err(text) => {
                wrong.insert("user", text);
            }
        }
    }
    if let Some(given) = given.get("group").filter(|it| !it.is_null()) {
        let text = given.as_str().unwrap_or_default();
        let id = text.parse::<Uuid>().ok();
        let id = id.filter(|id| granted.may_of("authentik_core.view_group", id.to_string()));
        let group: Option<Versioned<Group>> = match id {
            Some(id) => object::get(journal, id).await?,
            None => None,
        };
        if let Some(group) = group {
            trial.group = Some(group.value.pk);
        } else {
            let text = format!("Invalid pk \"{text}\" - object does not exist.");
            wrong.insert("group", text);
        }
    }
    match given.get("context") {
        None => {}
        Some(Value::Object(context)) => trial.context = context.clone(),
        Some(_) => {
            let text = "Value must be a dictionary, and not have any duplicate keys.";
            wrong.insert("context", text.to_owned());
        }
    }
    if wrong.is_empty() {
        Ok(trial)
    } else {
        Err(Error::Fields(wrong))
    }
}
