//! `/gatelog/replay/what-if/`: how recorded executions would go if a blueprint were applied. authentik
//! has none of it.

use std::sync::Arc;

use actix_web::HttpResponse;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::body::wrong;
use super::super::call::Call;
use super::super::inspector::PERMISSION;
use super::super::operation::{Access, Answered, Content, Method, Operation};
use super::super::schema::Components;
use super::super::schema::shape::{Member, Of, has, may, object};
use super::drafted::{self, Drafted};
use crate::blueprint::Report;
use crate::expression::Workers;
use crate::http::{Error, State};
use crate::replay::many;
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
            has("damaged", Of::Number),
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
    let drafted = drafted::draft(&call, &fields).await?;
    fields.retain(|name, value| name != "content" && name != "name" && !value.is_null());
    let asked: Asked = serde_json::from_value(Value::Object(fields))
        .map_err(|error| Error::Invalid(vec![("non_field_errors".into(), error.to_string())]))?;
    if asked.executions.len() > MOST {
        let complaint = format!("Ensure this field has no more than {MOST} elements.");
        return Err(wrong("executions", &complaint));
    }
    let (problems, report, table) = match drafted {
        Drafted::Would(report, writes) => {
            let changes = Changes::new(writes, call.state.clock.now());
            let work = counted(&call.state, changes, asked);
            let table = call.in_turn(&call.state.scans.suppositions, work).await?;
            (Vec::new(), report, Some(table))
        }
        Drafted::Wrong(problems) => (problems, Report::default(), None),
        Drafted::Untrusted(refusal) => return Ok(refusal),
    };
    Ok(HttpResponse::Ok().json(json!({
        "problems": problems,
        "notes": drafted::notes(&report),
        "changes": report.changes,
        "table": table,
    })))
}

/// Half of the cores are left to those who log in meanwhile.
async fn counted(state: &State, changes: Changes, asked: Asked) -> Result<Table, Error> {
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
    let threads = many::threads(None).div_ceil(2);
    let table = what_if::many(&supposition, range, threads).await;
    table.map_err(|error| Error::Internal {
        cause: format!("executions could not be run again: {error}"),
    })
}
