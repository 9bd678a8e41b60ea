//! What can be done with a flow beside changing it: export, draw and execute it. Plans are not kept
//! for others here, so there is no cache to look at or to clear.
//!
//! Source: authentik `flows/api/flows.py`.

use actix_web::HttpResponse;
use actix_web::http::header;
use serde_json::json;
use uuid::Uuid;

use super::call::Call;
use super::flows::FLOWS;
use super::operation::{Access, Answered, Content, Method, Operation};
use super::resource::found;
use super::schema::Components;
use crate::blueprint;
use crate::blueprint::edit::{Object, Staged};
use crate::catalog::diagram::{Condition, Step};
use crate::catalog::{Flow, Policy, Stage, bindings_of, conditions_of, diagram};
use crate::directory::permission::Granted;
use crate::execution::{Presence, Request};
use crate::flow::Context;
use crate::flow::context::{Value as Known, key};
use crate::http::session::{Visitor, set_cookies};
use crate::http::{Error, csrf};
use crate::journal::Journal;
use crate::journal::object::{self, Versioned};
use crate::{policy, stage};

/// What whoever exports a flow has to be allowed to see, all of it.
const SEEN: [&str; 6] = [
    "authentik_flows.view_flow",
    "authentik_flows.view_flowstagebinding",
    "authentik_flows.view_stage",
    "authentik_policies.view_policy",
    "authentik_policies.view_policybinding",
    "authentik_stages_prompt.view_prompt",
];

/// The operations.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            Method::Get,
            "/flows/instances/{slug}/export/",
            "flows_instances_export_retrieve",
            export,
        )
        .answers(200, Content::Media("application/octet-stream")),
        Operation::new(
            Method::Get,
            "/flows/instances/{slug}/diagram/",
            "flows_instances_diagram_retrieve",
            draw,
        )
        .answers(200, Content::One("FlowDiagram".to_owned())),
        Operation::new(
            Method::Get,
            "/flows/instances/{slug}/execute/",
            "flows_instances_execute_retrieve",
            execute,
        )
        .answers(200, Content::One("Link".to_owned())),
        Operation::new(
            Method::Get,
            "/flows/instances/cache_info/",
            "flows_instances_cache_info_retrieve",
            async |_| Ok(HttpResponse::Ok().json(json!({ "count": 0 }))),
        )
        .access(Access::Permitted("authentik_flows.view_flow_cache"))
        .answers(200, Content::One("Cache".to_owned())),
        Operation::new(
            Method::Post,
            "/flows/instances/cache_clear/",
            "flows_instances_cache_clear_create",
            async |_| Ok(HttpResponse::NoContent().finish()),
        )
        .access(Access::Permitted("authentik_flows.clear_flow_cache"))
        .answers(204, Content::Nothing),
    ]
}

/// Their schemas.
pub(super) fn describe(components: &mut Components) {
    let one = |name: &str, schema| json!({ "type": "object", "properties": { name: schema }, "required": [name] });
    components.put(
        "FlowDiagram",
        one("diagram", json!({ "type": "string", "readOnly": true })),
    );
    components.put("Link", one("link", json!({ "type": "string" })));
    components.put(
        "Cache",
        one("count", json!({ "type": "integer", "readOnly": true })),
    );
}

/// The flow that the path names, which the caller may see.
async fn flow(call: &Call) -> Result<Flow, Error> {
    match found(&FLOWS, call, &mut Staged::default()).await? {
        Object::Flow(flow) => Ok(flow),
        _ => Err(Error::NO_FLOW),
    }
}

/// Whether all flows may be exported.
pub(super) fn may_export_all(granted: &Granted) -> bool {
    granted.may("authentik_flows.export_flow") && SEEN.iter().all(|it| granted.may(it))
}

/// `GET /flows/instances/{slug}/export/`: the flow as a blueprint.
async fn export(call: Call) -> Answered {
    let flow = flow(&call).await?;
    let granted = &call.caller()?.granted;
    let may = granted.may_of("authentik_flows.export_flow", flow.pk.to_string());
    if !may || !SEEN.iter().all(|permission| granted.may(permission)) {
        return Err(Error::NotPermitted);
    }
    let slug = flow.slug.clone();
    let name = format!("Gatelog Export - {}", call.state.clock.now());
    let exported = blueprint::export(&*call.state.journal, vec![flow], &name).await?;
    // A slug has no letter that would have to be escaped.
    let attachment = format!("attachment; filename=\"{slug}.yaml\"");
    Ok(HttpResponse::Ok()
        .content_type("application/octet-stream")
        .insert_header((header::CONTENT_DISPOSITION, attachment))
        .body(exported.yaml))
}

/// `GET /flows/instances/{slug}/diagram/`: as far as the caller may see what is bound to it.
async fn draw(call: Call) -> Answered {
    let flow = flow(&call).await?;
    let (journal, granted) = (&*call.state.journal, &call.caller()?.granted);
    let conditions = conditions(journal, granted, flow.pbm).await?;
    let mut steps = Vec::new();
    for binding in bindings_of(journal, flow.pk).await? {
        let binding = binding.value;
        let permission = "authentik_flows.view_flowstagebinding";
        if !granted.may_of(permission, binding.pk.to_string()) {
            continue;
        }
        let stage: Option<Versioned<Stage>> = object::get(journal, binding.stage).await?;
        let Some(Versioned { value: stage, .. }) = stage else {
            continue;
        };
        let title = stage::Kind::from_name(&stage.kind).map_or("Stage", stage::Kind::title);
        steps.push(Step {
            title: title.to_owned(),
            name: stage.name,
            conditions: self::conditions(journal, granted, binding.pbm).await?,
        });
    }
    let chart = diagram(&flow, &conditions, &steps);
    Ok(HttpResponse::Ok().json(json!({ "diagram": chart })))
}

/// The policies that are bound to this, as far as they may be seen.
async fn conditions(
    journal: &dyn Journal,
    granted: &Granted,
    target: Uuid,
) -> Result<Vec<Condition>, Error> {
    let mut shown = Vec::new();
    for condition in conditions_of(journal, target).await? {
        let condition = condition.value;
        let permission = "authentik_policies.view_policybinding";
        let Some(policy) = condition.policy else {
            continue;
        };
        if !granted.may_of(permission, condition.pk.to_string()) {
            continue;
        }
        let policy: Option<Versioned<Policy>> = object::get(journal, policy).await?;
        if let Some(Versioned { value: policy, .. }) = policy {
            let title = policy::Kind::from_name(&policy.kind).map_or("Policy", policy::Kind::title);
            shown.push(Condition {
                order: condition.order,
                title: title.to_owned(),
                name: policy.name,
            });
        }
    }
    Ok(shown)
}

/// `GET /flows/instances/{slug}/execute/`: begins the flow for the caller, in the browser's session
/// or, for the bearer of a token, in one of its own, and says where it goes on.
async fn execute(call: Call) -> Answered {
    let flow = flow(&call).await?;
    let caller = call.caller()?;
    // It acts, although it is a `GET`: another site must not have a browser do so.
    if caller.token.is_none() {
        csrf::check_origin_of_read(&call.request)?;
    }
    let (state, arrival) = (&call.state, call.arrival);
    let visitor = match caller.token {
        Some(_) => Visitor::unknown(state, &call.request),
        None => Visitor::of(state, &call.request, arrival.id).await?,
    };
    let mut context = Context::default();
    let user = caller.user.value.uuid;
    context.set(key::PENDING_USER, Some(Known::User(user)));
    let question = Request {
        session: visitor.session_id(),
        sid: visitor.sid.clone(),
        slug: flow.slug.to_string(),
        query: String::new(),
        client: visitor.client.clone(),
        challenge: None,
        presence: Presence::default(),
        received: arrival.at,
        correlation: arrival.id,
        trace: arrival.trace,
    };
    let begun = state.executions.begin_anew(question, context).await?;
    let Some(reply) = begun else {
        let text = "Flow not applicable to current user/request";
        let all = "non_field_errors".to_owned();
        return Err(Error::Invalid(vec![(all, text.to_owned())]));
    };
    let origin = state.executions.public_url().map(str::to_owned);
    let origin = origin.unwrap_or_else(|| visitor.client.origin());
    let origin = origin.trim_end_matches('/');
    let link = format!("{origin}/if/flow/{}/", flow.slug);
    let mut answer = HttpResponse::Ok().json(json!({ "link": link }));
    set_cookies(state, &visitor, &reply, &mut answer).await?;
    Ok(answer)
}
