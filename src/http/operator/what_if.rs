//! How executions would go if blueprints were applied, for the operator.

use std::num::NonZeroUsize;

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::blueprints::{self, File};
use super::{Answer, Operator, Refusal};
use crate::blueprint;
use crate::replay::many;
use crate::replay::what_if::{self, Changes, Range};

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
    /// These and no others.
    #[serde(default)]
    executions: Vec<Uuid>,
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
    let workers = operator.workers.another();
    let workers = workers.map_err(|error| Refusal::Broken(error.to_string()))?;
    let journal = std::sync::Arc::clone(&operator.journal);
    let changes = Changes::new(writes, operator.clock.now());
    let supposition = what_if::suppose(journal, changes, Some(workers));
    let range = Range {
        flow: asked.flow,
        since: asked.since,
        until: asked.until,
        executions: asked.executions,
        limit: asked.limit.map_or(usize::MAX, NonZeroUsize::get),
    };
    let table = what_if::many(&supposition, range, many::threads(asked.jobs));
    let turns = &operator.scans.suppositions;
    let table = turns.run(Uuid::nil(), || operator.goes_on(), table).await;
    let table = table.map_err(|_| Refusal::Busy)??;
    Ok(HttpResponse::Ok().json(json!({
        "changes": report.changes,
        "notes": report.notes,
        "table": table,
    })))
}
