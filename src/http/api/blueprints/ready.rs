//! `/gatelog/blueprints/ready/` and `…/enable/`: the flows that come ready-made, and switching one on.

use actix_web::HttpResponse;
use serde_json::{Value, json};

use super::super::call::Call;
use super::super::operation::{Access, Answered, Content, Method, Operation};
use super::super::schema::shape::{Member, Of, has, object};
use super::super::schema::{Components, words};
use super::{import, refusal, trust};
use crate::blueprint::{self, Options, Ready};
use crate::http::Error;
use crate::http::api::body::wrong;
use crate::http::ready::needs;

const READY: &[Member] = &[
    has("name", Of::Text),
    has("title", Of::Text),
    has("flow", Of::Text),
    has("enabled", Of::Flag),
    has("needs", Of::List(&Of::Text)),
];

/// The operations.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            Method::Get,
            "/gatelog/blueprints/ready/",
            "gatelog_blueprints_ready_list",
            list,
        )
        .access(Access::Permitted(
            "authentik_blueprints.view_blueprintinstance",
        ))
        .answers(200, Content::List("ReadyFlow".to_owned())),
        Operation::new(
            Method::Post,
            "/gatelog/blueprints/enable/",
            "gatelog_blueprints_enable_create",
            enable,
        )
        .access(Access::Permitted(
            "authentik_blueprints.add_blueprintinstance",
        ))
        .takes(Content::One("ReadyFlowRequest".to_owned()))
        .answers(200, Content::One("ReadyFlow".to_owned())),
    ]
}

/// Their schemas.
pub(super) fn describe(components: &mut Components) {
    let names: Vec<&str> = Ready::ALL.iter().map(|it| it.as_str()).collect();
    components.put("ReadyFlow", object(READY.iter().copied()));
    components.put(
        "ReadyFlowRequest",
        json!({
            "type": "object",
            "properties": { "name": words(&names) },
            "required": ["name"],
        }),
    );
}

/// `GET /gatelog/blueprints/ready/`
async fn list(call: Call) -> Answered {
    let mut all = Vec::new();
    for ready in Ready::ALL {
        all.push(shown(&call, *ready).await?);
    }
    Ok(HttpResponse::Ok().json(all))
}

/// `POST /gatelog/blueprints/enable/`: as `gatelog blueprint enable`. It needs the rights to apply what
/// makes the flow and leads to it.
async fn enable(mut call: Call) -> Answered {
    let fields = call.fields().await?;
    let name = fields.get("name").and_then(Value::as_str);
    let name = name.ok_or_else(|| wrong("name", "This field is required."))?;
    let ready: Ready = name
        .parse()
        .map_err(|_| wrong("name", format!("\"{name}\" is not a valid choice.")))?;
    for document in ready.documents().map_err(import::failure)? {
        if let Err(untrusted) = trust::check(&call.caller()?.granted, &document) {
            return Ok(refusal(&untrusted));
        }
    }
    let author = call.author()?;
    let edit = call.edit(&author, call.arrival.id);
    let options: Options<'_> = import::options(&edit, &call)?;
    let state = &call.state;
    let enabled = blueprint::enable(&*state.journal, &state.clock, ready, &options).await;
    match enabled {
        Ok(_) => Ok(HttpResponse::Ok().json(shown(&call, ready).await?)),
        Err(blueprint::Error::Invalid(problems)) => {
            let problems = problems.iter();
            let told = problems.map(|it| ("name".to_owned(), it.to_string()));
            Err(Error::Invalid(told.collect()))
        }
        Err(error) => Err(import::failure(error)),
    }
}

async fn shown(call: &Call, ready: Ready) -> Result<Value, Error> {
    let state = &call.state;
    let flow = ready.flow(&*state.journal).await;
    let (flow, enabled) = flow.map_err(import::failure)?;
    let courier = state.machine.as_ref().map(|it| &it.courier);
    Ok(json!({
        "name": ready.as_str(),
        "title": ready.title(),
        "flow": flow,
        "enabled": enabled,
        "needs": needs(ready, courier, &state.executions),
    }))
}
