//! Policies, for the operator: which there are, and what one says of somebody.

use std::net::IpAddr;

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, Operator, Refusal};
use crate::catalog::{self, conditions_with, policy_by_name};
use crate::directory::user_by_username;
use crate::flow::Context;
use crate::flow::client::Client;
use crate::flow::query::Query;
use crate::journal::object::{self, Versioned};
use crate::policy::Asker;

/// What is tried out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Test {
    policy: String,
    /// The name of the user that it is asked about; nobody without one.
    user: Option<String>,
    #[serde(default)]
    context: Map<String, Value>,
    /// Where the request comes from that it is asked on account of; there is none without it.
    address: Option<IpAddr>,
    /// The host that the request asks for.
    host: Option<String>,
}

/// `GET /operator/policies`
pub(super) async fn list(operator: Data<Operator>) -> Answer {
    let journal = &*operator.journal;
    let mut policies: Vec<Versioned<catalog::Policy>> = object::all(journal).await?;
    policies.sort_by(|one, other| one.value.name.cmp(&other.value.name));
    let mut shown = Vec::new();
    for Versioned { version, value } in policies {
        shown.push(json!({
            "pk": value.pk,
            "name": value.name,
            "kind": value.kind,
            "version": version,
            "execution_logging": value.execution_logging,
            "bindings": conditions_with(journal, value.pk).await?.len(),
        }));
    }
    Ok(HttpResponse::Ok().json(json!({ "policies": shown })))
}

/// `POST /operator/policies/test`: nothing of it takes effect.
pub(super) async fn test(operator: Data<Operator>, body: Json<Test>) -> Answer {
    let Test {
        policy: name,
        user: username,
        context,
        address,
        host,
    } = body.into_inner();
    let journal = &*operator.journal;
    let policy = policy_by_name(journal, &name).await?;
    let policy = policy.ok_or_else(|| Refusal::NotFound(format!("there is no policy {name:?}")))?;
    let user = match &username {
        Some(name) => {
            let user = user_by_username(journal, name).await?;
            let missing = || Refusal::NotFound(format!("there is no user {name:?}"));
            Some(user.ok_or_else(missing)?)
        }
        None => None,
    };
    let address = address.map(|it| it.to_canonical());
    let mut entries = match address {
        Some(address) => operator.executions.brought_from(address)?,
        None => Map::new(),
    };
    // What is given counts, also where the databases say something else.
    entries.extend(context);
    let context = Context::of_json(entries);
    let client = address.map(|address| Client {
        address,
        user_agent: String::new(),
        host: host.unwrap_or_else(|| "localhost".to_owned()),
        secure: true,
        language: None,
        outpost: None,
        device: None,
        mfa: None,
    });
    let query = Query::default();
    let asker = client.as_ref().map(|client| Asker {
        client,
        query: &query,
        path: "/".to_owned(),
        is_answer: false,
        user: user.clone(),
    });
    let tested = operator
        .executions
        .test_policy(&policy, user, context, asker)
        .await?;
    let failed = tested.failed.as_ref();
    Ok(HttpResponse::Ok().json(json!({
        "policy": name,
        "kind": policy.value.kind,
        "version": policy.version,
        "user": username,
        "passing": tested.judged.passing,
        "messages": tested.judged.messages,
        "log": tested.judged.log,
        "error": failed.map(|failed| failed.named().0),
        "traceback": failed.and_then(|failed| failed.traceback.as_ref()),
    })))
}
