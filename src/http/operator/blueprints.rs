//! Blueprints, for the operator, who may read the server's environment and files anyway.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use serde::Deserialize;
use serde_json::json;

use super::{Answer, Operator, Refusal};
use crate::blueprint::{self, Error, Host, Options, Ready, Syntax};
use crate::directory::Author;

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
        ..Options::default()
    };
    let enabled = blueprint::enable(journal, &operator.clock, ready, &options).await;
    let enabled = enabled.map_err(failure)?;
    Ok(HttpResponse::Ok().json(json!({
        "name": ready.as_str(),
        "flow": enabled.slug,
        "kept": enabled.is_kept,
        "needs": needs(ready, &operator),
        "report": enabled.report,
    })))
}

/// What is still missing before people can use the flow.
fn needs(ready: Ready, operator: &Operator) -> Vec<String> {
    let mut needs = Vec::new();
    if ready.sends_mail() {
        needs.push(match operator.courier.folder() {
            Some(folder) => format!(
                "It sends mails, and there is no mail server: until email.host is set, they are \
                 written to {}.",
                folder.display()
            ),
            None => "It sends mails; `gatelog mail test ADDRESS` says whether they arrive.".into(),
        });
        if operator.executions.public_url().is_none() {
            let text = "Links in mails need an address: set web.public_url, or give a brand the \
                        domain. Without either they work on this machine only.";
            needs.push(text.to_owned());
        }
    }
    if ready == Ready::Invitation {
        let text = "It lets in who has an invitation; `gatelog invitation create` makes one.";
        needs.push(text.to_owned());
    }
    needs
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
        author: Author::operator(),
        ..Options::default()
    };
    let report = blueprint::apply(&*operator.journal, &operator.clock, &[document], &options)
        .await
        .map_err(failure)?;
    Ok(HttpResponse::Ok().json(report))
}

fn failure(error: Error) -> Refusal {
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
