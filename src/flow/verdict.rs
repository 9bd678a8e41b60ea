//! What policies said of an execution, in the form that the trail keeps.
//!
//! Facts only. How they come about is the business of `policy`.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::model::PolicyEngineMode;
use super::plan::{Pinned, PlannedStage};

/// A policy was asked and answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicyEvaluated {
    /// The binding that asked; `None` when another policy or a prompt stage did.
    pub binding: Option<Pinned>,
    /// The policy and its revision.
    pub policy: Pinned,
    /// The policy's name.
    pub name: String,
    /// Its kind, such as `expression`.
    pub kind: String,
    /// Whether it passes, after its binding turned the answer round where it does.
    pub passing: bool,
    /// Whether its binding turned the answer round: the policy itself said the opposite.
    #[serde(default, skip_serializing_if = "is_false")]
    pub negated: bool,
    /// What the visitor may read.
    pub messages: Vec<String>,
    /// What it logged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<Logged>,
    /// How long it took, in microseconds.
    pub micros: u64,
}

/// A policy was asked and its evaluation failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicyFailed {
    /// The binding that asked; `None` when another policy or a prompt stage did.
    pub binding: Option<Pinned>,
    /// The policy and its revision; version 0 when there is none.
    pub policy: Pinned,
    /// The policy's name; empty when there is none.
    pub name: String,
    /// Its kind, such as `expression`.
    pub kind: String,
    /// What counts instead of an answer: the binding's `failure_result`.
    pub passing: bool,
    /// What went wrong, in a sentence.
    pub error: String,
    /// Where in an expression it went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceback: Option<String>,
    /// What it logged until then, and what it would have said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<Logged>,
    /// How long it took, in microseconds.
    pub micros: u64,
}

impl PolicyFailed {
    /// What went wrong, with the exception's class in front where there is one, and the places
    /// without that line. The visitor reads `error` alone.
    #[must_use]
    pub fn named(&self) -> (&str, &str) {
        let traceback = self.traceback.as_deref().unwrap_or_default();
        let Some(before) = traceback.strip_suffix(&self.error) else {
            return (&self.error, traceback);
        };
        match before.rfind('\n') {
            Some(end) => (&traceback[end + 1..], &traceback[..end]),
            None => (&self.error, traceback),
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form that serde asks for"
)]
fn is_false(it: &bool) -> bool {
    !*it
}

/// One line that a policy logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logged {
    /// How serious: `debug`, `info`, `warning`, `error`.
    pub level: String,
    /// What it says.
    pub text: String,
}

/// All answers that concern one target became one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EngineDecided {
    /// What the policies are bound to.
    pub target: Target,
    /// How several answers become one.
    pub mode: PolicyEngineMode,
    /// Whether the target passes.
    pub passing: bool,
    /// The answers of bindings to groups and users.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Membership>,
    /// The policies whose evaluation failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<Uuid>,
}

/// What policies are bound to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum Target {
    /// A flow.
    Flow {
        /// Its identifier.
        flow: Uuid,
        /// Its slug.
        slug: String,
    },
    /// A stage's place in a flow.
    Binding {
        /// The binding's identifier.
        binding: Uuid,
        /// The stage's name.
        stage: String,
    },
    /// An application.
    Application {
        /// Its identifier.
        application: Uuid,
        /// Its slug.
        slug: String,
    },
    /// What was typed into a prompt stage.
    Prompt {
        /// The stage's identifier.
        stage: Uuid,
        /// The stage's name.
        name: String,
    },
}

/// What a binding to a group or a user said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The binding and its revision.
    pub binding: Pinned,
    /// The group that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Uuid>,
    /// The user that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Uuid>,
    /// Whether the opposite counted.
    #[serde(default, skip_serializing_if = "is_false")]
    pub negated: bool,
    /// Whether it passes, after that.
    pub passing: bool,
}

/// When it turned out that a stage is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// While the stages were laid out: it never came into the plan.
    Plan,
    /// When its turn came, or later: it left the plan for good.
    Run,
}

/// What a policy changed in a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "did", rename_all = "snake_case")]
pub enum PlanChange {
    /// A stage came in before the one at this place, counted from 0 for the current one.
    Insert {
        /// The place.
        at: usize,
        /// The stage.
        stage: PlannedStage,
    },
    /// A stage came to the end.
    Append {
        /// The stage.
        stage: PlannedStage,
    },
    /// A stage took the place of the current one.
    Redirect {
        /// The stage, which leads somewhere else.
        stage: PlannedStage,
    },
}

impl PlanChange {
    /// Whether another stage is the current one afterwards.
    #[must_use]
    pub fn moves_current(&self) -> bool {
        match self {
            Self::Insert { at, .. } => *at == 0,
            Self::Append { .. } => false,
            Self::Redirect { .. } => true,
        }
    }
}
