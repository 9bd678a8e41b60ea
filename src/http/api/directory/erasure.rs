//! `/gatelog/users/{id}/erase/`: removes a person from everything that can be read, and says what came
//! of it.

use std::sync::Arc;

use actix_web::HttpResponse;
use serde_json::{Map, Value, json};

use super::super::body::{REQUIRED, wrong};
use super::super::call::Call;
use super::super::operation::{Answered, Content, Method, Operation};
use super::super::resource::found;
use super::super::schema::Components;
use super::super::schema::shape::{Member, Of, has, may, object};
use super::guard::{Loss, may_act_on, permit, spare_the_last};
use super::users::USERS;
use crate::blueprint::edit::{Object, Staged};
use crate::directory::User;
use crate::erasure::{self, Tools};
use crate::http::scans::Scan;
use crate::http::{Error, erasing};

/// The permission, as for removing a user.
const PERMISSION: &str = "authentik_core.delete_user";

/// The operations.
pub(super) fn operations() -> Vec<Operation> {
    let number = json!({ "type": "integer" });
    let path = "/gatelog/users/{id}/erase/";
    vec![
        Operation::new(Method::Get, path, "gatelog_users_erase_retrieve", preview)
            .key("id", &number)
            .answers(200, Content::One("ErasurePreview".to_owned())),
        Operation::new(Method::Post, path, "gatelog_users_erase_create", erase)
            .key("id", &number)
            .takes(Content::One("ErasureRequest".to_owned()))
            .answers(200, Content::One("ErasureCertificate".to_owned())),
    ]
}

const REMOVED: &[Member] = &[
    has("objects", Of::Number),
    has("executions", Of::Number),
    has("executions_of_nobody", Of::Number),
    has("executions_of_others", Of::Number),
    has("events", Of::Number),
    has("mails", Of::Number),
    has("invitations", Of::Number),
    has("attempts", Of::Number),
    has("bodies", Of::Number),
];

const OBJECTS: &[(&str, &[Member])] = &[
    (
        "ErasureRequest",
        &[has("username", Of::Filled(0)), may("others", Of::Flag)],
    ),
    ("ErasureRemoved", REMOVED),
    (
        "ErasurePreview",
        &[
            has("user", Of::Format("uuid")),
            has("pk", Of::Number),
            has("username", Of::Text),
            has("is_begun", Of::Flag),
            has("removed", Of::To("ErasureRemoved")),
            has("others", Of::Number),
            has("remains", Of::Number),
        ],
    ),
    (
        "ErasureBy",
        &[
            has("means", Of::Text),
            has("user", Of::OrNull(&Of::Format("uuid"))),
        ],
    ),
    (
        "ErasureKeys",
        &[
            has("user", Of::Format("uuid")),
            has("count", Of::Number),
            has("executions", Of::List(&Of::Format("uuid"))),
            has("still_there", Of::List(&Of::Format("uuid"))),
        ],
    ),
    (
        "ErasureChain",
        &[
            has("is_whole", Of::OrNull(&Of::Flag)),
            has("records", Of::Number),
            has("position", Of::Number),
            may("checkpoint", Of::Text),
            may("findings", Of::List(&Of::Text)),
        ],
    ),
    (
        "ErasureRemainder",
        &[
            has("kind", Of::Text),
            has("id", Of::Format("uuid")),
            has("version", Of::Number),
        ],
    ),
    (
        "ErasureDeparted",
        &[
            has("what", Of::Text),
            may("at", Of::Format("date-time")),
            has("position", Of::Number),
            has("is_sealed", Of::Flag),
        ],
    ),
    (
        "ErasureCertificate",
        &[
            has("certificate", Of::Text),
            has("installation", Of::Format("uuid")),
            has("user", Of::Format("uuid")),
            has("pk", Of::Number),
            has("by", Of::To("ErasureBy")),
            has("began", Of::Format("date-time")),
            has("finished", Of::Format("date-time")),
            has("keys", Of::To("ErasureKeys")),
            has("removed", Of::To("ErasureRemoved")),
            has("chain", Of::To("ErasureChain")),
            has("remains", Of::List(&Of::To("ErasureRemainder"))),
            has("departed", Of::List(&Of::To("ErasureDeparted"))),
            has("unknown", Of::List(&Of::Text)),
            may("signature", Of::Text),
        ],
    ),
];

/// Their schemas.
pub(super) fn describe(components: &mut Components) {
    for (name, members) in OBJECTS {
        components.put(name, object(members.iter().copied()));
    }
}

/// The user whom the caller may erase.
async fn target(call: &Call) -> Result<User, Error> {
    let object = found(&USERS, call, &mut Staged::default()).await?;
    let Object::User(user) = object else {
        return Err(Error::Missing("User"));
    };
    permit(call.caller()?.granted.may_of(PERMISSION, user.pk))?;
    may_act_on(call, &user).await?;
    spare_the_last(call, Loss::User(&user), "non_field_errors").await?;
    Ok(*user)
}

/// `GET /gatelog/users/{id}/erase/`: what would go. It reads the whole journal, when it is its turn.
async fn preview(call: Call) -> Answered {
    let user = target(&call).await?;
    let (state, caller) = (&call.state, call.caller()?.user.value.uuid);
    let mut scan = Scan::begin(state, &call.request, caller).await?;
    let letters = state.machine.as_ref().map(|it| it.courier.written());
    let preview = erasure::preview(&*state.journal, letters, user.uuid, &mut scan).await?;
    Ok(HttpResponse::Ok().json(preview))
}

/// Whether executions of others are to go as well.
fn others(fields: &Map<String, Value>) -> Result<bool, Error> {
    match fields.get("others") {
        None => Ok(false),
        Some(Value::Bool(others)) => Ok(*others),
        Some(_) => Err(wrong("others", "Must be a valid boolean.")),
    }
}

/// `POST /gatelog/users/{id}/erase/`. Where that was interrupted, whoever may erase everybody goes on
/// with it by the same call, and gets the certificate again once it is finished.
async fn erase(mut call: Call) -> Answered {
    let fields = call.fields().await?;
    let others = others(&fields)?;
    let user = match target(&call).await {
        Err(Error::Missing(_)) if call.caller()?.granted.may(PERMISSION) => {
            let pk = call
                .path("id")
                .parse()
                .map_err(|_| Error::Missing("User"))?;
            let journal = &*call.state.journal;
            let erased = crate::directory::erasure::erasure_by_pk(journal, pk).await?;
            erased.ok_or(Error::Missing("User"))?.value.user
        }
        target => {
            let user = target?;
            match fields.get("username").and_then(Value::as_str) {
                Some(typed) if typed == user.username => user.uuid,
                Some(_) => return Err(wrong("username", "This is not the user's name.")),
                None => return Err(wrong("username", REQUIRED)),
            }
        }
    };
    let state = &call.state;
    let tools = Tools {
        journal: Arc::clone(&state.journal),
        clock: state.clock.clone(),
        executions: state.executions.clone(),
        author: call.author()?,
        correlation: call.arrival.id,
        letters: state.machine.as_ref().map(|it| it.courier.written().into()),
    };
    let store = state.machine.as_ref().map(|it| Arc::clone(&it.store));
    let certificate = erasing::erase(tools, store, user, others).await?;
    Ok(HttpResponse::Ok().json(certificate))
}

impl From<erasure::Error> for Error {
    fn from(error: erasure::Error) -> Self {
        match error {
            erasure::Error::Unknown(_) => Self::Missing("User"),
            erasure::Error::LastSuperuser => {
                wrong("non_field_errors", "This is the last active superuser.")
            }
            erasure::Error::Contended | erasure::Error::Abandoned => Self::Unavailable {
                cause: error.to_string(),
            },
            erasure::Error::Journal(error) => error.into(),
            erasure::Error::Execution(error) => error.into(),
        }
    }
}
