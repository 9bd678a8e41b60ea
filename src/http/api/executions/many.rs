//! Many executions run again: a page of them for each request, so that nobody waits for long.

use actix_web::HttpResponse;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::again::run;
use super::asked::MOST;
use super::one::shown_verified;
use crate::flow::code;
use crate::http::Error;
use crate::http::api::body::wrong;
use crate::http::api::call::Call;
use crate::http::api::operation::Answered;
use crate::replay;
use crate::world::record::KIND;

/// How many are run where nobody says.
const USUAL: usize = 20;

/// `POST /gatelog/replay/verify/`: whether today's code comes to the same events, for a page of
/// executions, the latest first. They run on one thread beside those that serve requests, when it is
/// the caller's turn. It tells of every flow, so it is for superusers.
pub(super) async fn verify(mut call: Call) -> Answered {
    call.superuser()?;
    let asked = call.fields().await?;
    let before: Option<Uuid> = read(asked.get("before"), "before", "Must be a valid UUID.")?;
    let moment = "Enter a moment such as 2026-01-31T12:00:00Z.";
    let since: Option<Timestamp> = read(asked.get("since"), "since", moment)?;
    let whole = "A valid integer is required.";
    let limit: Option<usize> = read(asked.get("limit"), "limit", whole)?;
    let limit = limit.unwrap_or(USUAL).clamp(1, MOST);
    let state = &call.state;
    let streams = state.journal.streams(KIND, before, limit).await?;
    let ids: Vec<Uuid> = streams
        .iter()
        .map(|stream| stream.id)
        .take_while(|id| since.is_none_or(|since| replay::began(*id) >= since))
        .collect();
    let is_last = ids.len() < limit;
    let judged = run(&call, async |workers| {
        replay::verify_all(&state.journal, workers.as_ref(), &ids, 1).await
    });
    let results: Vec<Value> = ids
        .iter()
        .zip(judged.await?)
        .map(|(id, judged)| {
            let mut shown = shown_verified(&judged);
            shown["execution"] = json!(id);
            shown["code"] = code(*id).to_string().into();
            shown
        })
        .collect();
    let next = ids.last().filter(|_| !is_last);
    Ok(HttpResponse::Ok().json(json!({ "results": results, "next": next })))
}

fn read<T: serde::de::DeserializeOwned>(
    given: Option<&Value>,
    field: &'static str,
    complaint: &str,
) -> Result<Option<T>, Error> {
    let given = given.filter(|it| !it.is_null());
    let read = given
        .map(|it| serde_json::from_value(it.clone()))
        .transpose();
    read.map_err(|_| wrong(field, complaint))
}
