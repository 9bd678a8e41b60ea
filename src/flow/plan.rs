//! The stages that an execution still has to pass, with the versions that it is pinned to.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::model::InvalidResponseAction;
use super::verdict::PlanChange;

/// One revision of an object of the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pinned {
    /// Which object.
    pub id: Uuid,
    /// Which of its revisions.
    pub version: u64,
}

/// One stage within a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedStage {
    /// The binding that put it there.
    pub binding: Pinned,
    /// The stage itself.
    pub stage: Pinned,
    /// The stage's kind, such as `password`.
    pub kind: String,
    /// The stage's name, for people who read the trail.
    pub name: String,
    /// Whether the binding's policies are asked each time before the stage is run.
    pub re_evaluate: bool,
    /// What a rejected response does.
    pub on_invalid: InvalidResponseAction,
    /// The settings of a stage that is in no catalog, because a policy made it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<serde_json::Map<String, serde_json::Value>>,
    /// Whether it was appended to the plan by something else than the flow, and so is there also
    /// after the flow began again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub appended: bool,
}

impl PlannedStage {
    /// No stage at all, for what is shown outside of any.
    #[must_use]
    pub fn nowhere() -> Self {
        let nothing = Pinned {
            id: Uuid::nil(),
            version: 0,
        };
        Self {
            binding: nothing,
            stage: nothing,
            kind: String::new(),
            name: String::new(),
            re_evaluate: false,
            on_invalid: InvalidResponseAction::Retry,
            settings: None,
            appended: false,
        }
    }

    /// A stage that no flow binds and no catalog has.
    #[must_use]
    pub fn made_up(
        kind: &str,
        name: &str,
        settings: serde_json::Map<String, serde_json::Value>,
    ) -> Self {
        Self {
            kind: kind.to_owned(),
            name: name.to_owned(),
            settings: Some(settings),
            ..Self::nowhere()
        }
    }
}

/// What is left to do; the first stage is the current one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Plan(pub VecDeque<PlannedStage>);

impl Plan {
    /// The stage that the visitor is at.
    #[must_use]
    pub fn current(&self) -> Option<&PlannedStage> {
        self.0.front()
    }

    /// Makes a change that a policy asked for.
    pub fn change(&mut self, change: &PlanChange) {
        let stages = &mut self.0;
        match change {
            PlanChange::Append { stage } => stages.push_back(PlannedStage {
                appended: true,
                ..stage.clone()
            }),
            PlanChange::Insert { at, stage } => {
                stages.insert((*at).min(stages.len()), stage.clone());
            }
            PlanChange::Redirect { stage } => {
                stages.pop_front();
                stages.push_front(stage.clone());
            }
        }
    }
}

impl FromIterator<PlannedStage> for Plan {
    fn from_iter<I: IntoIterator<Item = PlannedStage>>(stages: I) -> Self {
        Self(stages.into_iter().collect())
    }
}
