//! `/flows/inspector/<slug>/`: which stages an execution has passed and has before it, and what it
//! knows, read from its trail.
//!
//! Source: authentik `flows/views/inspector.py`. Passwords and other secrets, which are shown there,
//! are not even in the trail.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::call::Call;
use super::executions::masks;
use super::flows::shown_binding;
use super::operation::{Answered, Content, Method, Operation};
use super::schema::uuid;
use crate::blueprint::edit::{Miss, Object, Staged, ask};
use crate::catalog::{Flow, FlowStageBinding, Stage, flow_by_slug};
use crate::directory::{Group, User};
use crate::flow::context::{self, Context, key};
use crate::flow::plan::PlannedStage;
use crate::http::{Error, State};
use crate::journal::object::{self, Stored as _, Versioned};
use crate::replay::mask::{MASK, masked};
use crate::replay::{self, Inspection, Moment};
use crate::stage::Kind;

/// The permission to see executions of a flow that are not one's own.
pub(super) const PERMISSION: &str = "authentik_flows.inspect_flow";

/// The operation.
pub(super) fn operations() -> Vec<Operation> {
    let path = "/flows/inspector/{flow_slug}/";
    vec![
        Operation::new(Method::Get, path, "flows_inspector_get", inspect)
            .asks("execution", uuid())
            .answers(200, Content::One("FlowInspection".to_owned())),
    ]
}

/// `GET /flows/inspector/<slug>/?execution=`: the execution of this flow that the caller's browser
/// is at or has just ended; with `execution`, that one.
async fn inspect(call: Call) -> Answered {
    let state = &call.state;
    let journal = &*state.journal;
    let slug = call.path("flow_slug");
    let flow: Versioned<Flow> = flow_by_slug(journal, slug).await?.ok_or(Error::NO_FLOW)?;
    let caller = call.caller()?;
    let listing = call.listing();
    let named = listing.filter("execution").map(str::parse::<Uuid>);
    let id = match (named, caller.session) {
        (Some(id), _) => Some(id.map_err(|_| Error::NO_FLOW)?),
        (None, Some(session)) => state.executions.latest_in(session, slug).await?,
        (None, None) => None,
    };
    let Some(id) = id else {
        let said = json!({ "detail": "No flow plan in session." });
        return Ok(HttpResponse::BadRequest().json(said));
    };
    let found = match replay::entries(journal, id).await {
        Ok(entries) => replay::inspect(&entries).map(|it| (it, masks(&call, &entries))),
        Err(replay::Error::Journal(error)) => return Err(error.into()),
        Err(_) => None,
    };
    let may_any = caller.granted.may_of(PERMISSION, flow.value.pk.to_string());
    let user = caller.user.value.uuid;
    let found =
        found.filter(|(it, _)| it.slug == slug && (may_any || is_own(it, caller.session, user)));
    let (found, bearers) = found.ok_or(Error::NO_FLOW)?;
    // What opens something for whoever knows it is for its owner alone, not for who may inspect.
    let shown = bearers.masked(shown(state, &found).await?);
    Ok(HttpResponse::Ok().json(shown))
}

/// Whether an execution is the caller's alone: it is in their browser, and nobody else is identified
/// in it. Whether there is somebody of a name that was typed is not told.
fn is_own(found: &Inspection, session: Option<Uuid>, user: Uuid) -> bool {
    let own = |context: &Context| match context.get(key::PENDING_USER) {
        None => true,
        Some(context::Value::User(pending)) => *pending == user,
        Some(_) => false,
    };
    let mut all = found.passed.iter().chain(&found.at).map(|it| &it.context);
    session == Some(found.session) && own(&found.context) && all.all(own)
}

async fn shown(state: &State, found: &Inspection) -> Result<Value, Error> {
    let session = Sha256::digest(found.session.as_bytes());
    let session = base16ct::lower::encode_string(&session);
    let mut plans = Vec::new();
    for moment in &found.passed {
        plans.push(plan(state, moment, &session).await?);
    }
    let current = match &found.at {
        Some(moment) => Some(plan(state, moment, &session).await?),
        None => plans.last().cloned(),
    };
    let mut shown = json!({ "plans": plans, "is_completed": found.is_over });
    if let Some(current) = current {
        shown["current_plan"] = current;
    }
    Ok(shown)
}

async fn plan(state: &State, moment: &Moment, session: &str) -> Result<Value, Error> {
    let next = match &moment.next {
        Some(next) => binding(state, next).await?,
        None => json!({
            "target": null,
            "stage": null,
            "evaluate_on_plan": false,
            "re_evaluate_policies": false,
            "order": null,
            "policy_engine_mode": null,
            "invalid_response_action": null,
        }),
    };
    Ok(json!({
        "current_stage": binding(state, &moment.current).await?,
        "next_planned_stage": next,
        "plan_context": context(state, &moment.context).await?,
        "session_id": session,
    }))
}

/// A stage as its binding is shown; one that a policy made up, or whose binding is gone, by what the
/// plan says.
async fn binding(state: &State, planned: &PlannedStage) -> Result<Value, Error> {
    let mut staged = Staged::default();
    let look = |staged: &Staged| -> Result<Option<Value>, Miss> {
        let found = staged.get(FlowStageBinding::KIND, planned.binding.id)?;
        let Some(Object::Binding(found)) = found else {
            return Ok(None);
        };
        match staged.get(Stage::KIND, found.stage)? {
            Some(_) => Ok(Some(json!(shown_binding(found, staged)?))),
            None => Ok(None),
        }
    };
    let found = ask(&mut staged, &*state.journal, look).await?;
    Ok(found.unwrap_or_else(|| {
        let kind = Kind::from_name(&planned.kind);
        let title = kind.map_or_else(|| planned.kind.clone(), |it| it.title().to_owned());
        json!({
            "pk": planned.binding.id,
            "policybindingmodel_ptr_id": planned.binding.id,
            "target": Uuid::nil(),
            "stage": planned.stage.id,
            "stage_obj": {
                "pk": planned.stage.id,
                "name": planned.name,
                "component": "",
                "verbose_name": title,
                "verbose_name_plural": title,
                "meta_model_name": kind.map_or("", Kind::model),
                "flow_set": [],
            },
            "evaluate_on_plan": false,
            "re_evaluate_policies": planned.re_evaluate,
            "order": 0,
            "policy_engine_mode": "any",
            "invalid_response_action": planned.on_invalid,
        })
    }))
}

/// What is known, without secrets, and with users and groups as people know them.
async fn context(state: &State, known: &Context) -> Result<Value, Error> {
    let mut shown = Map::new();
    for (name, value) in known.iter() {
        shown.insert(name.to_owned(), masked(name, value_of(state, value).await?));
    }
    Ok(shown.into())
}

async fn value_of(state: &State, value: &context::Value) -> Result<Value, Error> {
    use context::Value as Known;
    let journal = &*state.journal;
    Ok(match value {
        Known::Json(json) => json.clone(),
        Known::Secret(_) => MASK.into(),
        Known::Stranger { identifier } => json!({ "username": identifier, "is_anonymous": true }),
        Known::Object { class, id } => json!({ "model_name": class.to_lowercase(), "name": id }),
        Known::User(id) => match object::get::<User>(journal, *id).await? {
            Some(user) => json!({
                "pk": user.value.pk,
                "username": user.value.username,
                "email": user.value.email,
            }),
            None => Value::Null,
        },
        Known::Group(id) => match object::get::<Group>(journal, *id).await? {
            Some(group) => json!({
                "app": "authentik_core",
                "model_name": "group",
                "name": group.value.name,
                "pk": group.value.pk.simple().to_string(),
            }),
            None => Value::Null,
        },
        Known::List(items) => {
            let mut shown = Vec::new();
            for item in items {
                shown.push(Box::pin(value_of(state, item)).await?);
            }
            shown.into()
        }
        Known::Map(entries) => {
            let mut shown = BTreeMap::new();
            for (name, value) in entries {
                shown.insert(name.clone(), Box::pin(value_of(state, value)).await?);
            }
            json!(shown)
        }
    })
}
