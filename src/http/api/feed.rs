//! `/gatelog/feed/`: the journal as it grows, a portion at a time or as a stream.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use actix_web::http::Method as Verb;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use serde_json::json;
use uuid::Uuid;

use super::call::Call;
use super::caller::Standing;
use super::operation::{Access, Answered, Content, Method, Operation};
use super::schema::words;
use crate::directory::permission::Granted;
use crate::feed::{format, item};
use crate::flow::query::Query;
use crate::http::streams::{self, KEEP_ALIVE, Place, STOPPING, Streams};
use crate::http::{Error, State};
use crate::journal::{self, Envelope, Position};
use crate::settings::FeedFormat;

/// How many items a portion has where nobody says, and at most.
const USUAL: usize = 100;
const MOST: usize = 1000;

/// How many records are read for one portion: most hold nothing that is told.
const RECORDS: usize = 20_000;

/// How many streams there may be.
const STREAMS: usize = 32;

/// How long a stream lasts. Whoever listens comes back, and is asked again who they are.
pub(super) const LONGEST: Duration = Duration::from_mins(15);

/// What lets somebody have it.
const PERMISSION: &str = "authentik_events.view_event";

/// How many of them one user may have.
const PER_USER: usize = 8;

impl Default for Streams<Uuid> {
    fn default() -> Self {
        Self::limited(PER_USER, STREAMS)
    }
}

/// What is asked for.
struct Asked {
    after: Position,
    limit: usize,
    format: FeedFormat,
}

impl Asked {
    fn of(request: &HttpRequest) -> Result<Self, Error> {
        let query = Query::parse(request.query_string());
        let mut wrong = BTreeMap::new();
        let number = |name: &str| query.get(name).map(str::parse::<u64>).transpose();
        let whole = "A valid integer is required.";
        let after = number("after").unwrap_or_else(|_| {
            wrong.insert("after", whole.to_owned());
            None
        });
        let limit = number("limit").unwrap_or_else(|_| {
            wrong.insert("limit", whole.to_owned());
            None
        });
        let format = query.get("format").unwrap_or("json");
        let known = FeedFormat::from_name(format);
        if known.is_none() {
            wrong.insert("format", format!("\"{format}\" is not a valid choice."));
        }
        let (Some(format), true) = (known, wrong.is_empty()) else {
            return Err(Error::Fields(wrong));
        };
        let limit = limit.and_then(|limit| usize::try_from(limit).ok());
        Ok(Self {
            after: Position(after.unwrap_or(0)),
            limit: limit.unwrap_or(USUAL).clamp(1, MOST),
            format,
        })
    }
}

/// `GET /gatelog/feed/?after=&limit=&format=`
pub(super) fn operations() -> Vec<Operation> {
    let number = || json!({ "type": "integer", "minimum": 0 });
    let show = Operation::new(Method::Get, "/gatelog/feed/", "gatelog_feed_retrieve", show)
        .access(Access::Permitted(PERMISSION))
        .asks("after", number())
        .asks("limit", number())
        .asks("format", words(&["json", "ocsf", "syslog"]))
        .answers(200, Content::Media("text/plain"));
    vec![show]
}

async fn show(call: Call) -> Answered {
    let standing = call.caller()?.standing(call.state.clock.monotonic());
    let (request, state) = (call.request, call.state);
    let mut asked = Asked::of(&request)?;
    if request.method() == Verb::HEAD || !streams::are_wanted(&request) {
        return portion(&state, &asked).await;
    }
    let last = request.headers().get("last-event-id");
    let last = last.and_then(|it| it.to_str().ok()?.trim().parse().ok());
    asked.after = last.map_or(asked.after, Position);
    let place = state.feeds.open(standing.user())?;
    let now = state.clock.monotonic();
    let records = state.journal.follow(asked.after);
    let told = Told {
        format: asked.format,
        records,
        after: asked.after,
        ready: VecDeque::new(),
        silent_since: now,
        until: now + LONGEST,
        standing,
        state,
        _place: place,
    };
    Ok(streams::answer(stream::unfold(told, async |mut told| {
        Some((told.next().await?, told))
    })))
}

/// What there is now, as lines. How far it reaches is in a header: not every record has a line.
async fn portion(state: &State, asked: &Asked) -> Answered {
    let last = state.journal.last();
    let mut records = state.journal.follow(asked.after);
    let (mut after, mut items, mut body) = (asked.after, 0, String::new());
    for _ in 0..RECORDS {
        if after >= last || items >= asked.limit {
            break;
        }
        let Some(record) = records.next().await else {
            break;
        };
        let (position, envelope) = record?;
        if let Some(item) = item::read(position, &envelope)? {
            items += 1;
            for line in format::lines(asked.format, &item) {
                body.push_str(&line);
                body.push('\n');
            }
        }
        after = position;
    }
    Ok(HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .insert_header(("X-Gatelog-After", after.0.to_string()))
        .body(body))
}

/// What a stream has told.
struct Told {
    state: web::Data<State>,
    format: FeedFormat,
    records: BoxStream<'static, journal::Result<(Position, Envelope)>>,
    after: Position,
    ready: VecDeque<String>,
    silent_since: Instant,
    until: Instant,
    standing: Standing,
    _place: Place<Uuid>,
}

impl Told {
    /// What it says next; `None` at its end.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let now = self.state.clock.monotonic();
            let may = |granted: &Granted| granted.may(PERMISSION);
            if !self.standing.still(&self.state, now, may).await {
                return None;
            }
            if let Some(said) = self.ready.pop_front() {
                self.silent_since = now;
                return Some(said.into());
            }
            if self.state.is_stopping() || now >= self.until {
                return None;
            }
            if now.duration_since(self.silent_since) >= KEEP_ALIVE {
                self.silent_since = now;
                // An event without data: nothing is dispatched, but the cursor moves.
                return Some(format!("id: {}\n\n", self.after.0).into());
            }
            let Ok(next) = tokio::time::timeout(STOPPING, self.records.next()).await else {
                continue;
            };
            let read = next?
                .and_then(|(position, envelope)| Ok((position, item::read(position, &envelope)?)));
            let (position, item) = match read {
                Ok(read) => read,
                Err(error) => {
                    tracing::error!(%error, "a feed breaks off");
                    return None;
                }
            };
            self.after = position;
            let lines = item.map(|item| format::lines(self.format, &item));
            let lines = lines.unwrap_or_default();
            let last = lines.len().saturating_sub(1);
            self.ready
                .extend(lines.iter().enumerate().map(|(index, line)| {
                    // The cursor moves with the last line of a record, or the others would be lost.
                    let id = (index == last).then(|| format!("id: {}\n", position.0));
                    format!("{}data: {line}\n\n", id.unwrap_or_default())
                }));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn there_is_room_for_so_many_streams_and_it_comes_back() {
        let readers = Arc::new(Streams::default());
        let user = |number: usize| Uuid::from_u128(number as u128);
        let mut places: Vec<_> = (0..STREAMS)
            .map(|number| readers.open(user(number / PER_USER)))
            .collect();
        assert!(places.iter().all(Result::is_ok));
        assert!(readers.open(user(100)).is_err());
        places.pop();
        assert!(readers.open(user(100)).is_ok());
        assert!(
            readers.open(user(0)).is_err(),
            "they have all that they may"
        );
    }
}
