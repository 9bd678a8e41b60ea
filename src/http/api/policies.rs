//! `/policies/all/<uuid>/test/`: what a policy says of a user.

use std::collections::BTreeMap;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::caller;
use crate::catalog::Policy;
use crate::directory::{User, is_superuser, user_by_pk};
use crate::flow::Context;
use crate::flow::query::Query;
use crate::http::request::Arrival;
use crate::http::{Error, State};
use crate::journal::object::{self, Versioned};
use crate::policy::Asker;

/// The most bytes of a body that are read.
const LIMIT: usize = 256 * 1024;

/// `POST /policies/all/<uuid>/test/`, for superusers. Nothing of the evaluation takes effect.
pub(super) async fn test(
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    state: web::Data<State>,
    arrival: Arrival,
) -> Result<HttpResponse, Error> {
    let caller = caller::acting(&state, &request, arrival).await?;
    let journal = &*state.journal;
    if !is_superuser(journal, &caller.user.value).await? {
        return Err(Error::NotPermitted);
    }
    let id: Uuid = id.parse().map_err(|_| Error::NO_POLICY)?;
    let policy: Option<Versioned<Policy>> = object::get(journal, id).await?;
    let policy = policy.ok_or(Error::NO_POLICY)?;
    let (user, context) = read(&state, &body(&request, payload).await?).await?;
    let query = Query::parse(request.query_string());
    let asker = Asker {
        client: &caller.client,
        query: &query,
        path: request.path().to_owned(),
        is_answer: true,
        user: Some(caller.user),
    };
    let executions = &state.executions;
    let tested = executions
        .test_policy(&policy, Some(user), context, Some(asker))
        .await?;
    let now = state.clock.now();
    let logger = format!("gatelog.policy.{}", policy.value.kind);
    let log: Vec<Value> = tested
        .judged
        .log
        .iter()
        .map(|line| {
            json!({
                "timestamp": now,
                "log_level": line.level,
                "logger": logger,
                "event": line.text,
                "attributes": {},
            })
        })
        .collect();
    Ok(HttpResponse::Ok().json(json!({
        "passing": tested.judged.passing,
        "messages": tested.judged.messages,
        "log_messages": log,
    })))
}

/// The body as JSON.
pub(super) async fn body(request: &HttpRequest, payload: web::Payload) -> Result<Value, Error> {
    let bytes = payload
        .to_bytes_limited(LIMIT)
        .await
        .map_err(|_| Error::TooLarge(LIMIT))?
        .map_err(|_| Error::Unread)?;
    let declared = request.headers().get(header::CONTENT_TYPE);
    let declared = declared.and_then(|it| it.to_str().ok()).unwrap_or_default();
    let essence = declared.split(';').next().unwrap_or_default().trim();
    if bytes.is_empty() {
        return Ok(json!({}));
    }
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Error::MediaType(declared.to_owned()));
    }
    serde_json::from_slice(&bytes).map_err(|error| Error::NotJson(error.to_string()))
}

/// Whom the policy is asked about, and what it sees. The complaints are those of authentik.
async fn read(state: &State, body: &Value) -> Result<(Versioned<User>, Context), Error> {
    let Value::Object(body) = body else {
        let text = format!(
            "Invalid data. Expected a dictionary, but got {}.",
            kind(body)
        );
        return Err(Error::Fields(BTreeMap::from([("non_field_errors", text)])));
    };
    let mut wrong = BTreeMap::new();
    let user = match user(state, body.get("user")).await? {
        Ok(user) => Some(user),
        Err(text) => {
            wrong.insert("user", text);
            None
        }
    };
    let context = match body.get("context") {
        None => Map::new(),
        Some(Value::Object(context)) => context.clone(),
        Some(Value::Null) => {
            wrong.insert("context", NULL.to_owned());
            Map::new()
        }
        Some(_) => {
            let text = "Value must be a dictionary, and not have any duplicate keys.";
            wrong.insert("context", text.to_owned());
            Map::new()
        }
    };
    match user {
        Some(user) if wrong.is_empty() => Ok((user, Context::of_json(context))),
        _ => Err(Error::Fields(wrong)),
    }
}

const NULL: &str = "This field may not be null.";

/// The user with this number. The inner error is a complaint.
async fn user(
    state: &State,
    given: Option<&Value>,
) -> Result<Result<Versioned<User>, String>, Error> {
    let pk = match given {
        None => return Ok(Err("This field is required.".to_owned())),
        Some(Value::Null) => return Ok(Err(NULL.to_owned())),
        Some(Value::Number(number)) => number.as_i64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(_) => None,
    };
    let Some(pk) = pk else {
        let kind = given.map_or("str", kind);
        let text = format!("Incorrect type. Expected pk value, received {kind}.");
        return Ok(Err(text));
    };
    let found = user_by_pk(&*state.journal, pk).await?;
    Ok(found.ok_or_else(|| format!("Invalid pk \"{pk}\" - object does not exist.")))
}

/// What Python calls it.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}
