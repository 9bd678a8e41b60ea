//! Two executions side by side, or two points of one: what differs first, and what is different
//! where they stand.
//!
//! What is another one each time by its nature, such as the execution's own identifier, a session, a
//! link or a moment, is no difference between two executions.

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::state::changes::{Facts, between, facts};
use super::{Change, Entry, Place, mask, sentence};
use crate::flow::{Event, Execution, code, evolve};
use crate::journal::Version;

mod aligned;
mod alike;

use alike::Alike;

/// Two points of executions, compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diff {
    /// The one.
    pub left: Point,
    /// The other.
    pub right: Point,
    /// Whether nothing is different.
    pub is_same: bool,
    /// How many events are alike before the first that is not.
    pub alike: usize,
    /// The first event that is not alike; none where all are.
    pub first: Option<Pair>,
    /// What is different where they stand: `was` of the one, `is` of the other.
    pub facts: Vec<Change>,
    /// The events of both, in order, alike ones beside each other.
    pub events: Vec<Pair>,
}

/// A point of an execution.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Point {
    /// The execution.
    pub execution: Uuid,
    /// Its short code.
    pub code: String,
    /// The flow that it is in there.
    pub flow: String,
    /// The point.
    pub place: Place,
    /// When that was recorded.
    pub at: Timestamp,
    /// How it stands there.
    pub state: &'static str,
    /// The stage it is at, or the reason why it ended.
    pub detail: String,
}

/// An event of the one and an event of the other; where there is only one, the other lacks it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// Of the one.
    pub left: Option<Seen>,
    /// Of the other.
    pub right: Option<Seen>,
    /// Whether they are alike.
    pub is_alike: bool,
}

/// An event as it may be shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Seen {
    /// Where it is.
    pub place: Place,
    /// When it was recorded.
    pub at: Timestamp,
    /// What sort of event it is.
    pub kind: String,
    /// The stage that the visitor was at.
    pub stage: Option<String>,
    /// The event in sentences.
    pub lines: Vec<String>,
}

/// One side, up to a place.
pub struct Side<'a> {
    entries: &'a [Entry],
    place: Place,
}

impl<'a> Side<'a> {
    /// An execution up to `version`, or to its end. `None` where it has no such record.
    #[must_use]
    pub fn of(entries: &'a [Entry], version: Option<Version>) -> Option<Self> {
        let last = entries.last()?;
        let version = version.unwrap_or(last.version);
        let entry = entries.iter().find(|it| it.version == version)?;
        let place = Place {
            version,
            event: entry.record.events.len(),
        };
        Some(Self { entries, place })
    }

    fn until(&self) -> impl Iterator<Item = &'a Entry> {
        let last = self.place.version;
        self.entries.iter().take_while(move |it| it.version <= last)
    }
}

/// What one side is made of.
struct Gone<'a> {
    events: Vec<(&'a Event, Seen)>,
    point: Point,
    facts: Facts,
    alike: Alike,
}

/// Compares two points. `None` where one of them is before anything began.
#[must_use]
pub fn diff(left: &Side<'_>, right: &Side<'_>) -> Option<Diff> {
    let (one, other) = (gone(left)?, gone(right)?);
    // Of one execution everything has the same name at every point.
    let is_one = one.point.execution == other.point.execution;
    let told = |side: &Gone<'_>| -> Vec<String> {
        let events = side.events.iter();
        events.map(|(event, _)| side.alike.event(event)).collect()
    };
    let named = |side: &Gone<'_>| -> Facts {
        let facts = side.facts.iter();
        facts
            .map(|(name, text)| (name.clone(), side.alike.text(text)))
            .collect()
    };
    let facts = if is_one {
        between(&one.facts, &other.facts)
    } else {
        between(&named(&one), &named(&other))
    };
    let seen = |side: &Gone<'_>, at: Option<usize>| at.map(|at| side.events[at].1.clone());
    let pairs = aligned::pairs(&told(&one), &told(&other));
    let events: Vec<Pair> = pairs
        .into_iter()
        .map(|(at, to)| Pair {
            left: seen(&one, at),
            right: seen(&other, to),
            is_alike: at.is_some() && to.is_some(),
        })
        .collect();
    let alike = events.iter().take_while(|it| it.is_alike).count();
    // What stands at the same place in both is told together, also where it is not alike.
    let first = events[alike..].iter().any(|it| !it.is_alike).then(|| Pair {
        left: one.events.get(alike).map(|it| it.1.clone()),
        right: other.events.get(alike).map(|it| it.1.clone()),
        is_alike: false,
    });
    Some(Diff {
        is_same: first.is_none() && facts.is_empty(),
        left: one.point,
        right: other.point,
        alike,
        first,
        facts,
        events,
    })
}

fn gone<'a>(side: &Side<'a>) -> Option<Gone<'a>> {
    let mut state = Execution::default();
    let mut events = Vec::new();
    let mut last = None;
    for entry in side.until() {
        last = Some(entry);
        for (number, event) in entry.record.events.iter().enumerate() {
            let before = stage(&state);
            state = evolve(state, event);
            let shown = serde_json::to_value(mask::event(event)).unwrap_or_default();
            let seen = Seen {
                place: Place {
                    version: entry.version,
                    event: number + 1,
                },
                at: entry.at,
                kind: super::watch::kind(event),
                stage: before.or_else(|| stage(&state)),
                lines: sentence::told(&shown),
            };
            events.push((event, seen));
        }
    }
    let latest = state.latest()?;
    let (word, detail) = super::summary::standing(&state);
    let point = Point {
        execution: latest.execution,
        code: code(latest.execution).to_string(),
        flow: latest.slug.clone(),
        place: side.place,
        at: last?.at,
        state: word,
        detail,
    };
    let began = side.entries.first()?.at;
    Some(Gone {
        alike: Alike::of(began, side.entries),
        facts: facts(&state),
        events,
        point,
    })
}

fn stage(state: &Execution) -> Option<String> {
    let running = state.running().filter(|it| it.entered)?;
    Some(running.plan.current()?.name.clone())
}
