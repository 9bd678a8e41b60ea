//! `/stages/email/templates/`: what the mails of a stage can be made from.

use actix_web::HttpResponse;
use serde_json::{Value, json};

use super::call::Call;
use super::operation::{Answered, Content, Method, Operation};

/// The operation.
pub(super) fn operation() -> Operation {
    let path = "/stages/email/templates/";
    Operation::new(Method::Get, path, "stages_email_templates_list", list)
        .answers(200, Content::List("TypeCreate".to_owned()))
}

/// `GET /stages/email/templates/`: those of the server and those of the operator.
async fn list(call: Call) -> Answered {
    let templates = call.state.executions.templates();
    let names = templates
        .map(crate::courier::template::Templates::names)
        .unwrap_or_default();
    let shown: Vec<Value> = names
        .into_iter()
        .map(|(name, label)| {
            json!({
                "name": name,
                "description": label,
                "component": "",
                "model_name": "",
                "requires_enterprise": false,
                "deprecated": false,
            })
        })
        .collect();
    Ok(HttpResponse::Ok().json(shown))
}
