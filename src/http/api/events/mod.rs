//! `/events/events/`: audit events, listed, counted, edited and removed.
//!
//! Source: authentik `events/api/events.py`.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use url::form_urlencoded;
use uuid::Uuid;

use super::body;
use super::listing::Listing;
use crate::directory::change::{self, Author};
use crate::directory::{AuditEvent, User};
use crate::flow::query::Query;
use crate::http::{Error, State};
use crate::journal::object::{self, Stored, Versioned, delete, put};
use crate::journal::{self, Commit, Durability, KeyId, Version, Write};

mod count;
mod edit;
mod filter;
mod operations;

pub(super) use operations::{describe, operations};

use count::{Stats, Top, Volume};
use filter::Filter;

/// How many events are read at once.
const PORTION: usize = 1000;

/// How far back volumes are counted where nobody says, and at most, in days.
const USUAL_DAYS: u64 = 7;
const MOST_DAYS: u64 = 90;

/// How many applications are named where nobody says.
const USUAL_TOP: usize = 15;

/// The actions that there are, with what people call them.
pub(super) const ACTIONS: [(&str, &str); 32] = [
    ("login", "Login"),
    ("login_failed", "Login Failed"),
    ("logout", "Logout"),
    ("user_write", "User Write"),
    ("suspicious_request", "Suspicious Request"),
    ("password_set", "Password Set"),
    ("secret_view", "Secret View"),
    ("secret_rotate", "Secret Rotate"),
    ("invitation_used", "Invite Used"),
    ("authorize_application", "Authorize Application"),
    ("source_linked", "Source Linked"),
    ("impersonation_started", "Impersonation Started"),
    ("impersonation_ended", "Impersonation Ended"),
    ("flow_execution", "Flow Execution"),
    ("policy_execution", "Policy Execution"),
    ("policy_exception", "Policy Exception"),
    ("property_mapping_exception", "Property Mapping Exception"),
    ("system_task_execution", "System Task Execution"),
    ("system_task_exception", "System Task Exception"),
    ("system_exception", "System Exception"),
    ("configuration_error", "Configuration Error"),
    ("configuration_warning", "Configuration Warning"),
    ("model_created", "Model Created"),
    ("model_updated", "Model Updated"),
    ("model_deleted", "Model Deleted"),
    ("email_sent", "Email Sent"),
    ("update_available", "Update Available"),
    ("export_ready", "Export Ready"),
    ("review_initiated", "Review Initiated"),
    ("review_overdue", "Review Overdue"),
    ("review_attested", "Review Attested"),
    ("review_completed", "Review Completed"),
];

/// What the actions of expressions begin with.
const CUSTOM: &str = "custom_";

/// What a list has to know of an event to sort it.
struct Row {
    id: Uuid,
    keys: Vec<(Value, bool)>,
}

/// Looks at every event that there is, a portion at a time, the oldest first.
async fn each(state: &State, mut look: impl FnMut(&AuditEvent)) -> Result<(), Error> {
    let mut after = None;
    loop {
        let found = state.journal.list(AuditEvent::KIND, after, PORTION).await?;
        for found in &found {
            look(&object::open::<AuditEvent>(found)?.value);
        }
        match found.last() {
            Some(last) if found.len() == PORTION => after = Some(last.stream.id),
            _ => return Ok(()),
        }
    }
}

/// The page of a list that is asked for.
pub(super) async fn list(state: &State, query: &str) -> Result<Value, Error> {
    let (listing, filter) = (Listing::of(query), Filter::of(query));
    let ordering = listing.ordering();
    let mut rows = Vec::new();
    each(state, |event| {
        if filter.admits(event) {
            let keys = ordering.iter();
            let keys = keys.filter_map(|(name, down)| Some((sort_key(event, name)?, *down)));
            rows.push(Row {
                id: event.pk,
                keys: keys.collect(),
            });
        }
    })
    .await?;
    // The newest first, unless somebody wants it otherwise.
    rows.reverse();
    rows.sort_by(|one, other| {
        let pairs = one.keys.iter().zip(&other.keys);
        let orders = pairs.map(|((a, down), (b, _))| {
            let order = compare(a, b);
            if *down { order.reverse() } else { order }
        });
        orders.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    });
    listing
        .page(&rows, async |row| retrieve(state, row.id).await)
        .await
}

fn sort_key(event: &AuditEvent, name: &str) -> Option<Value> {
    Some(match name {
        "created" => event.created.as_microsecond().into(),
        "expires" => event.expires.map(Timestamp::as_microsecond).into(),
        "action" => event.action.clone().into(),
        "app" => event.app.clone().into(),
        "client_ip" => event.client_ip.map(|it| it.to_string()).into(),
        "user" => event.user.get("username").cloned().unwrap_or_default(),
        "pk" | "event_uuid" => event.pk.to_string().into(),
        _ => return None,
    })
}

fn compare(one: &Value, other: &Value) -> std::cmp::Ordering {
    match (one.as_i64(), other.as_i64()) {
        (Some(one), Some(other)) => one.cmp(&other),
        _ => one.as_str().cmp(&other.as_str()),
    }
}

/// One event.
///
/// # Errors
/// 404 when there is none.
pub(super) async fn retrieve(state: &State, id: Uuid) -> Result<Value, Error> {
    shown(state, find(state, id).await?.value).await
}

async fn find(state: &State, id: Uuid) -> Result<Versioned<AuditEvent>, Error> {
    let found: Option<Versioned<AuditEvent>> = object::get(&*state.journal, id).await?;
    found.ok_or(Error::NotFound("No Event matches the given query."))
}

/// An event as clients read it, with the names of the other people in it.
async fn shown(state: &State, mut event: AuditEvent) -> Result<Value, Error> {
    if let Some(other) = event.authenticated_as {
        let named = match user(state, other).await? {
            Some(user) => crate::audit::resolve::shown(&user),
            None => Map::new(),
        };
        event
            .user
            .insert("authenticated_as".to_owned(), named.into());
    }
    if let Some(other) = event.concerns
        && let Some(found) = user(state, other).await?
        && let Some(model) = event
            .context
            .get_mut("model")
            .and_then(Value::as_object_mut)
    {
        let called = [found.name, found.username]
            .into_iter()
            .find(|it| !it.is_empty());
        model.insert("name".to_owned(), called.into());
    }
    let mut shown = json!({
        "pk": event.pk,
        "user": event.user,
        "action": event.action,
        "app": event.app,
        "context": event.context,
        "client_ip": event.client_ip,
        "created": event.created,
        "brand": event.brand,
    });
    if let Some(expires) = event.expires {
        shown["expires"] = json!(expires);
    }
    Ok(shown)
}

async fn user(state: &State, id: Uuid) -> Result<Option<User>, Error> {
    let found: Option<Versioned<User>> = object::get(&*state.journal, id).await?;
    Ok(found.map(|it| it.value))
}

/// The actions that there are.
pub(super) fn actions() -> Value {
    let custom = [(CUSTOM, "Custom Prefix")];
    let all = ACTIONS.iter().chain(&custom);
    all.map(|(value, name)| {
        json!({ "name": name, "description": "", "component": value, "model_name": "" })
    })
    .collect()
}

/// How many there were of each action, over the last days.
pub(super) async fn volume(state: &State, query: &str) -> Result<Value, Error> {
    let days = number(query, "history_days")?
        .unwrap_or(USUAL_DAYS)
        .min(MOST_DAYS);
    let since = state
        .clock
        .now()
        .checked_sub(Duration::from_hours(24 * days));
    let since = since.unwrap_or(Timestamp::MIN);
    let (filter, mut volume) = (Filter::of(query), Volume::default());
    each(state, |event| {
        if event.created >= since && filter.admits(event) {
            volume.take(event);
        }
    })
    .await?;
    Ok(volume.told())
}

/// How many users events are about, and how many events there were.
pub(super) async fn stats(state: &State, query: &str) -> Result<Value, Error> {
    let mut steps = Vec::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if name == "count_steps" {
            let long = edit::timedelta(&value);
            let long = long
                .ok_or_else(|| body::wrong("count_steps", "The value is not a valid duration."))?;
            steps.push((slug(&value), long));
        }
    }
    let (filter, mut stats) = (Filter::of(query), Stats::new(state.clock.now(), steps));
    each(state, |event| {
        if filter.admits(event) {
            stats.take(event);
        }
    })
    .await?;
    Ok(stats.told())
}

/// The applications that most events tell of.
pub(super) async fn top_per_user(state: &State, query: &str) -> Result<Value, Error> {
    let most = number(query, "top_n")?.and_then(|it| usize::try_from(it).ok());
    let asked = Query::parse(query);
    let action = asked.get("action");
    let mut top = Top::default();
    each(state, |event| {
        if action.is_none_or(|action| event.action == action) {
            top.take(event);
        }
    })
    .await?;
    Ok(top.told(most.unwrap_or(USUAL_TOP)))
}

fn number(query: &str, name: &'static str) -> Result<Option<u64>, Error> {
    let asked = Query::parse(query);
    let number = asked.get(name).map(str::parse).transpose();
    number.map_err(|_| body::wrong(name, "A valid integer is required."))
}

fn slug(text: &str) -> String {
    let kept = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    text.to_lowercase().chars().filter(kept).collect()
}

/// Makes an event that somebody else tells.
pub(super) async fn create(
    state: &State,
    fields: &Map<String, Value>,
    author: &Author,
    correlation: Uuid,
) -> Result<Value, Error> {
    let now = state.clock.now();
    let mut event = AuditEvent {
        pk: state.clock.ordered_id(),
        about: None,
        key: KeyId::SYSTEM,
        authenticated_as: None,
        concerns: None,
        user: Map::new(),
        action: String::new(),
        app: String::new(),
        context: Map::new(),
        client_ip: None,
        created: now,
        expires: state
            .events_kept
            .and_then(|kept| now.checked_add(kept).ok()),
        brand: Map::new(),
    };
    edit::apply(&mut event, fields, false)?;
    let write = put(&event, Version::NONE);
    commit(state, write, author, correlation).await?;
    shown(state, event).await
}

/// Changes one: all of it, or what is named.
pub(super) async fn update(
    state: &State,
    id: Uuid,
    fields: &Map<String, Value>,
    partial: bool,
    author: &Author,
    correlation: Uuid,
) -> Result<Value, Error> {
    let mut found = find(state, id).await?;
    edit::apply(&mut found.value, fields, partial)?;
    let write = put(&found.value, found.version);
    commit(state, write, author, correlation).await?;
    shown(state, found.value).await
}

/// Removes one.
pub(super) async fn destroy(
    state: &State,
    id: Uuid,
    author: &Author,
    correlation: Uuid,
) -> Result<(), Error> {
    let found = find(state, id).await?;
    let write = delete::<AuditEvent>(id, found.version);
    commit(state, write, author, correlation).await
}

async fn commit(
    state: &State,
    write: Write,
    author: &Author,
    correlation: Uuid,
) -> Result<(), Error> {
    let mut writes = vec![write];
    change::note(&mut writes, author, correlation);
    let commit = Commit {
        writes,
        durability: Durability::Durable,
        fence: None,
        at: state.clock.now(),
        correlation,
    };
    match state.journal.commit(commit).await {
        Ok(_) => Ok(()),
        Err(journal::Error::Conflict { .. }) => Err(Error::Unavailable {
            cause: "somebody else changed the event meanwhile".to_owned(),
        }),
        Err(error) => Err(error.into()),
    }
}

/// A complaint for each field.
type Wrong = BTreeMap<&'static str, String>;

#[cfg(test)]
mod tests;
