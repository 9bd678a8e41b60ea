//! The trail of executions, for the operator.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, Operator, Refusal};
use crate::directory::departure::{What, leaves};
use crate::directory::{User, user_by_pk, user_by_username};
use crate::execution;
use crate::flow::Code;
use crate::journal::object::{self, Versioned};
use crate::journal::{Journal, Version};
use crate::replay::diff::Side;
use crate::replay::{self, Error, Summary};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    #[serde(default = "usual")]
    limit: u16,
    before: Option<Uuid>,
    /// Of this user: a name, a number or an identifier, or what was typed.
    user: Option<String>,
    flow: Option<String>,
    /// Several are separated by commas.
    state: Option<String>,
    since: Option<Timestamp>,
}

impl Page {
    /// Whether an execution is asked for; `user` is who has the name.
    fn admits(&self, user: Option<Uuid>, summary: &Summary) -> bool {
        let is_theirs = |name: &String| {
            summary.user.as_ref().is_some_and(|it| {
                user.is_some_and(|user| *it == user.to_string())
                    || it.to_lowercase() == name.to_lowercase()
            })
        };
        let is_so = |states: &String| states.split(',').any(|it| it.trim() == summary.state);
        self.user.as_ref().is_none_or(is_theirs)
            && self.state.as_ref().is_none_or(is_so)
            && self.flow.as_ref().is_none_or(|it| *it == summary.flow)
    }
}

fn usual() -> u16 {
    20
}

/// `GET /operator/executions?limit=&before=&user=&flow=&state=&since=`
pub(super) async fn list(operator: Data<Operator>, page: Query<Page>) -> Answer {
    let limit = usize::from(page.limit.clamp(1, 1000));
    let mut shown = Vec::new();
    let journal = &*operator.journal;
    let user = match &page.user {
        Some(name) => known(journal, name).await?,
        None => None,
    };
    let admits = |it: &Summary| page.admits(user, it);
    for summary in replay::found(journal, page.before, page.since, limit, admits).await? {
        shown.push(show_summary(&operator, &summary).await?);
    }
    Ok(HttpResponse::Ok().json(json!({ "executions": shown })))
}

/// The user who is named by an identifier, a name or a number.
async fn known(journal: &dyn Journal, name: &str) -> Result<Option<Uuid>, Refusal> {
    if let Ok(id) = name.parse() {
        return Ok(Some(id));
    }
    let mut found = user_by_username(journal, name).await?;
    if found.is_none()
        && let Ok(pk) = name.parse()
    {
        found = user_by_pk(journal, pk).await?;
    }
    Ok(found.map(|it| it.value.uuid))
}

/// The execution that an id or a short code names.
pub(super) async fn named(operator: &Operator, name: &str) -> Result<Uuid, Refusal> {
    if let Ok(id) = name.parse() {
        return Ok(id);
    }
    let found = match Code::parse(name) {
        Some(code) => replay::by_code(&*operator.journal, code).await?,
        None => None,
    };
    found.ok_or_else(|| Refusal::NotFound(format!("there is no execution {name}")))
}

/// `GET /operator/executions/{id}`, also with the short code
pub(super) async fn show(operator: Data<Operator>, name: Path<String>) -> Answer {
    let id = named(&operator, &name).await?;
    let records = replay::entries(&*operator.journal, id).await?;
    Ok(HttpResponse::Ok().json(json!({ "execution": id, "records": records })))
}

/// `GET /operator/executions/{id}/verify`: whether today's code comes to the same events.
pub(super) async fn verify(operator: Data<Operator>, name: Path<String>) -> Answer {
    let id = named(&operator, &name).await?;
    let workers = operator.other_workers()?;
    let verified = replay::verify(&operator.journal, Some(&workers), id).await?;
    Ok(HttpResponse::Ok().json(verified))
}

/// `GET /operator/executions/{id}/why`: why it came to where it is, in a paragraph.
pub(super) async fn why(operator: Data<Operator>, name: Path<String>) -> Answer {
    let id = named(&operator, &name).await?;
    let records = replay::entries(&*operator.journal, id).await?;
    let why = replay::why::explain(&*operator.journal, &records).await?;
    let why = why.ok_or_else(|| Refusal::NotFound(format!("execution {id} never began")))?;
    Ok(HttpResponse::Ok().json(why))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Compared {
    with: Option<String>,
    version: Option<u64>,
    with_version: Option<u64>,
}

/// `GET /operator/executions/{id}/diff?with=&version=&with_version=`: what is different there from
/// another execution, or from another point of the same.
pub(super) async fn diff(
    operator: Data<Operator>,
    name: Path<String>,
    asked: Query<Compared>,
) -> Answer {
    let journal = &*operator.journal;
    let with = asked.with.as_deref().unwrap_or(&name);
    let one = replay::entries(journal, named(&operator, &name).await?).await?;
    let other = replay::entries(journal, named(&operator, with).await?).await?;
    let side = |entries, version: Option<u64>, name: &str| {
        let none = || Refusal::NotFound(format!("execution {name} has no such version"));
        Side::of(entries, version.map(Version)).ok_or_else(none)
    };
    let left = side(&one, asked.version, &name)?;
    let right = side(&other, asked.with_version, with)?;
    let never = || Refusal::NotFound("one of them never began".to_owned());
    let diff = replay::diff::diff(&left, &right).ok_or_else(never)?;
    Ok(HttpResponse::Ok().json(diff))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Watched {
    key: String,
}

/// `GET /operator/executions/{id}/watch?key=`: who changed an entry of what it knew.
pub(super) async fn watch(
    operator: Data<Operator>,
    name: Path<String>,
    asked: Query<Watched>,
) -> Answer {
    let id = named(&operator, &name).await?;
    let records = replay::entries(&*operator.journal, id).await?;
    Ok(HttpResponse::Ok().json(replay::watch::watch(&records, &asked.key)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bundled {
    /// Whether what is personal stays as it is.
    #[serde(default)]
    personal: bool,
}

/// `GET /operator/executions/{id}/bundle?personal=`: all that is needed to run it again elsewhere.
pub(super) async fn bundle(
    operator: Data<Operator>,
    name: Path<String>,
    asked: Query<Bundled>,
) -> Answer {
    let id = named(&operator, &name).await?;
    let (journal, workers) = (&operator.journal, operator.other_workers()?);
    if asked.personal {
        leaves(&**journal, &operator.clock, What::Bundle, Some(id)).await?;
    }
    let (workers, clock) = (Some(&workers), &operator.clock);
    let bundle = replay::bundle::of(journal, workers, clock, id, asked.personal).await?;
    Ok(HttpResponse::Ok().json(bundle))
}

/// The summary, with the user's name beside their id while they have one.
async fn show_summary(operator: &Operator, summary: &Summary) -> Result<Value, Refusal> {
    let mut shown = json!(summary);
    let id = summary.user.as_ref().and_then(|user| user.parse().ok());
    if let Some(id) = id {
        let user: Option<Versioned<User>> = object::get(&*operator.journal, id).await?;
        shown["username"] = json!(user.map(|user| user.value.username));
    }
    Ok(shown)
}

impl From<execution::Error> for Refusal {
    fn from(error: execution::Error) -> Self {
        match error {
            execution::Error::Journal(error) => Self::Journal(error),
            execution::Error::Busy => Self::Busy,
            other => Self::Broken(other.to_string()),
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Unknown(_) => Self::NotFound(error.to_string()),
            Error::Erased(_) | Error::Incomplete { .. } => Self::Erased(error.to_string()),
            Error::Journal(error) => Self::Journal(error),
            Error::Broken(_) => Self::Broken(error.to_string()),
        }
    }
}
