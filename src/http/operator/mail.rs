//! Mails, for the operator: whether they can be sent, and from which templates.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use serde::Deserialize;
use serde_json::json;

use super::{Answer, Operator, Refusal};
use crate::catalog::stage_by_name;
use crate::courier::{Outcome, Trial};

/// A mail that is to be sent at once.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Test {
    address: String,
    /// The e-mail stage whose server is used; the global settings without one.
    stage: Option<String>,
}

/// `POST /operator/mail/test`
pub(super) async fn test(operator: Data<Operator>, body: Json<Test>) -> Answer {
    let Test { address, stage } = body.into_inner();
    let stage = match &stage {
        None => None,
        Some(name) => {
            let found = stage_by_name(&*operator.journal, name).await?;
            let found = found.filter(|it| it.value.kind == "email");
            let missing = || Refusal::NotFound(format!("there is no e-mail stage {name:?}"));
            Some(found.ok_or_else(missing)?.value.pk)
        }
    };
    let Trial {
        steps,
        outcome,
        said,
        remedy,
    } = operator.courier.try_out(&address, stage).await?;
    let (outcome, problem) = match outcome {
        Outcome::Sent => ("sent", None),
        Outcome::Failed { problem } => ("failed", Some(problem)),
        Outcome::Nobody => ("failed", None),
        Outcome::Unknown => ("unknown", None),
    };
    Ok(HttpResponse::Ok().json(json!({
        "steps": steps,
        "outcome": outcome,
        "problem": problem,
        "said": said,
        "remedy": remedy,
    })))
}

/// `GET /operator/mail`: what is not sent yet.
pub(super) async fn list(operator: Data<Operator>) -> Answer {
    let mails = operator.courier.waiting().await?;
    Ok(HttpResponse::Ok().json(json!({ "mails": mails })))
}

/// `GET /operator/mail/templates`
pub(super) async fn templates(operator: Data<Operator>) -> Answer {
    let letters = &operator.letters;
    let templates: Vec<_> = letters
        .names()
        .into_iter()
        .map(|(name, label)| {
            let problem = letters.problem(&name).map(ToString::to_string);
            json!({ "name": name, "label": label, "problem": problem })
        })
        .collect();
    Ok(HttpResponse::Ok().json(json!({ "templates": templates })))
}
