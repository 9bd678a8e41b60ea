//! `/gatelog/blueprints/`: what a blueprint would change, all flows as one, and what came of those that are
//! kept here. authentik has none of it.

use actix_web::HttpResponse;
use actix_web::http::header;
use serde_json::json;

use super::super::call::Call;
use super::super::flow_actions::may_export_all;
use super::super::operation::{Access, Answered, Content, Method, Operation};
use super::super::schema::Components;
use super::super::schema::shape::{Member, Of, has, may, object};
use super::drafted::{self, Drafted};
use crate::blueprint::{self, Report};
use crate::catalog::{Flow, instances};
use crate::http::Error;
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
    let (problems, report) = match drafted::draft(&call, &fields).await? {
        Drafted::Would(report, _) => (Vec::new(), report),
        Drafted::Wrong(problems) => (problems, Report::default()),
        Drafted::Untrusted(refusal) => return Ok(refusal),
    };
    Ok(HttpResponse::Ok().json(json!({
        "problems": problems,
        "notes": drafted::notes(&report),
        "changes": report.changes,
    })))
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
