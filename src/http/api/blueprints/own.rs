//! `/gatelog/blueprints/`: what a blueprint would change, all flows as one, and what came of those that are
//! kept here. authentik has none of it.

use actix_web::HttpResponse;
use actix_web::http::header;
use serde_json::{Value, json};

use super::super::call::Call;
use super::super::flow_actions::may_export_all;
use super::super::operation::{Access, Answered, Content, Method, Operation};
use super::super::schema::Components;
use super::super::schema::shape::{Member, Of, has, may, object};
use super::{import, refusal, trust};
use crate::blueprint::{self, Changed, Document, Options, Report};
use crate::catalog::{Flow, instances};
use crate::directory::permission::Granted;
use crate::http::Error;
use crate::http::api::body::wrong;
use crate::journal::object::{self, Versioned};

const OBJECTS: &[(&str, &[Member])] = &[
    (
        "BlueprintDiffRequest",
        &[has("content", Of::Filled(0)), may("name", Of::Text)],
    ),
    (
        "BlueprintDiff",
        &[
            has("problems", Of::List(&Of::Text)),
            has("notes", Of::List(&Of::Text)),
            has("changes", Of::List(&Of::To("BlueprintChange"))),
        ],
    ),
    (
        "BlueprintChange",
        &[
            has("model", Of::Text),
            has("name", Of::Text),
            has("outcome", Of::Word(&["created", "updated", "deleted"])),
            has("fields", Of::List(&Of::Object)),
        ],
    ),
    (
        "BlueprintOutcome",
        &[
            has("pk", Of::Format("uuid")),
            has("name", Of::Text),
            has("problems", Of::List(&Of::Text)),
        ],
    ),
];

/// The operations.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            Method::Post,
            "/gatelog/blueprints/diff/",
            "gatelog_blueprints_diff_create",
            diff,
        )
        .access(Access::Permitted(
            "authentik_blueprints.add_blueprintinstance",
        ))
        .takes(Content::One("BlueprintDiffRequest".to_owned()))
        .answers(200, Content::One("BlueprintDiff".to_owned())),
        Operation::new(
            Method::Get,
            "/gatelog/blueprints/export/",
            "gatelog_blueprints_export_retrieve",
            export,
        )
        .answers(200, Content::Media("application/octet-stream")),
        Operation::new(
            Method::Get,
            "/gatelog/blueprints/outcomes/",
            "gatelog_blueprints_outcomes_list",
            outcomes,
        )
        .access(Access::Permitted(
            "authentik_blueprints.view_blueprintinstance",
        ))
        .answers(200, Content::List("BlueprintOutcome".to_owned())),
    ]
}

/// Their schemas.
pub(super) fn describe(components: &mut Components) {
    for (name, members) in OBJECTS {
        components.put(name, object(members.iter().copied()));
    }
}

/// `POST /gatelog/blueprints/diff/`: what applying a blueprint would change. It needs the rights to
/// apply it.
async fn diff(mut call: Call) -> Answered {
    let fields = call.fields().await?;
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let content = text("content").filter(|it| !it.trim().is_empty());
    let content = content.ok_or_else(|| wrong("content", "This field may not be blank."))?;
    let name = text("name").unwrap_or("blueprint");
    let document = match Document::read(content, name) {
        Ok(document) => document,
        Err(problems) => return Ok(told(&Report::default(), &problems)),
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
    let tried = blueprint::apply(&*state.journal, &state.clock, &[document], &options).await;
    match tried {
        Ok(mut report) => {
            hide(&mut report.changes, &call.caller()?.granted);
            Ok(told(&report, &[]))
        }
        Err(blueprint::Error::Invalid(problems)) => Ok(told(&Report::default(), &problems)),
        Err(error) => Err(import::failure(error)),
    }
}

/// Leaves out what was in objects that somebody may write but not look at.
fn hide(changes: &mut [Changed], granted: &Granted) {
    for change in changes {
        let sees = change.model.split_once('.');
        let sees = sees.is_some_and(|(app, noun)| granted.may(&format!("{app}.view_{noun}")));
        if !sees {
            for field in &mut change.fields {
                field.from = Value::Null;
            }
        }
    }
}

fn told(report: &Report, problems: &[blueprint::Problem]) -> HttpResponse {
    let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
    let notes: Vec<_> = report.notes.iter().map(ToString::to_string).collect();
    HttpResponse::Ok().json(json!({
        "problems": problems,
        "notes": notes,
        "changes": report.changes,
    }))
}

/// `GET /gatelog/blueprints/export/`: all flows, with all that they need.
async fn export(call: Call) -> Answered {
    if !may_export_all(&call.caller()?.granted) {
        return Err(Error::NotPermitted);
    }
    let journal = &*call.state.journal;
    let flows: Vec<Versioned<Flow>> = object::all(journal).await?;
    let flows = flows.into_iter().map(|it| it.value).collect();
    let exported = blueprint::export(journal, flows, "Export of all flows").await?;
    Ok(HttpResponse::Ok()
        .content_type("application/octet-stream")
        .insert_header((
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"flows.yaml\"",
        ))
        .body(exported.yaml))
}

/// `GET /gatelog/blueprints/outcomes/`: what is wrong with those that are kept here, or to be remarked.
async fn outcomes(call: Call) -> Answered {
    let all = instances(&*call.state.journal).await?;
    let all: Vec<_> = all
        .iter()
        .map(|it| &it.value)
        .map(|it| json!({ "pk": it.pk, "name": it.name, "problems": it.problems }))
        .collect();
    Ok(HttpResponse::Ok().json(all))
}
