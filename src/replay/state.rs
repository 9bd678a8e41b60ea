//! An execution as it stood at any of its events, and what was different from the event before.
//!
//! Everything is masked by its type: secrets are a mask, people are references. What is shown of
//! the visitor's page is what the trail has of it; what was secret there is not in the trail.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::{Entry, Told, mask, sentence, timeline};
use crate::flow::client::Client;
use crate::flow::context;
use crate::flow::execution::Running;
use crate::flow::plan::Pinned;
use crate::flow::{Event, Execution, evolve};
use crate::journal::Version;

pub(super) mod changes;
mod shown;
#[cfg(test)]
mod tests;
mod way;

pub use changes::Change;
pub use shown::Shown;
pub use way::{How, Node};

/// A place in an execution: so many events of this record have happened, and all of those before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The record.
    pub version: Version,
    /// How many of its events have happened: 0 is before the first of them.
    pub event: usize,
}

/// An execution as it stood at a place.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct State {
    /// Where that is.
    pub place: Place,
    /// When the command was recorded that led there.
    pub at: Timestamp,
    /// The event that had just happened; none before the first of a record.
    pub event: Option<Told>,
    /// How it stood: one of [`STATES`](super::STATES), or `unstarted`.
    pub state: &'static str,
    /// The stage it was at, or the reason why it had ended.
    pub detail: String,
    /// The flow that it was in, with its revision.
    pub flow: Option<Pinned>,
    /// That flow's slug.
    pub slug: String,
    /// The way through the flow: what was passed, where it stood, what was ahead and what was left
    /// out, with the reason.
    pub way: Vec<Node>,
    /// What was known.
    pub context: Vec<Known>,
    /// What the visitor had before them.
    pub shown: Option<Shown>,
    /// What it waited for, and until when.
    pub waits: Vec<Waiting>,
    /// What is different from the event before.
    pub changes: Vec<Change>,
}

/// An entry of the context.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Known {
    /// Its key.
    pub key: String,
    /// What it holds, with its type; secrets are masked.
    pub value: Value,
    /// The same as people read it.
    pub text: String,
    /// The stage or policy that wrote it last; none for what the entry or the server itself put in.
    pub by: Option<String>,
    /// Where it was written last.
    pub since: Option<Place>,
}

/// Something that has not come to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// What it is.
    pub what: String,
    /// When its time is up.
    pub until: Option<Timestamp>,
}

/// The state at `place`; without an event, after all of the record's, and without a place, at the
/// end. `None` when the execution has no such place.
#[must_use]
pub fn state(entries: &[Entry], version: Option<Version>, event: Option<usize>) -> Option<State> {
    let version = version.or_else(|| entries.last().map(|it| it.version))?;
    let entry = entries.iter().find(|it| it.version == version)?;
    let event = event.unwrap_or(entry.record.events.len());
    let place = Place { version, event };
    let mut walk = Walk::new(entries);
    while let Some(at) = walk.steps() {
        if at == place {
            return Some(walk.state());
        }
    }
    None
}

/// The client whose page was shown at `place`: the last that asked for something itself.
#[must_use]
pub fn client(entries: &[Entry], version: Version) -> Option<&Client> {
    let until = entries.iter().filter(|it| it.version <= version);
    let mut clients = until.map(|it| &it.record.input.client);
    clients.rfind(|it| !it.host.is_empty())
}

/// All states of an execution, one after each event; a record without events has one as well.
#[must_use]
pub fn states(entries: &[Entry]) -> Vec<State> {
    let mut walk = Walk::new(entries);
    let mut states = Vec::new();
    while let Some(place) = walk.steps() {
        let is_empty = walk.entry().is_some_and(|it| it.record.events.is_empty());
        if place.event > 0 || is_empty {
            states.push(walk.state());
        }
    }
    states
}

/// Goes through an execution, event by event.
struct Walk<'a> {
    entries: &'a [Entry],
    told: Vec<super::Step>,
    /// The record it is in, and how many events of that have happened; nowhere before the first.
    at: Option<(usize, usize)>,
    execution: Execution,
    before: changes::Facts,
    now: changes::Facts,
    way: way::Way,
    shown: shown::Showing,
    /// Who wrote what, and where.
    authors: std::collections::BTreeMap<String, (String, Place)>,
}

impl<'a> Walk<'a> {
    fn new(entries: &'a [Entry]) -> Self {
        Self {
            entries,
            told: timeline(entries),
            at: None,
            execution: Execution::default(),
            before: changes::Facts::default(),
            now: changes::Facts::default(),
            way: way::Way::default(),
            shown: shown::Showing::default(),
            authors: std::collections::BTreeMap::new(),
        }
    }

    fn entry(&self) -> Option<&'a Entry> {
        self.entries.get(self.at?.0)
    }

    /// One event on, or to the beginning of the next record. `None` at the end.
    fn steps(&mut self) -> Option<Place> {
        let (record, done) = match self.at {
            None => (0, None),
            Some((record, done)) if done < self.entries[record].record.events.len() => {
                (record, Some(done))
            }
            Some((record, _)) => (record + 1, None),
        };
        let entry = self.entries.get(record)?;
        let event = done.map_or(0, |done| done + 1);
        self.at = Some((record, event));
        let place = Place {
            version: entry.version,
            event,
        };
        self.before.clone_from(&self.now);
        if let Some(done) = done {
            self.takes(&entry.record.events[done], place, (record, done));
        }
        Some(place)
    }

    fn takes(&mut self, event: &Event, place: Place, (record, done): (usize, usize)) {
        let lines = &self.told[record].events[done].lines;
        self.way.takes(&self.execution, event, lines, place);
        let state = std::mem::take(&mut self.execution);
        self.execution = evolve(state, event);
        self.shown.takes(&self.execution, event);
        if let Event::ContextChanged { key, by, .. } = event {
            self.authors.insert(key.clone(), (by.clone(), place));
        }
        self.now = changes::facts(&self.execution);
    }

    fn state(&self) -> State {
        let (record, event) = self.at.unwrap_or_default();
        let entry = &self.entries[record];
        let (state, detail) = super::summary::standing(&self.execution);
        let latest = self.execution.latest();
        State {
            place: Place {
                version: entry.version,
                event,
            },
            at: entry.at,
            event: event
                .checked_sub(1)
                .map(|at| self.told[record].events[at].clone()),
            state,
            detail,
            flow: latest.map(|it| it.flow),
            slug: latest.map(|it| it.slug.clone()).unwrap_or_default(),
            way: self.way.nodes(&self.execution),
            context: latest.map(|it| self.known(it)).unwrap_or_default(),
            shown: self.shown.shown(),
            waits: latest.map(waits).unwrap_or_default(),
            changes: changes::between(&self.before, &self.now),
        }
    }

    fn known(&self, running: &Running) -> Vec<Known> {
        let known = running.context.iter().map(|(key, value)| {
            let written = self.authors.get(key);
            Known {
                key: key.to_owned(),
                value: json_of(key, value),
                text: text_of(key, value),
                by: written.map(|(by, _)| by.clone()),
                since: written.map(|(_, place)| *place),
            }
        });
        known.collect()
    }
}

/// A value of the context with its type, as it may be shown.
pub(super) fn json_of(key: &str, value: &context::Value) -> Value {
    mask::handles(serde_json::json!(mask::of_context(key, value.clone())))
}

/// The same as people read it.
pub(super) fn text_of(key: &str, value: &context::Value) -> String {
    match mask::of_context(key, value.clone()) {
        context::Value::Json(Value::String(text)) => text,
        value => sentence::value(&value),
    }
}

/// What has not come to its end: what others were asked, timers that run, links that lead here.
fn waits(running: &Running) -> Vec<Waiting> {
    let outside = running.effects.iter().map(|(id, effect)| {
        let is_waited_for = running.wait.as_ref().is_some_and(|it| it.effect == *id);
        let who = if is_waited_for {
            "the visitor's answer waits for"
        } else {
            "under way:"
        };
        let until = running.timers.values().find(
            |timer| matches!(timer.of, crate::flow::timer::Deadline::Effect { effect } if effect == *id),
        );
        Waiting {
            what: format!("{who} {}", sentence::effect(effect)),
            until: until.map(|it| it.due),
        }
    });
    let codes = running.timers.values().filter_map(|timer| {
        let is_code = matches!(timer.of, crate::flow::timer::Deadline::Code { .. });
        is_code.then(|| Waiting {
            what: format!("good until then: {}", sentence::deadline(&timer.of)),
            until: Some(timer.due),
        })
    });
    let links = running.links.iter().map(|(id, link)| {
        let whom = whom(link.user);
        let used = match (link.used, link.opened) {
            (true, _) => "confirmed",
            (false, 0) => "not opened yet",
            (false, _) => "opened, not confirmed",
        };
        Waiting {
            what: format!("link {id} {whom}, {used}"),
            until: Some(link.expires),
        }
    });
    outside.chain(codes).chain(links).collect()
}

fn whom(user: Option<Uuid>) -> String {
    user.map_or_else(
        || "for nobody".to_owned(),
        |user| format!("for user {user}"),
    )
}
