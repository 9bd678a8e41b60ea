//! Blueprints, for the operator, who may read the server's environment and files anyway.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use serde::Deserialize;
use serde_json::json;

use super::{Answer, Operator, Refusal};
use crate::blueprint::{self, Document, Error, Host, Options, Ready, Syntax};
use crate::catalog::{Flow, flow_by_slug, instances};
use crate::directory::Author;
use crate::http::ready::needs;
use crate::journal::object::{self, Versioned};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// What problems call the file.
    name: String,
    content: String,
    #[serde(default)]
    skip_unsupported: bool,
}

/// `POST /operator/blueprints/check`: everything that applying would do, but the writing.
pub(super) async fn check(operator: Data<Operator>, file: Json<File>) -> Answer {
    run(&operator, &file, true).await
}

/// `POST /operator/blueprints/apply`
pub(super) async fn apply(operator: Data<Operator>, file: Json<File>) -> Answer {
    run(&operator, &file, false).await
}

/// A ready-made flow that is to be switched on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    name: String,
}

/// `POST /operator/blueprints/enable`
pub(super) async fn enable(operator: Data<Operator>, wanted: Json<Wanted>) -> Answer {
    let ready: Ready = wanted.name.parse().map_err(Refusal::NotFound)?;
    let journal = &*operator.journal;
    let options = Options {
        author: Author::operator(),
        turns: Some(&operator.turns),
        ..Options::default()
    };
    let enabled = blueprint::enable(journal, &operator.clock, ready, &options).await;
    let enabled = enabled.map_err(failure)?;
    Ok(HttpResponse::Ok().json(json!({
        "name": ready.as_str(),
        "flow": enabled.slug,
        "kept": enabled.is_kept,
        "needs": needs(ready, Some(&operator.courier), &operator.executions),
        "report": enabled.report,
    })))
}

/// Files that are to be compared with what there is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Files {
    files: Vec<File>,
    #[serde(default)]
    skip_unsupported: bool,
}

/// `POST /operator/blueprints/diff`: what applying all of them would change, as if they were one.
pub(super) async fn diff(operator: Data<Operator>, files: Json<Files>) -> Answer {
    apply_all(&operator, &files.files, files.skip_unsupported, true).await
}

/// What is to be exported.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Export {
    /// The slugs of the flows; all flows where there are none.
    #[serde(default)]
    flows: Vec<String>,
}

/// `POST /operator/blueprints/export`
pub(super) async fn export(operator: Data<Operator>, wanted: Json<Export>) -> Answer {
    let journal = &*operator.journal;
    let mut flows = Vec::new();
    for slug in &wanted.flows {
        let flow = flow_by_slug(journal, slug).await?;
        let missing = || Refusal::NotFound(format!("there is no flow {slug}"));
        flows.push(flow.ok_or_else(missing)?.value);
    }
    let name = if wanted.flows.is_empty() {
        let all: Vec<Versioned<Flow>> = object::all(journal).await?;
        flows.extend(all.into_iter().map(|it| it.value));
        "Export of all flows".to_owned()
    } else {
        format!("Export of {}", wanted.flows.join(", "))
    };
    let exported = blueprint::export(journal, flows, &name).await?;
    Ok(HttpResponse::Ok().json(json!({
        "content": exported.yaml,
        "notes": exported.notes,
    })))
}

/// `GET /operator/blueprints/status`: what came of the files of the watched folder, and of what is
/// kept here.
pub(super) async fn status(operator: Data<Operator>) -> Answer {
    let all = instances(&*operator.journal).await?;
    let all: Vec<_> = all
        .into_iter()
        .map(|Versioned { value: it, .. }| {
            json!({
                "name": it.name,
                "path": it.path,
                "enabled": it.enabled,
                "status": it.status,
                "last_applied": it.last_applied,
                "last_applied_hash": it.last_applied_hash,
                "problems": it.problems,
            })
        })
        .collect();
    Ok(HttpResponse::Ok().json(json!({ "blueprints": all })))
}

async fn run(operator: &Operator, file: &File, dry_run: bool) -> Answer {
    let files = std::slice::from_ref(file);
    apply_all(operator, files, file.skip_unsupported, dry_run).await
}

async fn apply_all(
    operator: &Operator,
    files: &[File],
    skip_unsupported: bool,
    dry_run: bool,
) -> Answer {
    let documents = read(files)?;
    let options = options(operator, skip_unsupported, dry_run);
    let report = blueprint::apply(&*operator.journal, &operator.clock, &documents, &options)
        .await
        .map_err(failure)?;
    Ok(HttpResponse::Ok().json(report))
}

/// The documents in the files.
pub(super) fn read(files: &[File]) -> Result<Vec<Document>, Refusal> {
    let mut documents = Vec::new();
    let mut problems = Vec::new();
    for file in files {
        match blueprint::check(&file.content, &file.name) {
            Ok(document) => documents.push(document),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() {
        Ok(documents)
    } else {
        Err(refusal(&problems))
    }
}

/// How they are applied, or tried.
pub(super) fn options(operator: &Operator, skip_unsupported: bool, dry_run: bool) -> Options<'_> {
    Options {
        host: Host::Machine,
        skip_unsupported,
        dry_run,
        passwords: Some(&operator.hashes),
        syntax: Syntax::Workers(&operator.workers),
        author: Author::operator(),
        turns: Some(&operator.turns),
        ..Options::default()
    }
}

pub(super) fn failure(error: Error) -> Refusal {
    match error {
        Error::Invalid(problems) => refusal(&problems),
        Error::Journal(error) => error.into(),
        Error::Busy(busy) => busy.into(),
        error @ Error::Unchecked(_) => Refusal::Broken(error.to_string()),
    }
}

fn refusal(problems: &[blueprint::Problem]) -> Refusal {
    Refusal::Blueprint(problems.iter().map(ToString::to_string).collect())
}
