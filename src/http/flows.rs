//! Addresses that lead into a flow, or out of it.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use url::Url;

use super::page::page_error;
use super::request::Arrival;
use super::session::Visitor;
use super::{Error, State, csrf, location};
use crate::catalog::{Flow, flows_by_designation};
use crate::execution::Cancel;
use crate::flow::client::Client;
use crate::flow::input::Canceller;
use crate::flow::model::Designation;
use crate::flow::next::is_safe;
use crate::flow::query::Query;
use crate::journal::object::{self, Versioned};

/// Where a visitor goes who has given up and did not say where to.
const LOGOUT: &str = "/flows/-/default/invalidation/";

/// `/flows/-/default/authentication/`: the flow that logs in.
pub(super) async fn authentication(
    request: HttpRequest,
    state: web::Data<State>,
    arrival: Arrival,
) -> HttpResponse {
    let answer = enter(&request, &state, Designation::Authentication).await;
    page_error(&state, &request, arrival, answer).await
}

/// `/flows/-/default/invalidation/`: the flow that logs out.
pub(super) async fn invalidation(
    request: HttpRequest,
    state: web::Data<State>,
    arrival: Arrival,
) -> HttpResponse {
    let answer = enter(&request, &state, Designation::Invalidation).await;
    page_error(&state, &request, arrival, answer).await
}

/// `/flows/-/cancel/`: gives up an execution, or several.
pub(super) async fn cancel(
    request: HttpRequest,
    state: web::Data<State>,
    arrival: Arrival,
) -> HttpResponse {
    let answer = leave(&request, &state, arrival).await;
    page_error(&state, &request, arrival, answer).await
}

/// Sends the visitor to the host's own flow for this purpose, else to the first there is.
async fn enter(
    request: &HttpRequest,
    state: &State,
    designation: Designation,
) -> Result<HttpResponse, Error> {
    let client = super::client::client(request, &state.trusted_proxies);
    let brand = state.brand(&client.host).await?;
    let chosen = match designation {
        Designation::Authentication => brand.flow_authentication,
        Designation::Invalidation => brand.flow_invalidation,
        _ => None,
    };
    let own: Option<Versioned<Flow>> = match chosen {
        Some(flow) => object::get(&*state.journal, flow).await?,
        None => None,
    };
    let flow = match own {
        Some(flow) => Some(flow),
        None => flows_by_designation(&*state.journal, designation)
            .await?
            .into_iter()
            .next(),
    };
    let flow = flow.ok_or(Error::NOT_FOUND)?;
    let query = Query::parse(request.query_string()).encode();
    let mut to = format!("/if/flow/{}/", flow.value.slug);
    if !query.is_empty() {
        to = format!("{to}?{query}");
    }
    Ok(location::redirect(StatusCode::FOUND, &to))
}

/// Cancels what the visitor means, and sends them on.
async fn leave(
    request: &HttpRequest,
    state: &State,
    arrival: Arrival,
) -> Result<HttpResponse, Error> {
    let visitor = Visitor::of(state, request, arrival.id).await?;
    csrf::check_embedding(request)?;
    let query = Query::parse(request.query_string());
    if let Some(session) = visitor.session_id() {
        let client = &visitor.client;
        let all = || match query.next() {
            Some(next) => Cancel::Next(next.to_owned()),
            None => Cancel::All,
        };
        let which = named_by_referer(request, client).unwrap_or_else(all);
        let by = Canceller::Visitor;
        state
            .executions
            .cancel(session, which, by, client, arrival.id)
            .await?;
    }
    let to = query.next().filter(|next| is_safe(next)).unwrap_or(LOGOUT);
    Ok(location::redirect(StatusCode::FOUND, to))
}

/// The execution whose page the visitor came from, if that page is ours.
fn named_by_referer(request: &HttpRequest, client: &Client) -> Option<Cancel> {
    let referer = request.headers().get(header::REFERER)?.to_str().ok()?;
    if !csrf::is_own(referer, client) {
        return None;
    }
    let page = Url::parse(referer).ok()?;
    let slug = page.path().strip_prefix("/if/flow/")?.strip_suffix('/')?;
    (!slug.is_empty() && !slug.contains('/')).then(|| Cancel::One {
        slug: slug.to_owned(),
        query: page.query().unwrap_or_default().to_owned(),
    })
}
