//! `/gatelog/replay/what-if/`: how recorded executions would go if a blueprint were applied. authentik
//! has none of it.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;

use actix_web::HttpResponse;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::call::Call;
use super::super::inspector::PERMISSION;
use super::super::operation::{Access, Answered, Content, Method, Operation};
use super::super::schema::Components;
use super::super::schema::shape::{Member, Of, has, may, object};
use super::{import, refusal, trust};
use crate::blueprint::{self, Document, Options};
use crate::expression::Workers;
use crate::http::Error;
use crate::http::api::body::wrong;
use crate::replay::what_if::{self, Changes, Range, Table};

/// How many executions are run again for one answer where nobody says, and at most.
const USUAL: usize = 1_000;
const MOST: usize = 20_000;

const OBJECTS: &[(&str, &[Member])] = &[
    (
        "ExecutionWhatIfRequest",
        &[
            has("content", Of::Filled(0)),
            may("name", Of::Text),
            may("flow", Of::Text),
            may("since", Of::Format("date-time")),
            may("until", Of::Format("date-time")),
            may("limit", Of::Number),
            may("executions", Of::List(&Of::Format("uuid"))),
        ],
    ),
    (
        "ExecutionWhatIf",
        &[
            has("problems", Of::List(&Of::Text)),
            has("notes", Of::List(&Of::Text)),
            has("changes", Of::List(&Of::To("BlueprintChange"))),
            has("table", Of::OrNull(&Of::To("ExecutionWhatIfTable"))),
        ],
    ),
    (
        "ExecutionWhatIfTable",
        &[
            has("executions", Of::Number),
            has("changed", Of::Number),
            has("unknown", Of::Number),
            has("reconstructed", Of::Number),
            has("unreadable", Of::Number),
            has("more", Of::Flag),
            has("rows", Of::List(&Of::To("ExecutionWhatIfRow"))),
        ],
    ),
    (
        "ExecutionWhatIfRow",
        &[
            has("was", Of::Text),
            has("now", Of::Text),
            has("why", Of::OrNull(&Of::Text)),
            has("count", Of::Number),
            has("examples", Of::List(&Of::To("ExecutionWhatIfExample"))),
        ],
    ),
    (
        "ExecutionWhatIfExample",
        &[
            has("execution", Of::Format("uuid")),
            has("code", Of::Text),
            has("started", Of::Format("date-time")),
        ],
    ),
];

/// The operation.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            Method::Post,
            "/gatelog/replay/what-if/",
            "gatelog_replay_what_if_create",
            suppose,
        )
        .access(Access::Permitted(
            "authentik_blueprints.add_blueprintinstance",
        ))
        .takes(Content::One("ExecutionWhatIfRequest".to_owned()))
        .answers(200, Content::One("ExecutionWhatIf".to_owned())),
    ]
}

/// Its schemas.
pub(super) fn describe(components: &mut Components) {
    for (name, members) in OBJECTS {
        components.put(name, object(members.iter().copied()));
    }
}

/// For which executions something is supposed.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    flow: Option<String>,
    since: Option<jiff::Timestamp>,
    until: Option<jiff::Timestamp>,
    limit: Option<usize>,
    executions: Vec<Uuid>,
}

/// `POST /gatelog/replay/what-if/`. It needs the rights to apply the blueprint, and to inspect the
/// executions of all flows.
async fn suppose(mut call: Call) -> Answered {
    if !call.caller()?.granted.may(PERMISSION) {
        return Err(Error::NotPermitted);
    }
    let mut fields = call.fields().await?;
    let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
    let content = text("content").filter(|it| !it.trim().is_empty());
    let content = content.ok_or_else(|| wrong("content", "This field may not be blank."))?;
    let name = text("name").unwrap_or_else(|| "blueprint".to_owned());
    fields.retain(|name, value| name != "content" && name != "name" && !value.is_null());
    let asked: Asked = serde_json::from_value(Value::Object(fields.clone()))
        .map_err(|error| Error::Invalid(vec![("non_field_errors".into(), error.to_string())]))?;
    let document = match Document::read(&content, &name) {
        Ok(document) => document,
        Err(problems) => return Ok(complained(&problems)),
    };
    if let Err(untrusted) = trust::check(&call.caller()?.granted, &document) {
        return Ok(refusal(&untrusted));
    }
    let author = call.author()?;
    let edit = call.edit(&author, call.arrival.id);
    let options = Options {
        dry_run: true,
        ..import::options(&edit, &call)?
    };
    let state = &call.state;
    let drafted = blueprint::draft(&*state.journal, &state.clock, &[document], &options).await;
    let (report, writes) = match drafted {
        Ok(drafted) => drafted,
        Err(blueprint::Error::Invalid(problems)) => return Ok(complained(&problems)),
        Err(error) => return Err(import::failure(error)),
    };
    let changes = Changes::new(writes, state.clock.now());
    let table = run(&call, changes, asked).await?;
    let notes: Vec<_> = report.notes.iter().map(ToString::to_string).collect();
    Ok(HttpResponse::Ok().json(json!({
        "problems": [],
        "notes": notes,
        "changes": report.changes,
        "table": table,
    })))
}

/// Half of the cores are left to those who log in meanwhile.
async fn run(call: &Call, changes: Changes, asked: Asked) -> Result<Table, Error> {
    let state = &call.state;
    let workers = state.workers.as_ref().map(Workers::another).transpose();
    let workers = workers.map_err(|error| Error::Internal {
        cause: format!("nothing runs expressions: {error}"),
    })?;
    let supposition = what_if::suppose(Arc::clone(&state.journal), changes, workers);
    let range = Range {
        flow: asked.flow,
        since: asked.since,
        until: asked.until,
        executions: asked.executions,
        limit: asked.limit.unwrap_or(USUAL).clamp(1, MOST),
    };
    let cores = available_parallelism().map_or(1, NonZeroUsize::get);
    let table = what_if::many(&supposition, range, cores.div_ceil(2)).await;
    table.map_err(|error| Error::Internal {
        cause: format!("executions could not be run again: {error}"),
    })
}

fn complained(problems: &[blueprint::Problem]) -> HttpResponse {
    let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
    HttpResponse::Ok().json(json!({
        "problems": problems,
        "notes": [],
        "changes": [],
        "table": null,
    }))
}
