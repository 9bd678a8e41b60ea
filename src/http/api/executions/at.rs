//! One execution as it stood at any of its events, and the page that its visitor had before them.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use serde_json::{Map, Value, json};

use super::MISSING;
use super::one::{found, masks, people};
use crate::catalog::Flow;
use crate::flow::challenge::{Presentation, flow_info};
use crate::flow::client::Client;
use crate::flow::code;
use crate::flow::plan::Pinned;
use crate::http::api::call::Call;
use crate::http::api::operation::Answered;
use crate::http::page::html;
use crate::http::{Error, content_policy};
use crate::journal::Version;
use crate::journal::object::{self, Versioned};
use crate::replay::{self, Entry, Shown, State};
use crate::web::{Dress, Form, Language};

/// `GET /gatelog/executions/<id or code>/state/?version=&event=`
pub(super) async fn state(call: Call) -> Answered {
    let (entries, _) = found(&call).await?;
    let at = at(&call, &entries)?;
    let mut shown = json!(at);
    shown["people"] = people(&call.state, [&shown]).await?;
    Ok(HttpResponse::Ok().json(masks(&call, &entries).masked(shown)))
}

/// `GET /gatelog/executions/<id or code>/page/?version=&event=`: the page by the templates of
/// today, in the brand and the language of its visitor. Nothing on it can be sent, followed or run.
pub(super) async fn page(call: Call) -> Answered {
    let (entries, summary) = found(&call).await?;
    let at = at(&call, &entries)?;
    let (Some(shown), Some(flow)) = (&at.shown, at.flow) else {
        return Err(MISSING);
    };
    let client = replay::client(&entries, at.place.version);
    let dress = dress(&call, client).await?;
    let body = body(&call, shown, flow).await?;
    let body = masks(&call, &entries).masked(body);
    let form = Form {
        code: Some(code(summary.execution).to_string()),
        inert: true,
        ..Form::default()
    };
    let page = call.state.pages.challenge(&dress, &body, &form, None)?;
    let mut answer = html(StatusCode::OK, page);
    let headers = answer.headers_mut();
    let policy = header::HeaderValue::from_static(content_policy::FRAMED);
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    let by_us = header::HeaderValue::from_static("SAMEORIGIN");
    headers.insert(header::X_FRAME_OPTIONS, by_us);
    Ok(answer)
}

/// The state that is asked for.
fn at(call: &Call, entries: &[Entry]) -> Result<State, Error> {
    let version = number(call, "version")?.map(Version);
    let event = number(call, "event")?;
    let event = event.map(|it| usize::try_from(it).unwrap_or(usize::MAX));
    replay::state(entries, version, event).ok_or(MISSING)
}

fn number(call: &Call, name: &'static str) -> Result<Option<u64>, Error> {
    let listing = call.listing();
    let Some(text) = listing.filter(name) else {
        return Ok(None);
    };
    let number = text.parse().map(Some);
    number.map_err(|_| {
        let whole = "A valid integer is required.".to_owned();
        Error::Fields(BTreeMap::from([(name, whole)]))
    })
}

/// How pages looked for this visitor: in the brand of the host that they asked for, and in the
/// first language that their browser named and we speak.
async fn dress(call: &Call, client: Option<&Client>) -> Result<Dress, Error> {
    let host = client.map_or("", |it| it.host.as_str());
    let mut dress = Dress::from(&call.state.brand(host).await?);
    let wanted = client.and_then(|it| it.language.as_deref());
    let mut tags = wanted.unwrap_or_default().split(',');
    if let Some(language) = tags.find_map(|tag| Language::of(tag.split(';').next()?.trim())) {
        dress.language = language;
    }
    Ok(dress)
}

/// The challenge as a client got it, with the flow as it was then.
async fn body(call: &Call, shown: &Shown, flow: Pinned) -> Result<Value, Error> {
    let journal = &*call.state.journal;
    let version = Version(flow.version);
    let then: Option<Versioned<Flow>> = object::get_at(journal, flow.id, version).await?;
    let mut body = shown.body();
    if let Some(flow) = then {
        let presentation = Presentation {
            title: &flow.value.title,
            background: &flow.value.background,
            layout: flow.value.layout.as_str(),
        };
        let user = body["pending_user"].as_str().unwrap_or_default();
        body["flow_info"] = flow_info(&presentation, user, None);
    } else {
        body["flow_info"] = Map::new().into();
    }
    Ok(body)
}
