//! One execution: its facts, and all that happened in it.

use std::collections::BTreeSet;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_DISPOSITION;
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::again::run;
use super::{MISSING, may, may_all, named, person, shown};
use crate::flow::execution::Execution;
use crate::http::api::call::Call;
use crate::http::api::operation::Answered;
use crate::http::{Error, State};
use crate::replay::bearers::Bearers;
use crate::replay::many::aside;
use crate::replay::{self, Entry, Summary};

/// The permission with which somebody sees invitations anyway.
const INVITATIONS: &str = "authentik_stages_invitation.view_invitation";

/// How many people are named at most.
const PEOPLE: usize = 100;

/// `GET /gatelog/executions/<id or code>/`
pub(super) async fn retrieve(call: Call) -> Answered {
    let (entries, summary) = found(&call).await?;
    let state = &call.state;
    let steps = replay::timeline(&entries);
    let (_, at) = replay::fold(&entries);
    let mut facts = shown(state, &summary).await?;
    facts["session"] = json!(at.latest().map(|it| it.session));
    facts["user_agent"] = json!(entries.first().map(|it| &it.record.input.client.user_agent));
    facts["path"] = json!(at.latest().map(|it| &it.path));
    facts["ahead"] = ahead(&at);
    facts["challenge"] = challenge(&at);
    facts["problem"] = json!(at.running().and_then(|it| it.failure.as_ref()));
    let details = steps.iter().flat_map(|it| &it.events);
    facts["people"] = people(state, details.map(|it| &it.details)).await?;
    facts["steps"] = json!(steps);
    Ok(HttpResponse::Ok().json(masks(&call, &entries).masked(facts)))
}

/// `GET /gatelog/executions/<id or code>/verify/`: whether today's code comes to the same events.
pub(super) async fn verify(call: Call) -> Answered {
    let (entries, summary) = found(&call).await?;
    let journal = Arc::clone(&call.state.journal);
    let verified = run(&call, async move |workers| {
        let verify = async move |id| replay::verify(&journal, workers.as_ref(), id).await;
        aside(summary.execution, verify).await
    });
    let shown = shown_verified(&verified.await?);
    Ok(HttpResponse::Ok().json(masks(&call, &entries).masked(shown)))
}

/// `GET /gatelog/executions/<id or code>/bundle/`: all that is needed to run it again elsewhere,
/// without secrets and without what is personal. It tells how policies and stages are configured,
/// so it is for superusers.
pub(super) async fn bundle(call: Call) -> Answered {
    call.superuser()?;
    let (_, summary) = found(&call).await?;
    let (journal, clock) = (Arc::clone(&call.state.journal), call.state.clock.clone());
    let bundle = run(&call, async move |workers| {
        let bundle =
            async move |id| replay::bundle::of(&journal, workers.as_ref(), &clock, id, false).await;
        aside(summary.execution, bundle).await
    });
    let bundle = bundle.await?;
    let name = format!("attachment; filename=\"{}.bundle\"", bundle.code);
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_DISPOSITION, name))
        .json(bundle))
}

/// What the caller may not see of these executions: whoever knows it could use it.
pub(in crate::http::api) fn masks<'a>(
    call: &Call,
    entries: impl IntoIterator<Item = &'a Entry>,
) -> Bearers {
    let caller = call.caller();
    if caller.is_ok_and(|it| it.granted.may(INVITATIONS)) {
        Bearers::in_queries()
    } else {
        Bearers::of(entries)
    }
}

/// A divergence with its sides in words, and as they are beside that.
pub(super) fn shown_verified(verified: &impl Serialize) -> Value {
    let mut shown = json!(verified);
    for side in ["recorded", "replayed"] {
        if let Some(Value::Object(mut parts)) = shown.get_mut(side).map(Value::take) {
            shown[side] = parts.remove("lines").unwrap_or_default();
            shown[format!("{side}_json")] = parts.remove("json").unwrap_or_default();
        }
    }
    shown
}

/// The execution of the path, where the caller may see it.
pub(super) async fn found(call: &Call) -> Result<(Vec<Entry>, Summary), Error> {
    seen(call, call.path("execution")).await
}

/// The execution of this id or code, where the caller may see it.
pub(super) async fn seen(call: &Call, name: &str) -> Result<(Vec<Entry>, Summary), Error> {
    let state = &call.state;
    let id = named(state, name).await?.ok_or(MISSING)?;
    let entries = match replay::entries(&*state.journal, id).await {
        // Which flow it was, nobody knows any more.
        Err(replay::Error::Erased(gone)) if may_all(call) => {
            return Err(Error::Gone(gone.to_string()));
        }
        entries => entries.map_err(refused)?,
    };
    let summary = replay::summary(&entries).filter(|it| may(call, it.flow_id));
    Ok((entries, summary.ok_or(MISSING)?))
}

pub(super) fn refused(error: replay::Error) -> Error {
    match error {
        replay::Error::Journal(error) => error.into(),
        replay::Error::Unknown(_) | replay::Error::Erased(_) => MISSING,
        error @ replay::Error::Incomplete { .. } => Error::Internal {
            cause: error.to_string(),
        },
        replay::Error::Broken(cause) => Error::Internal { cause },
    }
}

/// The stages that are still to be passed; the first is the one that the visitor is at.
fn ahead(at: &Execution) -> Value {
    let plan = at.running().map(|it| &it.plan.0);
    plan.into_iter()
        .flatten()
        .map(|stage| json!({ "name": stage.name, "kind": stage.kind, "stage": stage.stage.id }))
        .collect()
}

/// What the visitor is asked.
fn challenge(at: &Execution) -> Value {
    let asked = at.running().and_then(|it| it.challenge.as_ref());
    asked.map_or(
        Value::Null,
        |it| json!({ "number": it.number, "component": it.component }),
    )
}

/// The users who are named in these by their identifiers, as they are called now.
pub(super) async fn people<'a>(
    state: &State,
    details: impl IntoIterator<Item = &'a Value>,
) -> Result<Value, Error> {
    let mut named = BTreeSet::new();
    for it in details {
        users(it, &mut named);
    }
    let mut people = Map::new();
    for id in named.into_iter().take(PEOPLE) {
        let person = person(state, id).await?;
        if !person.is_null() {
            people.insert(id.to_string(), person);
        }
    }
    Ok(people.into())
}

/// A user is the member `user` of an event, or a value that says that it is one.
fn users(details: &Value, named: &mut BTreeSet<Uuid>) {
    let id = |value: &Value| value.as_str().and_then(|it| it.parse::<Uuid>().ok());
    match details {
        Value::Object(entries) => {
            named.extend(entries.get("user").and_then(id));
            named.extend(entries.get("replaced").and_then(id));
            if entries.get("is").is_some_and(|it| it == "user") {
                named.extend(entries.get("value").and_then(id));
            }
            entries.values().for_each(|it| users(it, named));
        }
        Value::Array(items) => items.iter().for_each(|it| users(it, named)),
        _ => {}
    }
}
