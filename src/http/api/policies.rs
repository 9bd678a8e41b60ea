//! `/policies/all/<uuid>/test/`: what a policy says of a user.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::body;
use super::call::Call;
use super::operation::{Answered, Content, Method, Operation};
use super::schema::uuid;
use crate::catalog::Policy;
use crate::directory::{User, user_by_pk};
use crate::flow::Context;
use crate::flow::query::Query;
use crate::http::{Error, State};
use crate::journal::object::{self, Versioned};

/// The operation.
pub(super) fn operations() -> Vec<Operation> {
    let path = "/policies/all/{policy_uuid}/test/";
    vec![
        Operation::new(Method::Post, path, "policies_all_test_create", test)
            .key("policy_uuid", &uuid())
            .takes(Content::One("PolicyTestRequest".to_owned()))
            .answers(200, Content::One("PolicyTestResult".to_owned())),
    ]
}

/// `POST /policies/all/<uuid>/test/`, for superusers. Nothing of the evaluation takes effect.
async fn test(mut call: Call) -> Answered {
    call.superuser()?;
    let id: Uuid = call
        .path("policy_uuid")
        .parse()
        .map_err(|_| Error::NO_POLICY)?;
    let body = call.json().await?;
    let (state, caller) = (&call.state, call.caller()?);
    let journal = &*state.journal;
    let policy: Option<Versioned<Policy>> = object::get(journal, id).await?;
    let policy = policy.ok_or(Error::NO_POLICY)?;
    let (user, context) = read(state, &body).await?;
    let query = Query::parse(call.request.query_string());
    let asker = call.asker(&query, caller.user.clone())?;
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
