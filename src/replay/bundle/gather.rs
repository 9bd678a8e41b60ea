//! The revisions that an execution refers to: those that it saw, and those that it is pinned to.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::Held;
use crate::catalog::{Flow, FlowStageBinding, Policy, PolicyBinding, Stage};
use crate::flow::Event;
use crate::flow::plan::{Pinned, PlannedStage};
use crate::flow::verdict::PlanChange;
use crate::journal::object::Stored;
use crate::journal::{self, Journal, StreamId, Version};
use crate::replay::{Entry, Error};
use crate::world::Observation;

/// All of them, by kind, identifier and version.
pub(super) async fn revisions(
    journal: &dyn Journal,
    execution: Uuid,
    records: &[Entry],
) -> Result<Vec<Held>, Error> {
    let mut wanted = Wanted::default();
    for entry in records {
        entry
            .record
            .observations
            .iter()
            .for_each(|it| wanted.seen(it));
        entry
            .record
            .events
            .iter()
            .for_each(|it| wanted.happened(it));
    }
    let mut held = Vec::with_capacity(wanted.0.len());
    for (stream, version) in wanted.0 {
        let found = journal.get_at(stream, version).await?;
        let found = found.ok_or(Error::Incomplete {
            execution,
            object: stream,
            at: version,
        })?;
        let body =
            serde_json::from_slice(&found.body).map_err(|error| journal::Error::Corrupt {
                stream,
                version,
                problem: format!("its body cannot be read: {error}"),
            })?;
        held.push(Held {
            kind: stream.kind,
            id: stream.id,
            version,
            at: found.at,
            schema: found.schema,
            body,
        });
    }
    Ok(held)
}

#[derive(Default)]
struct Wanted(BTreeSet<(StreamId, Version)>);

impl Wanted {
    fn pinned<T: Stored>(&mut self, pinned: &Pinned) {
        // What a policy made up, or is gone, has no version.
        if pinned.version > 0 {
            let stream = StreamId::new(T::KIND, pinned.id);
            self.0.insert((stream, Version(pinned.version)));
        }
    }

    fn planned(&mut self, stage: &PlannedStage) {
        self.pinned::<FlowStageBinding>(&stage.binding);
        self.pinned::<Stage>(&stage.stage);
    }

    fn seen(&mut self, note: &Observation) {
        match note {
            Observation::Object {
                kind,
                id,
                version: Some(version),
            } => {
                self.0.insert((StreamId::new(*kind, *id), *version));
            }
            Observation::Found { kind, objects, .. } => {
                let objects = objects.iter();
                self.0
                    .extend(objects.map(|(id, version)| (StreamId::new(*kind, *id), *version)));
            }
            _ => {}
        }
    }

    fn happened(&mut self, event: &Event) {
        match event {
            Event::Started { flow, .. } | Event::Redirected { flow, .. } => {
                self.pinned::<Flow>(flow);
            }
            Event::Planned { plan } => plan.0.iter().for_each(|stage| self.planned(stage)),
            Event::PlanChanged { change, .. } => match change {
                PlanChange::Insert { stage, .. }
                | PlanChange::Append { stage }
                | PlanChange::Redirect { stage } => self.planned(stage),
            },
            Event::PolicyEvaluated(it) => {
                self.pinned::<Policy>(&it.policy);
                it.binding
                    .iter()
                    .for_each(|it| self.pinned::<PolicyBinding>(it));
            }
            Event::PolicyFailed(it) => {
                self.pinned::<Policy>(&it.policy);
                it.binding
                    .iter()
                    .for_each(|it| self.pinned::<PolicyBinding>(it));
            }
            _ => {}
        }
    }
}
