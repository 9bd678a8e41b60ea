//! `/core/users/{id}/recovery/` and `recovery_email/`: a way back into an account, to be handed over or
//! mailed.
//!
//! Source: authentik `core/api/users.py`.

use actix_web::HttpResponse;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::body::wrong;
use super::super::call::Call;
use super::super::operation::{Answered, Content, Method, Operation};
use super::super::schema::{Components, uuid};
use super::guard::permit;
use super::passwords::target;
use crate::catalog::{Flow, Stage};
use crate::directory::User;
use crate::directory::token::LIFETIME;
use crate::execution;
use crate::http::Error;
use crate::journal::object::{self, Versioned};
use crate::stage::Kind;
use crate::stage::duration::span_of;

/// The operations.
pub(super) fn operations() -> Vec<Operation> {
    let number = || json!({ "type": "integer" });
    let (path, id) = ("/core/users/{id}/recovery/", "core_users_recovery_create");
    let link = Operation::new(Method::Post, path, id, link)
        .key("id", &number())
        .takes(Content::One("UserRecoveryLinkRequest".to_owned()))
        .answers(200, Content::One("Link".to_owned()));
    let (path, id) = (
        "/core/users/{id}/recovery_email/",
        "core_users_recovery_email_create",
    );
    let mail = Operation::new(Method::Post, path, id, mail)
        .key("id", &number())
        .takes(Content::One("UserRecoveryEmailRequest".to_owned()))
        .answers(204, Content::Nothing);
    vec![link, mail]
}

/// Their schemas.
pub(super) fn describe(components: &mut Components) {
    let duration = json!({ "type": "string", "minLength": 1 });
    components.put(
        "UserRecoveryLinkRequest",
        json!({ "type": "object", "properties": { "token_duration": duration } }),
    );
    components.put(
        "UserRecoveryEmailRequest",
        json!({
            "type": "object",
            "properties": { "token_duration": duration, "email_stage": uuid() },
            "required": ["email_stage"],
        }),
    );
    components.put(
        "Link",
        json!({
            "type": "object",
            "properties": { "link": { "type": "string" } },
            "required": ["link"],
        }),
    );
}

/// `POST /core/users/{id}/recovery/`
async fn link(mut call: Call) -> Answered {
    let user = target(&call).await?;
    let fields = call.fields().await?;
    let until = until(&call, &fields)?;
    let flow = match flow(&call).await? {
        Ok(flow) => flow,
        Err(answer) => return Ok(answer),
    };
    let client = call.caller()?.client.clone();
    let executions = &call.state.executions;
    let made = executions
        .recovery_link(&flow, user, until, client.clone(), call.arrival.id)
        .await;
    let made = match made {
        Err(execution::Error::NotApplicable(_)) => return Ok(not_applicable()),
        made => made?,
    };
    let origin = executions.public_url().map(str::to_owned);
    let origin = origin.unwrap_or_else(|| client.origin());
    let origin = origin.trim_end_matches('/');
    let link = format!("{origin}{}", made.path.expose_secret());
    Ok(HttpResponse::Ok().json(json!({ "link": link })))
}

/// `POST /core/users/{id}/recovery_email/`
async fn mail(mut call: Call) -> Answered {
    let user = target(&call).await?;
    let fields = call.fields().await?;
    let until = until(&call, &fields)?;
    let stage = match fields.get("email_stage").and_then(Value::as_str) {
        Some(id) => id.parse::<Uuid>(),
        None => return Err(wrong("email_stage", super::super::body::REQUIRED)),
    };
    let stage = stage.map_err(|_| wrong("email_stage", "Must be a valid UUID."))?;
    let journal = &*call.state.journal;
    let found: Option<Versioned<User>> = object::get(journal, user).await?;
    let found = found.ok_or(Error::Missing("User"))?;
    if found.value.email.is_empty() {
        return Ok(refused("User does not have an email address set."));
    }
    let email: Option<Versioned<Stage>> = object::get(journal, stage).await?;
    let email = email.filter(|stage| stage.value.kind == Kind::Email.name());
    let Some(email) = email else {
        return Ok(refused("Email stage not found."));
    };
    permit(
        call.caller()?
            .granted
            .may_of("authentik_stages_email.view_emailstage", stage),
    )?;
    let flow = match flow(&call).await? {
        Ok(flow) => flow,
        Err(answer) => return Ok(answer),
    };
    let client = call.caller()?.client.clone();
    let executions = &call.state.executions;
    let sent = executions
        .recovery_mail(
            &flow,
            &found.value,
            &email.value,
            until,
            client,
            call.arrival.id,
        )
        .await;
    match sent {
        Err(execution::Error::NotApplicable(_)) => Ok(not_applicable()),
        Ok(Err(problem)) => Err(Error::Unavailable { cause: problem }),
        sent => {
            sent?.map_err(|cause| Error::Unavailable { cause })?;
            Ok(HttpResponse::NoContent().finish())
        }
    }
}

/// When the link ends.
fn until(call: &Call, fields: &Map<String, Value>) -> Result<Timestamp, Error> {
    let span = match fields.get("token_duration") {
        None => LIFETIME,
        Some(text) => {
            let span = text.as_str().and_then(span_of);
            let span = span.filter(|span| *span > SignedDuration::ZERO);
            let problem = "Value must be in the format of \
                           'hours=-1;minutes=-2;seconds=-3', and in the future.";
            span.ok_or_else(|| wrong("token_duration", problem))?
        }
    };
    let now = call.state.clock.now();
    let until = now.checked_add(span).ok();
    until.ok_or_else(|| wrong("token_duration", "No link can be good for so long."))
}

/// The brand's recovery flow; the inner error is the answer where there is none.
async fn flow(call: &Call) -> Result<Result<String, HttpResponse>, Error> {
    let brand = call.state.brand(&call.caller()?.client.host).await?;
    let flow: Option<Versioned<Flow>> = match brand.flow_recovery {
        Some(flow) => object::get(&*call.state.journal, flow).await?,
        None => None,
    };
    let slug = flow.map(|flow| flow.value.slug.to_string());
    Ok(slug.ok_or_else(|| refused("No recovery flow set.")))
}

fn not_applicable() -> HttpResponse {
    refused("Recovery flow not applicable to user")
}

/// A refusal as authentik words it: the text is no list here.
fn refused(text: &str) -> HttpResponse {
    HttpResponse::BadRequest().json(json!({ "non_field_errors": [text] }))
}
