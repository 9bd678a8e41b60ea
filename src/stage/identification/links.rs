//! Where else the page of an identification leads: to other flows, and to other places to log in
//! at.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::catalog::{Application, Flow, Source};
use crate::flow::context::{Value as Known, key};
use crate::flow::query::flow_url;
use crate::journal::object::{self, Versioned};
use crate::stage::{Error, Turn};

/// The link to another flow, keeping the query string; none where there is no such flow.
pub(super) async fn to_flow(turn: &Turn<'_>, flow: Option<Uuid>) -> Result<Option<Value>, Error> {
    let Some(id) = flow else { return Ok(None) };
    let flow: Option<Versioned<Flow>> = object::get(turn.world.objects(), id).await?;
    Ok(flow.map(|flow| {
        // The token of a mailed link belongs to this flow alone.
        let query = turn.query.without_link().encode();
        flow_url(flow.value.slug.as_str(), &query).into()
    }))
}

/// The application for which somebody logs in: its name and where it begins.
pub(super) async fn application(turn: &Turn<'_>) -> Result<Option<(String, String)>, Error> {
    let Some(Known::Object { id, .. }) = turn.running.context.get(key::APPLICATION) else {
        return Ok(None);
    };
    let Ok(id) = id.parse::<Uuid>() else {
        return Ok(None);
    };
    let found: Option<Versioned<Application>> = object::get(turn.world.objects(), id).await?;
    Ok(found.map(|Versioned { value, .. }| {
        let url = value.launch_url().unwrap_or_default().to_owned();
        (value.name, url)
    }))
}

/// The sources that are enabled, by name, each with the challenge that leads there.
pub(super) async fn sources(turn: &Turn<'_>, ids: &[Uuid]) -> Result<Vec<Value>, Error> {
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        let source: Option<Versioned<Source>> = object::get(turn.world.objects(), *id).await?;
        found.extend(source.map(|source| source.value).filter(|it| it.enabled));
    }
    found.sort_by(|one, other| (&one.name, &one.slug).cmp(&(&other.name, &other.slug)));
    let shown = found.iter().map(|source| {
        json!({
            "name": source.name,
            "icon_url": source.icon_url(),
            "promoted": source.promoted,
            "challenge": { "component": "xak-flow-redirect", "to": source.login_url() },
        })
    });
    Ok(shown.collect())
}
