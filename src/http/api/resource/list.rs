//! Lists of objects: those that the caller may see, filtered, searched, sorted and paged.

use actix_web::HttpResponse;
use serde_json::Value;

use super::super::call::Call;
use super::super::operation::Answered;
use super::beside::{beside, is_over, row};
use super::find::visible;
use super::{Resource, Shown, filter, order};
use crate::blueprint::edit::{Object, Staged, ask};
use crate::flow::query::Query;
use crate::http::Error;

/// `GET /<path>/`
///
/// # Errors
/// 403 when the caller may see none at all, 400 for a filter that makes no sense, 404 for a page
/// that is not there.
pub(super) async fn list(resource: &Resource, call: Call) -> Answered {
    let journal = &*call.state.journal;
    let query = Query::parse(call.request.query_string());
    let listing = call.listing();
    let caller = call.caller()?;
    let wanted = filter::wanted(resource, &query)?;
    let mut staged = Staged::default();
    staged.read(journal, resource.scope.kind()).await?;
    let all = ask(&mut staged, journal, |staged| {
        let all = staged.all(resource.scope.kind())?.into_iter();
        Ok(all.cloned().collect::<Vec<Object>>())
    })
    .await?;
    let now = call.state.clock.now();
    let mut seen = Vec::new();
    for object in all.into_iter().filter(|it| resource.scope.has(it)) {
        if !is_over(&object, now) && visible(resource, &call, &object)? {
            seen.push(object);
        }
    }
    // Whoever may see nothing of this sort is told so; whoever may see their own has none yet.
    let view = resource.permission("view");
    if seen.is_empty() && resource.is_own.is_none() && !caller.granted.may(&view) {
        return Err(Error::NotPermitted);
    }
    let besides = beside(&call.state, &seen).await?;
    let inherited = query.get("inherited") == Some("true");
    let mut rows = Vec::with_capacity(seen.len());
    for object in seen {
        let row = |staged: &Staged| row(&object, staged, &besides, &wanted, inherited);
        let row = ask(&mut staged, journal, row).await?;
        let row = (object.stream().kind, &row);
        let fits = |staged: &Staged| filter::fits(resource, &wanted, &listing, row, staged);
        if ask(&mut staged, journal, fits).await? {
            let keys = |staged: &Staged| order::keys(resource, &listing, row, staged);
            let keys = ask(&mut staged, journal, keys).await?;
            rows.push((keys, object));
        }
    }
    order::sort(resource, &listing, &mut rows);
    // Shown one after the other, since each may need to read something first.
    let page = listing.slice(rows.len())?;
    let mut results: Vec<Value> = Vec::with_capacity(page.len());
    for (_, object) in &rows[page.range()] {
        let about = Shown {
            state: &call.state,
            query: &query,
            beside: besides.get(&object.stream().id),
        };
        let show = |staged: &Staged| (resource.show)(object, staged, &about);
        results.push(ask(&mut staged, journal, show).await?);
    }
    Ok(HttpResponse::Ok().json(page.envelope(&results)))
}
