//! `/policies/all/<uuid>/test/`: what a policy says of a user.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{body, caller};
use crate::catalog::Policy;
use crate::directory::{User, user_by_pk};
use crate::flow::Context;
use crate::flow::query::Query;
use crate::http::request::Arrival;
use crate::http::{Error, State};
use crate::journal::object::{self, Versioned};
use crate::policy::Asker;

/// `POST /policies/all/<uuid>/test/`, for superusers. Nothing of the evaluation takes effect.
pub(super) async fn test(
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    state: web::Data<State>,
    arrival: Arrival,
) -> Result<HttpResponse, Error> {
    let caller = caller::acting_superuser(&state, &request, arrival).await?;
    let journal = &*state.journal;
    let id: Uuid = id.parse().map_err(|_| Error::NO_POLICY)?;
    let policy: Option<Versioned<Policy>> = object::get(journal, id).await?;
    let policy = policy.ok_or(Error::NO_POLICY)?;
    let (user, context) = read(&state, &body::read(&request, payload).await?).await?;
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

/// Whom the policy is asked about, and what it sees. The complaints are those of authentik.
async fn read(state: &State, body: &Value) -> Result<(Versioned<User>, Context), Error> {
    let body = body::fields(body)?;
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
            wrong.insert("context", body::NULL.to_owned());
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

/// The user with this number. The inner error is a complaint.
async fn user(
    state: &State,
    given: Option<&Value>,
) -> Result<Result<Versioned<User>, String>, Error> {
    let pk = match body::pk(given) {
        Ok(pk) => pk,
        Err(complaint) => return Ok(Err(complaint)),
    };
    let found = user_by_pk(&*state.journal, pk).await?;
    Ok(found.ok_or_else(|| body::no_such(pk)))
}
