//! Addresses that lead into a flow, or out of it.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use url::Url;
use uuid::Uuid;

use super::page::page_error;
use super::request::Arrival;
use super::session::Visitor;
use super::{Error, State, csrf, location};
use crate::catalog::{Brand, Flow, Stage, flows_by_designation};
use crate::execution::{Cancel, Presence, Request};
use crate::flow::Context;
use crate::flow::client::Client;
use crate::flow::context::{Value as Known, key};
use crate::flow::input::Canceller;
use crate::flow::model::Designation;
use crate::flow::next::is_safe;
use crate::flow::query::Query;
use crate::journal::object::{self, Versioned};
use crate::policy::Asker;
use crate::stage::configure_flow;

/// Where a visitor goes who has given up and did not say where to.
const LOGOUT: &str = "/flows/-/default/invalidation/";

/// `/flows/-/default/<designation>/`: the flow that logs in, logs out, and so on.
///
/// authentik has it for `authentication` and `invalidation`; older releases also had `enrollment`,
/// `recovery` and `unenrollment`.
pub(super) async fn default(
    request: HttpRequest,
    designation: web::Path<String>,
    state: web::Data<State>,
    arrival: Arrival,
) -> HttpResponse {
    let answer = async {
        let designation = designation.parse().map_err(|_| Error::NOT_FOUND)?;
        enter(&request, &state, designation, arrival).await
    };
    let answer = answer.await;
    page_error(&state, &request, arrival, answer).await
}

/// `/flows/-/configure/<stage>/`: the flow in which somebody sets up what a stage asks for.
pub(super) async fn configure(
    request: HttpRequest,
    id: web::Path<String>,
    state: web::Data<State>,
    arrival: Arrival,
) -> HttpResponse {
    let answer = set_up(&request, &state, &id, arrival).await;
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

/// Sends the visitor to the host's own flow for this purpose, else to the first by slug whose
/// policies let them in.
async fn enter(
    request: &HttpRequest,
    state: &State,
    designation: Designation,
    arrival: Arrival,
) -> Result<HttpResponse, Error> {
    let visitor = Visitor::of(state, request, arrival.id).await?;
    let query = Query::parse(request.query_string());
    let flow = of_host(state, request, designation, &visitor, &query).await?;
    Ok(location::redirect(StatusCode::FOUND, &page(&flow, &query)))
}

/// The host's own flow for this purpose, else the first by slug whose policies let the visitor in.
///
/// # Errors
/// 404 when there is none.
pub(super) async fn of_host(
    state: &State,
    request: &HttpRequest,
    designation: Designation,
    visitor: &Visitor,
    query: &Query,
) -> Result<Flow, Error> {
    let brand = state.brand(&visitor.client.host).await?;
    match named(state, chosen(&brand, designation)).await? {
        Some(flow) => Ok(flow),
        None => first(state, request, designation, visitor, query).await,
    }
}

/// The flow that something names, where it names one and that is still there.
pub(super) async fn named(state: &State, flow: Option<Uuid>) -> Result<Option<Flow>, Error> {
    let Some(flow) = flow else {
        return Ok(None);
    };
    let found: Option<Versioned<Flow>> = object::get(&*state.journal, flow).await?;
    Ok(found.map(|it| it.value))
}

/// The flow that a brand names for a purpose. Its policies are not asked before it begins.
fn chosen(brand: &Brand, designation: Designation) -> Option<Uuid> {
    match designation {
        Designation::Authentication => brand.flow_authentication,
        Designation::Invalidation => brand.flow_invalidation,
        Designation::Recovery => brand.flow_recovery,
        Designation::Unenrollment => brand.flow_unenrollment,
        Designation::StageConfiguration => brand.flow_user_settings,
        Designation::Authorization | Designation::Enrollment => None,
    }
}

/// The first flow for this purpose, by slug, whose policies let the visitor in.
async fn first(
    state: &State,
    request: &HttpRequest,
    designation: Designation,
    visitor: &Visitor,
    query: &Query,
) -> Result<Flow, Error> {
    for flow in flows_by_designation(&*state.journal, designation).await? {
        let asker = Asker {
            client: &visitor.client,
            query,
            path: request.path().to_owned(),
            is_answer: false,
            user: visitor.user.clone(),
        };
        if state.executions.applies(&flow.value, asker).await? {
            return Ok(flow.value);
        }
    }
    Err(Error::NOT_FOUND)
}

/// The address of a flow's page.
fn page(flow: &Flow, query: &Query) -> String {
    match query.encode().as_str() {
        "" => format!("/if/flow/{}/", flow.slug),
        query => format!("/if/flow/{}/?{query}", flow.slug),
    }
}

/// Begins the flow in which the visitor sets up what a stage asks for, and sends them there.
///
/// Source: authentik `flows/views/executor.py`, `ConfigureFlowInitView`.
async fn set_up(
    request: &HttpRequest,
    state: &State,
    id: &str,
    arrival: Arrival,
) -> Result<HttpResponse, Error> {
    let visitor = Visitor::of(state, request, arrival.id).await?;
    csrf::check_embedding(request)?;
    let Some(user) = &visitor.user else {
        let login = location::login(&location::of(request));
        return Ok(location::redirect(StatusCode::FOUND, &login));
    };
    let flow = configuration_of(state, id).await?;
    let flow = flow.ok_or(Error::NOT_FOUND)?;
    let query = Query::parse(request.query_string());
    let mut context = Context::default();
    context.set(key::PENDING_USER, Some(Known::User(user.value.uuid)));
    let question = Request {
        session: visitor.session_id(),
        sid: visitor.sid.clone(),
        slug: flow.slug.to_string(),
        query: query.encode(),
        client: visitor.client.clone(),
        challenge: None,
        received: arrival.at,
        correlation: arrival.id,
        trace: arrival.trace,
        presence: Presence::default(),
    };
    let begun = state.executions.begin_anew(question, context).await?;
    if begun.is_none() {
        return Err(Error::NOT_FOUND);
    }
    Ok(location::redirect(StatusCode::FOUND, &page(&flow, &query)))
}

/// The flow that sets up what the stage with this id asks for; none where there is no such stage, or its kind
/// needs no setting up, or its operator wants none.
async fn configuration_of(state: &State, id: &str) -> Result<Option<Flow>, Error> {
    let Ok(id) = id.parse::<Uuid>() else {
        return Ok(None);
    };
    let found: Option<Versioned<Stage>> = object::get(&*state.journal, id).await?;
    let flow = found.and_then(|found| configure_flow(&found.value));
    let flow: Option<Versioned<Flow>> = match flow {
        Some(flow) => object::get(&*state.journal, flow).await?,
        None => None,
    };
    Ok(flow.map(|flow| flow.value))
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
