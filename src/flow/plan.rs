//! The stages that an execution still has to pass, with the versions that it is pinned to.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::model::InvalidResponseAction;

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
}

impl FromIterator<PlannedStage> for Plan {
    fn from_iter<I: IntoIterator<Item = PlannedStage>>(stages: I) -> Self {
        Self(stages.into_iter().collect())
    }
}
