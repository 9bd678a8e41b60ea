//! How executions would go if blueprints were applied, for the operator.

use std::num::NonZeroUsize;

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::blueprints::{self, File};
use super::executions::named;
use super::{Answer, Operator, Refusal};
use crate::blueprint;
use crate::catalog::flow_by_slug;
use crate::journal::{StreamId, Version};
use crate::replay::many;
use crate::replay::what_if::{self, Changes, Range};
use crate::world::record::KIND;

/// What is supposed, and for which executions.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    files: Vec<File>,
    #[serde(default)]
    skip_unsupported: bool,
    /// Those of this flow only, by its slug.
    flow: Option<String>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    /// These and no others, by their ids or short codes.
    #[serde(default)]
    executions: Vec<String>,
    /// No more than so many, the latest first.
    limit: Option<NonZeroUsize>,
    /// On so many threads; on one for each core without it.
    jobs: Option<NonZeroUsize>,
}

/// `POST /operator/replay/what-if`
pub(super) async fn what_if(operator: Data<Operator>, asked: Json<Asked>) -> Answer {
    let asked = asked.into_inner();
    let documents = blueprints::read(&asked.files)?;
    let options = blueprints::options(&operator, asked.skip_unsupported, true);
    let drafted = blueprint::draft(&*operator.journal, &operator.clock, &documents, &options);
    let (report, writes) = drafted.await.map_err(blueprints::failure)?;
    let workers = operator.other_workers()?;
    let journal = std::sync::Arc::clone(&operator.journal);
    let changes = Changes::new(writes, operator.clock.now());
    let supposition = what_if::suppose(journal, changes, Some(workers));
    let mut executions = Vec::with_capacity(asked.executions.len());
    for name in &asked.executions {
        executions.push(recorded(&operator, name).await?);
    }
    let range = Range {
        flow: asked.flow.clone(),
        since: asked.since,
        until: asked.until,
        executions,
        limit: asked.limit.map_or(usize::MAX, NonZeroUsize::get),
    };
    let table = what_if::many(&supposition, range, many::threads(asked.jobs));
    let turns = &operator.scans.suppositions;
    let table = turns.run(Uuid::nil(), || operator.goes_on(), table).await;
    let table = table.map_err(|_| Refusal::Busy)??;
    // One that was removed may still have executions.
    if let Some(slug) = asked.flow.filter(|_| table.executions == 0)
        && flow_by_slug(&*operator.journal, &slug).await?.is_none()
    {
        let problem = format!("there is no flow {slug}, and no execution of one");
        return Err(Refusal::NotFound(problem));
    }
    Ok(HttpResponse::Ok().json(json!({
        "changes": report.changes,
        "notes": report.notes,
        "table": table,
    })))
}

/// The execution that an id or a short code names, if anything was recorded of it.
async fn recorded(operator: &Operator, name: &str) -> Result<Uuid, Refusal> {
    let id = named(operator, name).await?;
    let journal = &*operator.journal;
    match journal.head(StreamId::new(KIND, id)).await? {
        (Version::NONE, _) => Err(Refusal::NotFound(format!("there is no execution {name}"))),
        _ => Ok(id),
    }
}
