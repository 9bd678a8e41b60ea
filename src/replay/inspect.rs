//! The plans that an execution had on its way, as the inspector shows them.

use uuid::Uuid;

use super::Entry;
use crate::flow::event::Event;
use crate::flow::execution::Running;
use crate::flow::plan::PlannedStage;
use crate::flow::{Context, Execution, evolve};

/// What an execution had before it at some time.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// The stage that the visitor was at.
    pub current: PlannedStage,
    /// The one after it.
    pub next: Option<PlannedStage>,
    /// What was known.
    pub context: Context,
}

/// An execution from its beginning to where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspection {
    /// The slug of the flow that it is in.
    pub slug: String,
    /// The session that it belongs to.
    pub session: Uuid,
    /// What it had before it whenever a stage was passed, oldest first.
    pub passed: Vec<Moment>,
    /// What it has before it; nothing when it is over, or before its stages are laid out.
    pub at: Option<Moment>,
    /// What is known at its end.
    pub context: Context,
    /// Whether it is over.
    pub is_over: bool,
}

/// Goes through an execution again. `None` when it never began.
#[must_use]
pub fn inspect(entries: &[Entry]) -> Option<Inspection> {
    let mut state = Execution::default();
    let mut passed = Vec::new();
    for event in super::events(entries) {
        if let (Event::StageCompleted { .. }, Some(running)) = (event, state.running()) {
            passed.extend(moment(running));
        }
        state = evolve(state, event);
    }
    let last = state.latest()?;
    Some(Inspection {
        slug: last.slug.clone(),
        session: last.session,
        at: state.running().and_then(moment),
        context: last.context.clone(),
        is_over: state.running().is_none(),
        passed,
    })
}

fn moment(running: &Running) -> Option<Moment> {
    let mut stages = running.plan.0.iter();
    Some(Moment {
        current: stages.next()?.clone(),
        next: stages.next().cloned(),
        context: running.context.clone(),
    })
}
