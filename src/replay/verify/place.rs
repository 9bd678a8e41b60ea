//! Where in the configuration an event or a question belongs: the stage, the policy or the flow.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::catalog;
use crate::flow::event::Event;
use crate::flow::input::{Input, Request};
use crate::flow::plan::Pinned;
use crate::flow::{Execution, verdict};
use crate::journal::object::{self, Stored as _};
use crate::journal::{self, Journal, Kind, StreamId, Version};
use crate::world::Observation;

/// A definition in the revision that an execution went by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// What it defines: `flow`, `stage`, `policy`, or what else can be evaluated.
    pub what: String,
    /// The kind of stage or policy, such as `password`; empty for what has no kinds.
    pub kind: String,
    /// Its name, or the slug of a flow; empty where it is not known.
    pub name: String,
    /// Its identifier.
    pub id: Uuid,
    /// Its revision; 0 where that is not known, or a policy made the stage up.
    pub version: u64,
}

impl fmt::Display for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {}", self.what)?;
        if !self.name.is_empty() {
            write!(f, " {:?}", self.name)?;
        }
        f.write_str(" (")?;
        if !self.kind.is_empty() {
            write!(f, "{}, ", self.kind)?;
        }
        write!(f, "{}, version {})", self.id, self.version)
    }
}

fn flow(slug: &str, pinned: Pinned) -> Definition {
    Definition {
        what: "flow".to_owned(),
        kind: String::new(),
        name: slug.to_owned(),
        id: pinned.id,
        version: pinned.version,
    }
}

/// The definition that an event names itself.
pub(super) fn of_event(event: &Event) -> Option<Definition> {
    let policy = |kind: &str, name: &str, pinned: Pinned| Definition {
        what: "policy".to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        id: pinned.id,
        version: pinned.version,
    };
    match event {
        Event::Started { flow: it, slug, .. } | Event::Redirected { flow: it, slug, .. } => {
            Some(flow(slug, *it))
        }
        Event::PolicyEvaluated(verdict::PolicyEvaluated {
            policy: it,
            name,
            kind,
            ..
        })
        | Event::PolicyFailed(verdict::PolicyFailed {
            policy: it,
            name,
            kind,
            ..
        }) => Some(policy(kind, name, *it)),
        _ => None,
    }
}

/// The stage that an execution is at, or its flow before and after all stages.
pub(super) fn of_state(state: &Execution) -> Option<Definition> {
    let latest = state.latest()?;
    let Some(at) = latest.plan.current().filter(|_| state.running().is_some()) else {
        return Some(flow(&latest.slug, latest.flow));
    };
    Some(Definition {
        what: "stage".to_owned(),
        kind: at.kind.clone(),
        name: at.name.clone(),
        id: at.stage.id,
        version: at.stage.version,
    })
}

/// The flow that an input begins.
pub(super) async fn of_beginning(
    journal: &dyn Journal,
    input: &Input,
    notes: &[Observation],
) -> journal::Result<Option<Definition>> {
    let Request::Begin { flow: id, .. } = &input.request else {
        return Ok(None);
    };
    let Some((_, version)) = last_seen(notes, *id) else {
        return Ok(None);
    };
    let found = object::get_at::<catalog::Flow>(journal, *id, version).await?;
    let version = version.0;
    Ok(found.map(|it| flow(it.value.slug.as_ref(), Pinned { id: *id, version })))
}

/// What was being evaluated when `notes` were all that had been asked; `None` when nothing was.
pub(super) async fn of_evaluation(
    journal: &dyn Journal,
    notes: &[Observation],
) -> journal::Result<Option<Definition>> {
    let mut open = Vec::new();
    for note in notes {
        match note {
            Observation::EvaluationBegan { policy } => open.push(*policy),
            Observation::EvaluationEnded { .. } => drop(open.pop()),
            _ => {}
        }
    }
    let Some(id) = open.pop() else {
        return Ok(None);
    };
    let (seen, version) = last_seen(notes, id).unwrap_or((catalog::Policy::KIND, Version::NONE));
    let mut definition = Definition {
        what: seen.to_string(),
        kind: String::new(),
        name: String::new(),
        id,
        version: version.0,
    };
    if let Some(object) = journal.get_at(StreamId::new(seen, id), version).await? {
        let body: serde_json::Value = serde_json::from_slice(&object.body).unwrap_or_default();
        let text = |member: &str| body[member].as_str().unwrap_or_default().to_owned();
        definition.name = text("name");
        definition.kind = text("kind");
    }
    Ok(Some(definition))
}

/// In which revision an object was seen last.
fn last_seen(notes: &[Observation], of: Uuid) -> Option<(Kind, Version)> {
    notes.iter().rev().find_map(|note| match note {
        Observation::Object { kind, id, version } if *id == of => Some((*kind, (*version)?)),
        Observation::Found { kind, objects, .. } => {
            let found = objects.iter().find(|(id, _)| *id == of);
            found.map(|(_, version)| (*kind, *version))
        }
        _ => None,
    })
}
