//! What a list shows of an execution.

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::{Entry, Error, began, entries, fold};
use crate::directory::{Session, User};
use crate::flow::context::{Value, key};
use crate::flow::execution::{End, Running};
use crate::flow::{Code, Execution, code};
use crate::journal::object::Stored as _;
use crate::journal::{self, Journal};
use crate::world::Observation;
use crate::world::record::KIND;

/// How many executions are looked for at once.
const PORTION: usize = 500;

/// How executions stand that are under way.
pub const UNFINISHED: [&str; 3] = ["running", "waiting", "failed"];

/// How an execution can stand.
pub const STATES: [&str; 10] = [
    "running",
    "waiting",
    "failed",
    "completed",
    "denied",
    "cancelled",
    "expired",
    "removed",
    "erased",
    "unreadable",
];

/// What a list shows of an execution.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Its id.
    pub execution: Uuid,
    /// The short code that its visitor may be shown.
    pub code: String,
    /// When it began.
    pub started: Timestamp,
    /// When it was last touched.
    pub last: Timestamp,
    /// The flow's slug.
    pub flow: String,
    /// The flow's identifier.
    pub flow_id: Uuid,
    /// Who went through it, as far as is known: a user's id, or what was typed. Where nobody was
    /// named, whoever was logged in when it began.
    pub user: Option<String>,
    /// From where.
    pub address: String,
    /// How it stands: one of [`STATES`].
    pub state: &'static str,
    /// The stage it is at, or the reason why it ended.
    pub detail: String,
}

impl Summary {
    /// What a list shows of one of which a record is damaged.
    #[must_use]
    pub fn damaged(execution: Uuid, error: &Error) -> Self {
        let began = began(execution);
        Self {
            execution,
            code: code(execution).to_string(),
            started: began,
            last: began,
            flow: String::new(),
            flow_id: Uuid::nil(),
            user: None,
            address: String::new(),
            state: "unreadable",
            detail: format!("it cannot be read: {error}"),
        }
    }
}

/// The latest executions that began before `before`, the newest first.
///
/// Of those that can no longer be read, nothing but when they were and why is in it.
///
/// # Errors
/// What the journal said, but not that a record of one of them is damaged.
pub async fn list(
    journal: &dyn Journal,
    before: Option<Uuid>,
    limit: usize,
) -> Result<Vec<Summary>, Error> {
    found(journal, before, None, limit, |_| true).await
}

/// The same of those that are admitted, and began at `since` or later. They are read one after the
/// other, back in time, until there are enough.
///
/// # Errors
/// As [`list`].
pub async fn found(
    journal: &dyn Journal,
    before: Option<Uuid>,
    since: Option<Timestamp>,
    limit: usize,
    admits: impl Fn(&Summary) -> bool,
) -> Result<Vec<Summary>, Error> {
    let mut summaries = Vec::new();
    let mut before = before;
    while summaries.len() < limit {
        let streams = journal.streams(KIND, before, PORTION).await?;
        let Some(last) = streams.last() else {
            break;
        };
        before = Some(last.id);
        for stream in streams {
            if summaries.len() == limit || since.is_some_and(|since| began(stream.id) < since) {
                return Ok(summaries);
            }
            let found = match entries(journal, stream.id).await {
                Ok(entries) => summary(&entries),
                Err(Error::Erased(gone)) => Some(gone.summary()),
                // One that is damaged hides none of the others.
                Err(error) if error.is_about_one() => Some(Summary::damaged(stream.id, &error)),
                Err(error) => return Err(error),
            };
            summaries.extend(found.filter(&admits));
        }
    }
    Ok(summaries)
}

/// The newest execution that has this code. No more is looked at than began in one second.
///
/// # Errors
/// What the journal said.
pub async fn by_code(journal: &dyn Journal, code: Code) -> journal::Result<Option<Uuid>> {
    let (first, last) = code.range();
    let mut before = last.as_u128().checked_add(1).map(Uuid::from_u128);
    loop {
        let streams = journal.streams(KIND, before, PORTION).await?;
        for stream in &streams {
            if stream.id < first {
                return Ok(None);
            }
            if code.is_of(stream.id) {
                return Ok(Some(stream.id));
            }
        }
        let Some(last) = streams.last() else {
            return Ok(None);
        };
        before = Some(last.id);
    }
}

/// What a list shows of the execution with these records; `None` for one that never began.
#[must_use]
pub fn summary(entries: &[Entry]) -> Option<Summary> {
    let (_, state) = fold(entries);
    let latest = state.latest()?;
    let (first, last) = (entries.first()?, entries.last()?);
    let (word, detail) = standing(&state);
    Some(Summary {
        execution: latest.execution,
        code: code(latest.execution).to_string(),
        started: first.at,
        last: last.at,
        flow: latest.slug.clone(),
        flow_id: latest.flow.id,
        user: user(latest).or_else(|| logged_in(latest, first)),
        address: first.record.input.client.address.to_string(),
        state: word,
        detail,
    })
}

fn user(running: &Running) -> Option<String> {
    match running.context.get(key::PENDING_USER)? {
        Value::User(id) => Some(id.to_string()),
        Value::Stranger { identifier } => Some(identifier.clone()),
        _ => None,
    }
}

/// The user who was logged in when the execution began: what is looked at right after the session
/// is its user.
pub(super) fn logged_in(running: &Running, first: &Entry) -> Option<String> {
    let notes = &first.record.observations;
    let user = notes.windows(2).find_map(|pair| match pair {
        [
            Observation::Object { kind, id, .. },
            Observation::Object {
                kind: next,
                id: user,
                version: Some(_),
            },
        ] => {
            let is_user = *kind == Session::KIND && *id == running.session && *next == User::KIND;
            is_user.then_some(*user)
        }
        _ => None,
    });
    user.map(|user| user.to_string())
}

/// How an execution stands, and the stage it is at or the reason why it ended.
pub(super) fn standing(state: &Execution) -> (&'static str, String) {
    match state {
        Execution::Unstarted => ("unstarted", String::new()),
        Execution::Running(running) => {
            let current = running.plan.current().map(|stage| stage.name.clone());
            let word = if running.failure.is_some() {
                "failed"
            } else if running.wait.is_some() && running.outcome().is_none() {
                "waiting"
            } else {
                "running"
            };
            (word, current.unwrap_or_default())
        }
        Execution::Ended(ended) => match &ended.how {
            End::Completed { destination } => ("completed", destination.clone()),
            End::Denied { message, .. } => ("denied", message.clone()),
            End::Cancelled => ("cancelled", String::new()),
            End::Expired => ("expired", String::new()),
        },
    }
}
