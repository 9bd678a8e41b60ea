//! `/stages/authenticator/duo/<uuid>/…/`: whether somebody has finished enrolling at Duo, and users
//! of Duo who are taken over. Source: authentik `stages/authenticator_duo/api.py`.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::body;
use super::call::Call;
use super::operation::{Access, Answered, Content, Method, Operation};
use super::schema::uuid;
use crate::catalog::Stage;
use crate::directory::device_command::{Import, import_device};
use crate::directory::user_by_username;
use crate::http::session::Visitor;
use crate::http::{Error, State};
use crate::journal::object::{self, Versioned};
use crate::stage::authenticator::duo::AuthenticatorDuo;

/// There is no such stage. The text is authentik's.
const NO_STAGE: Error = Error::NotFound("No AuthenticatorDuoStage matches the given query.");

/// The operations.
pub(super) fn operations() -> Vec<Operation> {
    let path = |verb: &str| format!("/stages/authenticator/duo/{{stage_uuid}}/{verb}/");
    let id = |verb: &str| format!("stages_authenticator_duo_{verb}_create");
    let status = "enrollment_status";
    let (manual, automatic) = ("import_device_manual", "import_devices_automatic");
    let request = "AuthenticatorDuoStageManualDeviceImportRequest";
    vec![
        Operation::new(Method::Post, &path(status), &id(status), enrollment_status)
            .access(Access::Public)
            .key("stage_uuid", &uuid())
            .answers(200, Content::One("DuoDeviceEnrollmentStatus".to_owned())),
        Operation::new(Method::Post, &path(manual), &id(manual), import_manually)
            .key("stage_uuid", &uuid())
            .takes(Content::One(request.to_owned()))
            .answers(204, Content::Nothing),
        Operation::new(
            Method::Post,
            &path(automatic),
            &id(automatic),
            import_automatically,
        )
        .key("stage_uuid", &uuid())
        .answers(
            200,
            Content::One("AuthenticatorDuoStageDeviceImportResponse".to_owned()),
        ),
    ]
}

/// `POST …/enrollment_status/`, for whoever is enrolling in this browser, logged in or not.
async fn enrollment_status(call: Call) -> Answered {
    let state = &call.state;
    let (duo, _) = duo_stage(state, call.path("stage_uuid")).await?;
    let visitor = Visitor::of(state, &call.request, call.arrival.id).await?;
    let said = match visitor.session_id() {
        Some(session) => state.executions.duo_enrolment_status(session, &duo).await?,
        None => None,
    };
    match said {
        None => Ok(HttpResponse::BadRequest().finish()),
        Some(Ok(status)) => Ok(HttpResponse::Ok().json(json!({ "duo_response": status }))),
        Some(Err(error)) => Err(Error::Unavailable {
            cause: error.to_string(),
        }),
    }
}

/// `POST …/import_device_manual/`, for superusers.
async fn import_manually(mut call: Call) -> Answered {
    let (duo, _) = for_superusers(&call).await?;
    let body = call.json().await?;
    let (state, doer) = (&call.state, call.doer()?);
    let (duo_user_id, username) = read(&body)?;
    let user = user_by_username(&*state.journal, &username).await?;
    let user = user.ok_or_else(|| complain("User does not exist."))?;
    let import = Import {
        stage: duo.pk,
        duo_user_id: &duo_user_id,
        user: user.value.uuid,
    };
    if import_device(&doer.act(), import).await? {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(complain("Device exists already."))
    }
}

/// `POST …/import_devices_automatic/`, for superusers: every user whom Duo knows by the name of one
/// of ours. What was imported until something goes wrong stays.
async fn import_automatically(call: Call) -> Answered {
    let (duo, settings) = for_superusers(&call).await?;
    let (state, doer) = (&call.state, call.doer()?);
    let missing =
        "Stage does not have Admin API configured, which is required for automatic imports.";
    let account = settings.admin_account().ok_or_else(|| complain(missing))?;
    let mut count = 0;
    let imported = state
        .executions
        .duo()
        .users(&account, async |users| {
            for known in users {
                let user = user_by_username(&*state.journal, &known.username).await?;
                let Some(user) = user else { continue };
                let import = Import {
                    stage: duo.pk,
                    duo_user_id: &known.user_id,
                    user: user.value.uuid,
                };
                let act = match count {
                    0 => doer.act(),
                    _ => doer.act_under(state.clock.ordered_id()),
                };
                if import_device(&act, import).await? {
                    count += 1;
                }
            }
            Ok::<(), Error>(())
        })
        .await;
    match imported {
        Ok(done) => {
            done?;
            Ok(HttpResponse::Ok().json(json!({ "error": "", "count": count })))
        }
        Err(error) => {
            tracing::warn!(id = call.arrival.name(), %error, "not all users of Duo could be imported");
            let text = "An internal error occurred while importing devices.";
            Ok(HttpResponse::BadRequest().json(json!({ "error": text, "count": count })))
        }
    }
}

async fn for_superusers(call: &Call) -> Result<(Stage, AuthenticatorDuo), Error> {
    call.superuser()?;
    duo_stage(&call.state, call.path("stage_uuid")).await
}

async fn duo_stage(state: &State, id: &str) -> Result<(Stage, AuthenticatorDuo), Error> {
    let id: Uuid = id.parse().map_err(|_| NO_STAGE)?;
    let found: Option<Versioned<Stage>> = object::get(&*state.journal, id).await?;
    let duo = found.ok_or(NO_STAGE)?.value;
    let settings = AuthenticatorDuo::of(&duo).ok_or(NO_STAGE)?;
    Ok((duo, settings))
}

/// The two fields of an import.
fn read(body: &Value) -> Result<(String, String), Error> {
    let empty = Map::new();
    let body = body.as_object().unwrap_or(&empty);
    let mut wrong = BTreeMap::new();
    let mut field = |name: &'static str| {
        let text = match body.get(name) {
            None => Err("This field is required."),
            Some(Value::Null) => Err("This field may not be null."),
            Some(Value::String(text)) if text.trim().is_empty() => {
                Err("This field may not be blank.")
            }
            Some(Value::String(text)) => Ok(text.trim().to_owned()),
            Some(_) => Err("Not a valid string."),
        };
        text.unwrap_or_else(|complaint| {
            wrong.insert(name, complaint.to_owned());
            String::new()
        })
    };
    let read = (field("duo_user_id"), field("username"));
    if wrong.is_empty() {
        Ok(read)
    } else {
        Err(Error::Fields(wrong))
    }
}

fn complain(text: &str) -> Error {
    body::wrong("non_field_errors", text)
}
