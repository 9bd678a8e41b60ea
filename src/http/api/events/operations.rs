//! The operations on events: who may call them, and what the description says of them.

use actix_web::HttpResponse;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{ACTIONS, CUSTOM};
use crate::http::Error;
use crate::http::api::call::Call;
use crate::http::api::operation::{Access, Answered, Content, Method, Operation};
use crate::http::api::schema::{Components, reference, uuid, words};

const PATH: &str = "/events/events/";
const ONE: &str = "/events/events/{event_uuid}/";

const VIEW: Access = Access::Permitted("authentik_events.view_event");
const ADD: Access = Access::Permitted("authentik_events.add_event");
const CHANGE: Access = Access::Permitted("authentik_events.change_event");
const DELETE: Access = Access::Permitted("authentik_events.delete_event");

/// Every operation on events.
pub(in crate::http::api) fn operations() -> Vec<Operation> {
    let one = |name: &str| Content::One(name.to_owned());
    let text = || json!({ "type": "string" });
    let number = || json!({ "type": "integer" });
    vec![
        filtered(Operation::new(
            Method::Get,
            PATH,
            "events_events_list",
            list,
        ))
        .asks("page", number())
        .asks("page_size", number())
        .access(VIEW)
        .answers(200, Content::Page("Event".to_owned())),
        Operation::new(Method::Post, PATH, "events_events_create", create)
            .access(ADD)
            .takes(one("EventRequest"))
            .answers(201, one("Event")),
        Operation::new(Method::Get, ONE, "events_events_retrieve", retrieve)
            .key("event_uuid", &uuid())
            .access(VIEW)
            .answers(200, one("Event")),
        Operation::new(Method::Put, ONE, "events_events_update", replace)
            .key("event_uuid", &uuid())
            .access(CHANGE)
            .takes(one("EventRequest"))
            .answers(200, one("Event")),
        Operation::new(Method::Patch, ONE, "events_events_partial_update", patch)
            .key("event_uuid", &uuid())
            .access(CHANGE)
            .takes(one("PatchedEventRequest"))
            .answers(200, one("Event")),
        Operation::new(Method::Delete, ONE, "events_events_destroy", destroy)
            .key("event_uuid", &uuid())
            .access(DELETE)
            .answers(204, Content::Nothing),
        Operation::new(
            Method::Get,
            "/events/events/actions/",
            "events_events_actions_list",
            actions,
        )
        .answers(200, Content::List("TypeCreate".to_owned())),
        filtered(Operation::new(
            Method::Get,
            "/events/events/volume/",
            "events_events_volume_list",
            volume,
        ))
        .asks("history_days", json!({ "type": "integer", "default": 7 }))
        .access(VIEW)
        .answers(200, Content::List("EventVolume".to_owned())),
        filtered(Operation::new(
            Method::Get,
            "/events/events/stats/",
            "events_events_stats_retrieve",
            stats,
        ))
        .asks("count_steps", json!({ "type": "array", "items": text() }))
        .access(VIEW)
        .answers(200, one("EventStats")),
        Operation::new(
            Method::Get,
            "/events/events/top_per_user/",
            "events_events_top_per_user_list",
            top_per_user,
        )
        .asks("action", text())
        .asks("top_n", number())
        .access(VIEW)
        .answers(200, Content::List("EventTopPerUser".to_owned())),
    ]
}

/// The same with the parameters that filter and sort.
fn filtered(operation: Operation) -> Operation {
    let text = || json!({ "type": "string" });
    let actions = json!({ "type": "array", "items": reference("EventActions") });
    let operation = super::filter::CONDITIONS
        .iter()
        .fold(operation, |it, name| it.asks(name, text()));
    operation
        .asks("actions", actions)
        .asks("ordering", text())
        .asks("search", text())
}

/// The schemas of events.
pub(in crate::http::api) fn describe(components: &mut Components) {
    let names = ACTIONS.iter().map(|(name, _)| *name);
    let names: Vec<&str> = names.chain([CUSTOM]).collect();
    components.put("EventActions", words(&names));
    let object = || json!({ "type": "object", "additionalProperties": {} });
    let moment = || json!({ "type": "string", "format": "date-time" });
    let written = |least: u8| {
        Map::from_iter([
            ("user".to_owned(), object()),
            ("action".to_owned(), reference("EventActions")),
            (
                "app".to_owned(),
                json!({ "type": "string", "minLength": least }),
            ),
            ("context".to_owned(), object()),
            (
                "client_ip".to_owned(),
                json!({ "type": ["string", "null"], "minLength": least }),
            ),
            ("expires".to_owned(), moment()),
            ("brand".to_owned(), object()),
        ])
    };
    let mut shown = written(0);
    shown.insert("action".to_owned(), told_action());
    shown.insert("pk".to_owned(), uuid());
    shown.insert("created".to_owned(), moment());
    components.put(
        "Event",
        json!({
            "type": "object", "properties": shown, "required": ["action", "app", "created", "pk"],
        }),
    );
    let patched = json!({ "type": "object", "properties": written(1) });
    components.put("PatchedEventRequest", patched);
    components.put(
        "EventRequest",
        json!({ "type": "object", "properties": written(1), "required": ["action", "app"] }),
    );
    let count = || json!({ "type": "integer" });
    counted(
        components,
        "EventVolume",
        &json!({ "action": told_action(), "time": moment(), "count": count() }),
    );
    counted(
        components,
        "EventStats",
        &json!({ "unique_users": count(), "count_step": object() }),
    );
    counted(
        components,
        "EventTopPerUser",
        &json!({ "application": object(), "counted_events": count(), "unique_users": count() }),
    );
}

/// The schema of what was done. An action of an expression's own is no word of the list, and only
/// begins like the last.
fn told_action() -> Value {
    let own = json!({ "type": "string", "pattern": "^custom_" });
    json!({ "anyOf": [reference("EventActions"), own] })
}

/// Adds the schema of what was counted, of which every field is there.
fn counted(components: &mut Components, name: &str, properties: &Value) {
    let required: Vec<String> = properties
        .as_object()
        .map(|it| it.keys().cloned().collect())
        .unwrap_or_default();
    components.put(
        name,
        json!({ "type": "object", "properties": properties, "required": required }),
    );
}

async fn list(call: Call) -> Answered {
    let query = call.request.query_string();
    Ok(HttpResponse::Ok().json(super::list(&call.state, query).await?))
}

async fn retrieve(call: Call) -> Answered {
    let found = super::retrieve(&call.state, key(&call)?).await?;
    Ok(HttpResponse::Ok().json(found))
}

async fn create(mut call: Call) -> Answered {
    let fields = call.fields().await?;
    let (author, id) = (call.author()?, call.arrival.id);
    let made = super::create(&call.state, &fields, &author, id).await?;
    Ok(HttpResponse::Created().json(made))
}

async fn replace(call: Call) -> Answered {
    change(call, false).await
}

async fn patch(call: Call) -> Answered {
    change(call, true).await
}

async fn change(mut call: Call, partial: bool) -> Answered {
    let fields = call.fields().await?;
    let (author, id) = (call.author()?, call.arrival.id);
    let key = key(&call)?;
    let changed = super::update(&call.state, key, &fields, partial, &author, id).await?;
    Ok(HttpResponse::Ok().json(changed))
}

async fn destroy(call: Call) -> Answered {
    let (author, id) = (call.author()?, call.arrival.id);
    super::destroy(&call.state, key(&call)?, &author, id).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn actions(_: Call) -> Answered {
    Ok(HttpResponse::Ok().json(super::actions()))
}

async fn volume(call: Call) -> Answered {
    let query = call.request.query_string();
    Ok(HttpResponse::Ok().json(super::volume(&call.state, query).await?))
}

async fn stats(call: Call) -> Answered {
    let query = call.request.query_string();
    Ok(HttpResponse::Ok().json(super::stats(&call.state, query).await?))
}

async fn top_per_user(call: Call) -> Answered {
    let query = call.request.query_string();
    Ok(HttpResponse::Ok().json(super::top_per_user(&call.state, query).await?))
}

fn key(call: &Call) -> Result<Uuid, Error> {
    call.path("event_uuid")
        .parse()
        .map_err(|_| Error::NOT_FOUND)
}
