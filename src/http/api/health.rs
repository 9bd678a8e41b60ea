//! `/gatelog/health/`: how the server is, for whoever looks after it.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use serde_json::{Value, json};

use super::call::Call;
use super::operation::{Access, Answered, Content, Method, Operation};
use super::schema::Components;
use super::schema::shape::{Member, Of, has, object};
use crate::catalog::{BlueprintInstance, BlueprintStatus};
use crate::http::health::is_writable;
use crate::http::{Error, State};
use crate::journal::cursor;
use crate::journal::object::{self, Versioned};
use crate::{audit, feed};

/// How many mails are counted, and of how many the problem is told.
const MAILS: usize = 1_000;
const PROBLEMS: usize = 20;

const OBJECTS: &[(&str, &[Member])] = &[
    (
        "Health",
        &[
            has("version", Of::Text),
            has("now", Of::Format("date-time")),
            has("started", Of::OrNull(&Of::Format("date-time"))),
            has("journal", Of::To("HealthJournal")),
            has("executions", Of::To("HealthExecutions")),
            has("outbox", Of::OrNull(&Of::To("HealthOutbox"))),
            has("workers", Of::OrNull(&Of::To("HealthWorkers"))),
            has("readers", Of::List(&Of::To("HealthReader"))),
            has("blueprints", Of::To("HealthBlueprints")),
        ],
    ),
    (
        "HealthJournal",
        &[
            has("position", Of::Number),
            has("writable", Of::Flag),
            has("free", Of::OrNull(&Of::Number)),
            has("bytes", Of::OrNull(&Of::Number)),
            has("log_bytes", Of::OrNull(&Of::Number)),
            has("segments", Of::OrNull(&Of::Number)),
            has("key_since", Of::OrNull(&Of::Format("date-time"))),
            has("signing", Of::OrNull(&Of::To("HealthSigning"))),
        ],
    ),
    (
        "HealthSigning",
        &[
            has("size", Of::Number),
            has("problem", Of::OrNull(&Of::Text)),
            has("elsewhere", Of::OrNull(&Of::Text)),
            has("url", Of::OrNull(&Of::Text)),
        ],
    ),
    (
        "HealthCounted",
        &[has("count", Of::Number), has("more", Of::Flag)],
    ),
    (
        "HealthExecutions",
        &[
            has("awake", Of::Number),
            has("unfinished", Of::To("HealthCounted")),
            has("timers", Of::To("HealthCounted")),
            has("next_timer", Of::OrNull(&Of::Format("date-time"))),
        ],
    ),
    (
        "HealthOutbox",
        &[
            has("waiting", Of::Number),
            has("failing", Of::Number),
            has("more", Of::Flag),
            has("problems", Of::List(&Of::To("HealthMail"))),
        ],
    ),
    (
        "HealthMail",
        &[
            has("mail", Of::Format("uuid")),
            has("execution", Of::OrNull(&Of::Format("uuid"))),
            has("attempts", Of::Number),
            has("due", Of::Format("date-time")),
            has("state", Of::Text),
            has("problem", Of::OrNull(&Of::Text)),
        ],
    ),
    (
        "HealthWorkers",
        &[
            has("count", Of::Number),
            has("idle", Of::Number),
            has("waiting", Of::Number),
            has("problems", Of::List(&Of::Text)),
        ],
    ),
    (
        "HealthReader",
        &[
            has("name", Of::Text),
            has("after", Of::Number),
            has("behind", Of::Number),
        ],
    ),
    (
        "HealthBlueprints",
        &[
            has("files", Of::Number),
            has("by_status", Of::Each(&Of::Number)),
            has("problems", Of::List(&Of::To("HealthBlueprint"))),
        ],
    ),
    (
        "HealthBlueprint",
        &[
            has("pk", Of::Format("uuid")),
            has("name", Of::Text),
            has("status", Of::To("BlueprintInstanceStatusEnum")),
            has("problems", Of::List(&Of::Text)),
        ],
    ),
];

/// The operation.
pub(super) fn operations() -> Vec<Operation> {
    let path = "/gatelog/health/";
    vec![
        Operation::new(Method::Get, path, "gatelog_health_retrieve", retrieve)
            .access(Access::Permitted("authentik_rbac.view_system_info"))
            .answers(200, Content::One("Health".to_owned())),
    ]
}

/// Its schemas.
pub(super) fn describe(components: &mut Components) {
    for (name, members) in OBJECTS {
        components.put(name, object(members.iter().copied()));
    }
}

async fn retrieve(call: Call) -> Answered {
    let state = &call.state;
    let executions = state.executions.vitals().await?;
    Ok(HttpResponse::Ok().json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "now": state.clock.now(),
        "started": state.machine.as_ref().map(|it| it.started),
        "journal": journal(state).await,
        "executions": executions,
        "outbox": outbox(state).await?,
        "workers": state.workers.as_ref().map(crate::expression::Workers::vitals),
        "readers": readers(state).await?,
        "blueprints": blueprints(state).await?,
    })))
}

async fn journal(state: &State) -> Value {
    let mut shown = match &state.machine {
        Some(machine) => machine.disk().await,
        None => Value::Null,
    };
    for name in [
        "free",
        "bytes",
        "log_bytes",
        "segments",
        "key_since",
        "signing",
    ] {
        if shown.get(name).is_none() {
            shown[name] = Value::Null;
        }
    }
    shown["position"] = json!(state.journal.last());
    shown["writable"] = is_writable(state).await.into();
    shown
}

/// What waits to be sent, and what is wrong with it.
async fn outbox(state: &State) -> Result<Value, Error> {
    let Some(machine) = &state.machine else {
        return Ok(Value::Null);
    };
    let mails = machine.courier.first_waiting(MAILS).await?;
    let failing: Vec<_> = mails
        .iter()
        .filter(|it| it.problem.is_some() || it.attempts > 0)
        .collect();
    Ok(json!({
        "waiting": mails.len(),
        "failing": failing.len(),
        "more": mails.len() >= MAILS,
        "problems": failing.iter().take(PROBLEMS).collect::<Vec<_>>(),
    }))
}

/// How far those have come who follow the journal, as far as they have noted it there.
async fn readers(state: &State) -> Result<Value, Error> {
    let journal = &*state.journal;
    let last = journal.last();
    let mut shown = Vec::new();
    for name in [audit::READER].iter().chain(&feed::READERS) {
        if let Some(cursor) = cursor::load(journal, name).await? {
            let after = cursor.value.after;
            shown.push(json!({
                "name": name,
                "after": after,
                "behind": last.0.saturating_sub(after.0),
            }));
        }
    }
    Ok(shown.into())
}

/// What came of the files in the watched folder, and of what is kept here.
async fn blueprints(state: &State) -> Result<Value, Error> {
    let all: Vec<Versioned<BlueprintInstance>> = object::all(&*state.journal).await?;
    let mut by_status: BTreeMap<&str, usize> = BTreeMap::new();
    let mut problems = Vec::new();
    for instance in all.iter().map(|it| &it.value) {
        *by_status.entry(instance.status.as_str()).or_default() += 1;
        let is_wrong = matches!(
            instance.status,
            BlueprintStatus::Error | BlueprintStatus::Warning | BlueprintStatus::Orphaned
        );
        if is_wrong {
            problems.push(json!({
                "pk": instance.pk,
                "name": instance.name,
                "status": instance.status.as_str(),
                "problems": instance.problems,
            }));
        }
    }
    Ok(json!({
        "files": state.library.all().len(),
        "by_status": by_status,
        "problems": problems,
    }))
}
