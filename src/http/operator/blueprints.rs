//! Blueprints, for the operator, who may read the server's environment and files anyway.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use serde::Deserialize;

use super::{Answer, Operator, Refusal};
use crate::blueprint::{self, Error, Host, Options, Syntax};

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

async fn run(operator: &Operator, file: &File, dry_run: bool) -> Answer {
    let document =
        blueprint::check(&file.content, &file.name).map_err(|problems| refusal(&problems))?;
    let options = Options {
        host: Host::Machine,
        skip_unsupported: file.skip_unsupported,
        dry_run,
        passwords: Some(&operator.hashes),
        syntax: Syntax::Workers(&operator.workers),
        ..Options::default()
    };
    let report = blueprint::apply(&*operator.journal, &operator.clock, &[document], &options)
        .await
        .map_err(|error| match error {
            Error::Invalid(problems) => refusal(&problems),
            Error::Journal(error) => error.into(),
            Error::Busy(busy) => busy.into(),
            error @ Error::Unchecked(_) => Refusal::Broken(error.to_string()),
        })?;
    Ok(HttpResponse::Ok().json(report))
}

fn refusal(problems: &[blueprint::Problem]) -> Refusal {
    Refusal::Blueprint(problems.iter().map(ToString::to_string).collect())
}
