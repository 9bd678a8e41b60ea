//! The moments at which something happens to an execution by itself, in the form that the store keeps.
//!
//! One object for each timer that runs, written and removed with the events that set and stop it.
//! Their ids begin with the moment, so what is due next is what comes first; nothing of it is kept
//! in memory but that moment.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::flow::Execution;
use crate::flow::effect::Effect;
use crate::flow::timer::Deadline;
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{Journal, Key, Kind, Objects, Result, Version, Write};

/// A timer of an execution. It holds nothing personal, so it lies under the system's key: it must
/// be found also when the execution can be read no more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Timer {
    /// Its id, which begins with the moment.
    pub(super) id: Uuid,
    /// The execution.
    pub(super) execution: Uuid,
    /// When it fires.
    pub(super) due: Timestamp,
    /// The effect whose time it is, where it is one's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) effect: Option<Uuid>,
    /// What is asked of others meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) asks: Option<Effect>,
    /// The node that asks, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) node: Option<Uuid>,
}

impl Stored for Timer {
    const KIND: Kind = Kind::new("timer");

    fn id(&self) -> Uuid {
        self.id
    }

    fn index(&self) -> Vec<Key> {
        vec![Key::new("execution", self.execution)]
    }
}

/// The revision of every timer: it is written once.
const ONLY: Version = Version(1);

/// The writes that make the stored timers those that run in the state, set by `node`.
pub(super) fn writes(before: &Execution, after: &Execution, node: Option<Uuid>) -> Vec<Write> {
    let (Some(running), earlier) = (after.latest(), before.latest()) else {
        return Vec::new();
    };
    let set = running.timers.iter();
    let set = set.filter(|(id, _)| earlier.is_none_or(|it| !it.timers.contains_key(id)));
    let mut writes: Vec<Write> = set
        .map(|(id, set)| {
            let effect = match set.of {
                Deadline::Effect { effect } => Some(effect),
                Deadline::Code { .. } | Deadline::Link { .. } => None,
            };
            let timer = Timer {
                id: *id,
                execution: running.execution,
                due: set.due,
                effect,
                asks: effect.and_then(|effect| running.effects.get(&effect).cloned()),
                node: node.filter(|_| effect.is_some()),
            };
            object::put(&timer, Version::NONE)
        })
        .collect();
    let stopped = earlier.into_iter().flat_map(|it| it.timers.keys());
    let stopped = stopped.filter(|id| !running.timers.contains_key(id));
    writes.extend(stopped.map(|id| object::delete::<Timer>(*id, ONLY)));
    writes
}

/// The writes that stop all timers of an execution that can be read no more.
pub(super) async fn removal(
    objects: &(impl Objects + ?Sized),
    execution: Uuid,
) -> Result<Vec<Write>> {
    let found: Vec<Versioned<Timer>> =
        object::scan(objects, Key::new("execution", execution)).await?;
    let ends = |it: &Versioned<Timer>| object::delete::<Timer>(it.value.id, it.version);
    Ok(found.iter().map(ends).collect())
}

/// The next timers after `after`, the first that are due first.
pub(super) async fn next(
    journal: &dyn Journal,
    after: Option<Uuid>,
    limit: usize,
) -> Result<Vec<Timer>> {
    let page = Journal::list(journal, Timer::KIND, after, limit).await?;
    let timers = page
        .iter()
        .map(|found| Ok(object::open::<Timer>(found)?.value));
    timers.collect()
}

/// The moment before which no timer is due, so that nobody looks for one in vain.
#[derive(Debug)]
pub(super) struct Earliest(AtomicI64);

impl Default for Earliest {
    /// Nobody has looked yet.
    fn default() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }
}

impl Earliest {
    /// Whether a timer may be due.
    pub(super) fn may_be_due(&self, now: Timestamp) -> bool {
        self.0.load(Ordering::Acquire) <= now.as_millisecond()
    }

    /// Somebody is about to look: from here on, only what is set meanwhile and what they find counts.
    pub(super) fn looked_for(&self) {
        self.0.store(i64::MAX, Ordering::Release);
    }

    /// There is a timer at this moment.
    pub(super) fn note(&self, due: Timestamp) {
        self.0.fetch_min(due.as_millisecond(), Ordering::AcqRel);
    }

    /// Notes what a command set.
    pub(super) fn note_set(&self, before: &Execution, after: &Execution) {
        let running = after.latest().map(|it| &it.timers);
        for (id, set) in running.into_iter().flatten() {
            if before.latest().is_none_or(|it| !it.timers.contains_key(id)) {
                self.note(set.due);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_looks_before_the_first_timer_is_due() {
        let at = |second| Timestamp::from_second(second).expect("a moment");
        let earliest = Earliest::default();
        assert!(earliest.may_be_due(at(0)), "nobody has looked yet");
        earliest.looked_for();
        assert!(!earliest.may_be_due(at(1_000_000)));
        earliest.note(at(20));
        earliest.note(at(30));
        assert!(!earliest.may_be_due(at(19)));
        assert!(earliest.may_be_due(at(20)));
    }
}
