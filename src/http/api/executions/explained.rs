//! What an execution came to, in words: why, what is different from another one, and what became
//! of one entry of what it knew.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use serde_json::json;

use super::MISSING;
use super::one::{found, masks, refused, seen};
use crate::http::Error;
use crate::http::api::call::Call;
use crate::http::api::operation::{Answered, Content, Method, Operation};
use crate::http::api::schema::shape::{Member, Of, has, object};
use crate::http::api::schema::{Components, words};
use crate::journal::Version;
use crate::replay::diff::{Side, diff as compare};
use crate::replay::watch::watch as follow;
use crate::replay::why::{Way, explain};

/// The operations.
pub(super) fn operations() -> Vec<Operation> {
    let text = || json!({ "type": "string" });
    let number = || json!({ "type": "integer", "minimum": 1 });
    let one = |rest: &str| {
        let path = format!("/gatelog/executions/{{execution}}/{rest}/");
        (path, format!("gatelog_executions_{rest}_retrieve"))
    };
    let (diff_path, diff_name) = one("diff");
    let (watch_path, watch_name) = one("watch");
    let (why_path, why_name) = one("why");
    vec![
        Operation::new(Method::Get, &diff_path, &diff_name, diff)
            .asks("version", number())
            .asks("with", text())
            .asks("with_version", number())
            .answers(200, Content::One("ExecutionDiff".to_owned())),
        Operation::new(Method::Get, &watch_path, &watch_name, watch)
            .asks("key", text())
            .answers(200, Content::One("ExecutionWatched".to_owned())),
        Operation::new(Method::Get, &why_path, &why_name, why)
            .answers(200, Content::One("ExecutionWhy".to_owned())),
    ]
}

/// `GET /gatelog/executions/<id or code>/why/`: why it came to where it is, in one paragraph.
async fn why(call: Call) -> Answered {
    let (entries, _) = found(&call).await?;
    let why = explain(&*call.state.journal, &entries).await;
    let why = json!(why.map_err(refused)?.ok_or(MISSING)?);
    Ok(HttpResponse::Ok().json(masks(&call, &entries).masked(why)))
}

/// `GET /gatelog/executions/<id or code>/diff/?with=&version=&with_version=`: what is different
/// there from another execution, or from another point of the same.
async fn diff(call: Call) -> Answered {
    let (entries, _) = found(&call).await?;
    let other = match call.listing().filter("with") {
        Some(name) => seen(&call, name).await?.0,
        None => entries.clone(),
    };
    let left = Side::of(&entries, version(&call, "version")?).ok_or(MISSING)?;
    let right = Side::of(&other, version(&call, "with_version")?).ok_or(MISSING)?;
    let shown = json!(compare(&left, &right).ok_or(MISSING)?);
    let masks = masks(&call, entries.iter().chain(&other));
    Ok(HttpResponse::Ok().json(masks.masked(shown)))
}

/// `GET /gatelog/executions/<id or code>/watch/?key=`: who changed an entry of what it knew.
async fn watch(call: Call) -> Answered {
    let (entries, _) = found(&call).await?;
    let listing = call.listing();
    let key = listing.filter("key").ok_or_else(|| {
        let missing = "This field is required.".to_owned();
        Error::Fields(BTreeMap::from([("key", missing)]))
    })?;
    let shown = json!(follow(&entries, key));
    Ok(HttpResponse::Ok().json(masks(&call, &entries).masked(shown)))
}

fn version(call: &Call, name: &'static str) -> Result<Option<Version>, Error> {
    let listing = call.listing();
    let Some(text) = listing.filter(name) else {
        return Ok(None);
    };
    let number: Result<u64, _> = text.parse();
    number.map(|it| Some(Version(it))).map_err(|_| {
        let whole = "A valid integer is required.".to_owned();
        Error::Fields(BTreeMap::from([(name, whole)]))
    })
}

/// Their schemas.
pub(super) fn describe(components: &mut Components) {
    let ways: Vec<_> = Way::ALL.iter().map(|it| it.as_str()).collect();
    components.put("ExecutionWayEnum", words(&ways));
    for (name, members) in OBJECTS {
        components.put(name, object(members.iter().copied()));
    }
}

const OBJECTS: &[(&str, &[Member])] = &[
    (
        "ExecutionWhy",
        &[
            has("execution", Of::Format("uuid")),
            has("code", Of::Text),
            has("flow", Of::Text),
            has("ended", Of::To("ExecutionStateEnum")),
            has("way", Of::To("ExecutionWayEnum")),
            has("check", Of::OrNull(&Of::Text)),
            has("stage", Of::OrNull(&Of::To("ExecutionNamed"))),
            has("binding", Of::OrNull(&Of::To("ExecutionPinned"))),
            has("policy", Of::OrNull(&Of::To("ExecutionNamed"))),
            has("input", Of::OrNull(&Of::To("ExecutionAnswer"))),
            has("ways", Of::List(&Of::To("ExecutionWayEnum"))),
            has("would_have", Of::Text),
            has("text", Of::Text),
            has("help_desk", Of::Text),
        ],
    ),
    (
        "ExecutionPinned",
        &[has("id", Of::Format("uuid")), has("version", Of::Number)],
    ),
    (
        "ExecutionNamed",
        &[
            has("id", Of::Format("uuid")),
            has("version", Of::Number),
            has("name", Of::Text),
            has("kind", Of::Text),
        ],
    ),
    (
        "ExecutionAnswer",
        &[
            has("version", Of::Number),
            has("at", Of::Format("date-time")),
            has("challenge", Of::Number),
            has("fields", Of::List(&Of::Text)),
        ],
    ),
    (
        "ExecutionDiff",
        &[
            has("left", Of::To("ExecutionPoint")),
            has("right", Of::To("ExecutionPoint")),
            has("is_same", Of::Flag),
            has("alike", Of::Number),
            has("first", Of::OrNull(&Of::To("ExecutionPair"))),
            has("facts", Of::List(&Of::To("ExecutionChange"))),
            has("events", Of::List(&Of::To("ExecutionPair"))),
        ],
    ),
    (
        "ExecutionPoint",
        &[
            has("execution", Of::Format("uuid")),
            has("code", Of::Text),
            has("flow", Of::Text),
            has("place", Of::To("ExecutionPlace")),
            has("at", Of::Format("date-time")),
            has("state", Of::Text),
            has("detail", Of::Text),
        ],
    ),
    (
        "ExecutionPair",
        &[
            has("left", Of::OrNull(&Of::To("ExecutionSeen"))),
            has("right", Of::OrNull(&Of::To("ExecutionSeen"))),
            has("is_alike", Of::Flag),
        ],
    ),
    (
        "ExecutionSeen",
        &[
            has("place", Of::To("ExecutionPlace")),
            has("at", Of::Format("date-time")),
            has("kind", Of::Text),
            has("stage", Of::OrNull(&Of::Text)),
            has("lines", Of::List(&Of::Text)),
        ],
    ),
    (
        "ExecutionWatched",
        &[
            has("key", Of::Text),
            has("writes", Of::List(&Of::To("ExecutionWrite"))),
            has("keys", Of::List(&Of::Text)),
        ],
    ),
    (
        "ExecutionWrite",
        &[
            has("place", Of::To("ExecutionPlace")),
            has("at", Of::Format("date-time")),
            has("event", Of::Text),
            has("stage", Of::OrNull(&Of::Text)),
            has("by", Of::Text),
            has("before", Of::OrNull(&Of::To("ExecutionHeld"))),
            has("after", Of::OrNull(&Of::To("ExecutionHeld"))),
        ],
    ),
    (
        "ExecutionHeld",
        &[has("value", Of::Object), has("text", Of::Text)],
    ),
];
