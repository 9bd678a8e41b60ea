//! `/gatelog/executions/`: every run of a flow, for whoever may inspect the flow.

use actix_web::HttpResponse;
use serde_json::{Value, json};
use uuid::Uuid;

use super::call::Call;
use super::inspector::PERMISSION;
use super::operation::{Access, Answered, Content, Method, Operation};
use super::schema::{Components, uuid, words};
use crate::directory::User;
use crate::flow::Code;
use crate::http::streams;
use crate::http::{Error, State};
use crate::journal::object::{self, Versioned};
use crate::replay::bearers::Bearers;
use crate::replay::{self, STATES, Summary};

mod again;
mod asked;
mod at;
mod described;
mod explained;
mod found;
mod live;
mod many;
mod one;

use asked::Asked;
pub(super) use one::masks;

/// There is no such execution, or the caller may not see it.
const MISSING: Error = Error::Missing("Execution");

/// The operations.
pub(super) fn operations() -> Vec<Operation> {
    let text = || json!({ "type": "string" });
    let moment = || json!({ "type": "string", "format": "date-time" });
    let states = json!({ "type": "array", "items": words(&STATES) });
    let limit = json!({ "type": "integer", "minimum": 1, "maximum": asked::MOST });
    let one = |rest: &str, name: &str| {
        let path = format!("/gatelog/executions/{{execution}}/{rest}");
        (path, format!("gatelog_executions_{name}"))
    };
    let (path, name) = one("", "retrieve");
    let (verify_path, verify_name) = one("verify/", "verify_retrieve");
    let (bundle_path, bundle_name) = one("bundle/", "bundle_retrieve");
    let (state_path, state_name) = one("state/", "state_retrieve");
    let (page_path, page_name) = one("page/", "page_retrieve");
    let number = || json!({ "type": "integer", "minimum": 0 });
    let mut operations = vec![
        Operation::new(
            Method::Get,
            "/gatelog/executions/",
            "gatelog_executions_list",
            list,
        )
        .asks("address", text())
        .asks("before", uuid())
        .asks("flow", text())
        .asks("limit", limit)
        .asks("search", text())
        .asks("since", moment())
        .asks("state", states)
        .asks("until", moment())
        .asks("user", text())
        .answers(200, Content::One("ExecutionPage".to_owned())),
        Operation::new(Method::Get, &path, &name, one::retrieve)
            .answers(200, Content::One("Execution".to_owned())),
        Operation::new(Method::Get, &verify_path, &verify_name, one::verify)
            .access(Access::Caller)
            .answers(200, Content::One("ExecutionVerified".to_owned())),
        Operation::new(Method::Get, &bundle_path, &bundle_name, one::bundle)
            .access(Access::Caller)
            .answers(200, Content::One("ExecutionBundle".to_owned())),
        Operation::new(
            Method::Post,
            "/gatelog/replay/verify/",
            "gatelog_replay_verify_create",
            many::verify,
        )
        .access(Access::Caller)
        .takes(Content::One("ExecutionsVerifyRequest".to_owned()))
        .answers(200, Content::One("ExecutionsVerified".to_owned())),
        Operation::new(Method::Get, &state_path, &state_name, at::state)
            .asks("event", number())
            .asks("version", number())
            .answers(200, Content::One("ExecutionState".to_owned())),
        Operation::new(Method::Get, &page_path, &page_name, at::page)
            .asks("event", number())
            .asks("version", number())
            .answers(200, Content::Media("text/html")),
    ];
    operations.extend(explained::operations());
    operations
}

/// Their schemas.
pub(super) fn describe(components: &mut Components) {
    described::describe(components);
    explained::describe(components);
}

/// `GET /gatelog/executions/`: a page of them, the latest first; as a stream, a word whenever
/// something happened in one.
async fn list(call: Call) -> Answered {
    if !call.caller()?.granted.may_any(PERMISSION) {
        return Err(Error::NotPermitted);
    }
    if streams::are_wanted(&call.request) && call.request.method() != actix_web::http::Method::HEAD
    {
        return live::stream(&call);
    }
    let asked = Asked::of(call.request.query_string())?;
    Ok(HttpResponse::Ok().json(found::page(&call, &asked).await?))
}

/// Whether the caller may see the executions of this flow.
fn may(call: &Call, flow: Uuid) -> bool {
    let caller = call.caller();
    caller.is_ok_and(|it| it.granted.may_of(PERMISSION, flow))
}

/// Whether the caller may see the executions of all flows.
fn may_all(call: &Call) -> bool {
    call.caller().is_ok_and(|it| it.granted.may(PERMISSION))
}

/// The execution that an id or a short code names.
async fn named(state: &State, name: &str) -> Result<Option<Uuid>, Error> {
    if let Ok(id) = name.parse() {
        return Ok(Some(id));
    }
    match Code::parse(name) {
        Some(code) => Ok(replay::by_code(&*state.journal, code).await?),
        None => Ok(None),
    }
}

/// An execution as a list shows it, with the name of its user.
async fn shown(state: &State, summary: &Summary) -> Result<Value, Error> {
    let mut shown = Bearers::in_queries().masked(json!(summary));
    let known = match summary.user.as_ref().and_then(|user| user.parse().ok()) {
        Some(id) => person(state, id).await?,
        None => Value::Null,
    };
    let typed = summary.user.as_ref();
    let typed = typed.filter(|it| it.parse::<Uuid>().is_err());
    shown["user"] = known;
    shown["typed"] = json!(typed);
    Ok(shown)
}

/// A user as they are called now; null when they are gone.
async fn person(state: &State, id: Uuid) -> Result<Value, Error> {
    let found: Option<Versioned<User>> = object::get(&*state.journal, id).await?;
    Ok(found.map_or(Value::Null, |it| {
        json!({
            "uuid": id,
            "pk": it.value.pk,
            "username": it.value.username,
            "name": it.value.name,
        })
    }))
}
