//! How an execution went, or would go.

use serde::Serialize;

use super::missing::Missing;
use crate::flow::event::{Check, Event};
use crate::flow::execution::End;
use crate::flow::plan::PlannedStage;
use crate::flow::verdict::Target;
use crate::flow::{Execution, evolve};
use crate::replay::{Entry, events};

/// How an execution went, or would go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// Every stage was passed, and somebody was logged in.
    LetIn {
        /// Whether a second factor was shown on the way.
        second_factor: bool,
    },
    /// Every stage was passed, and none of them logged anybody in.
    Passed,
    /// A check refused.
    Denied {
        /// What refused, in words without anything personal.
        by: String,
    },
    /// A second factor is asked for, and nobody knows what the visitor would show.
    AskedForSecondFactor {
        /// The stage that asks.
        stage: String,
    },
    /// The visitor did not come further than this stage.
    Unfinished {
        /// The stage.
        stage: String,
    },
    /// A stage could not do its work.
    Failed {
        /// What went wrong.
        problem: String,
    },
    /// Nobody knows.
    Unknown {
        /// What would have to be known.
        why: Missing,
    },
}

impl Outcome {
    /// A few words for it.
    #[must_use]
    pub const fn words(&self) -> &'static str {
        match self {
            Self::LetIn {
                second_factor: true,
            } => "let in after a second factor",
            Self::LetIn { .. } => "let in",
            Self::Passed => "passed, nobody logged in",
            Self::Denied { .. } => "denied",
            Self::AskedForSecondFactor { .. } => "asked for a second factor",
            Self::Unfinished { .. } => "left unfinished",
            Self::Failed { .. } => "failed",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// What is to be said besides, where there is more.
    #[must_use]
    pub fn more(&self) -> Option<String> {
        match self {
            Self::LetIn { .. } | Self::Passed => None,
            Self::Denied { by } => Some(format!("by {by}")),
            Self::AskedForSecondFactor { stage } | Self::Unfinished { stage } => {
                Some(format!("at the stage \"{stage}\""))
            }
            Self::Failed { problem } => Some(problem.clone()),
            Self::Unknown { why } => Some(why.to_string()),
        }
    }
}

/// How an execution went.
pub(super) fn recorded(entries: &[Entry]) -> Outcome {
    let all = events(entries);
    let state = all.iter().copied().fold(Execution::default(), evolve);
    of(&state, all).unwrap_or_else(|| unfinished(&state))
}

/// How an execution ended that has these events; `None` while it has not.
pub(super) fn of<'a>(
    state: &Execution,
    events: impl IntoIterator<Item = &'a Event>,
) -> Option<Outcome> {
    match state {
        Execution::Unstarted => None,
        Execution::Running(running) => {
            let stuck = running
                .failure
                .clone()
                .filter(|_| running.challenge.is_none());
            stuck.map(|problem| Outcome::Failed { problem })
        }
        Execution::Ended(ended) => match &ended.how {
            End::Completed { .. } => {
                let (mut second_factor, mut is_logged_in) = (false, false);
                for event in events {
                    second_factor |= matches!(event, Event::MfaVerified { .. });
                    is_logged_in |= matches!(event, Event::SessionStarted { .. });
                }
                Some(if is_logged_in {
                    Outcome::LetIn { second_factor }
                } else {
                    Outcome::Passed
                })
            }
            End::Denied { check, .. } => Some(Outcome::Denied {
                by: refuser(check, events),
            }),
            // Nobody came back, which says nothing of the stage.
            End::Cancelled | End::Expired => None,
        },
    }
}

/// How an execution stands that nothing more comes to.
pub(super) fn unfinished(state: &Execution) -> Outcome {
    let at = state.latest().and_then(|it| it.plan.current());
    Outcome::Unfinished {
        stage: at.map(|it| it.name.clone()).unwrap_or_default(),
    }
}

/// Whether a stage is there to be shown a second factor, or to set one up.
pub(super) fn is_second_factor(stage: &PlannedStage) -> bool {
    stage.kind.starts_with("authenticator_")
}

/// What refused: a policy by its name where one did, or the check.
fn refuser<'a>(check: &Check, events: impl IntoIterator<Item = &'a Event>) -> String {
    match check {
        Check::Requirement => "the flow's authentication requirement".to_owned(),
        Check::Policies => of_flow(events),
        Check::Stage { stage } => format!("the stage \"{stage}\""),
        Check::Next => "the check of the address to go to afterwards".to_owned(),
        Check::FlowDeleted => "the check that the flow is still there".to_owned(),
        Check::UserInactive => "the check that the user is active".to_owned(),
        Check::PasswordChanged => "the check that the password is still the same".to_owned(),
        Check::Attempts => "the limit of attempts".to_owned(),
        Check::Link => "the check of the link".to_owned(),
    }
}

/// The policies of the flow that did not pass when they were asked last.
fn of_flow<'a>(events: impl IntoIterator<Item = &'a Event>) -> String {
    let mut asked: Vec<&str> = Vec::new();
    let mut refused = Vec::new();
    for event in events {
        match event {
            Event::PolicyEvaluated(it) if !it.passing => asked.push(&it.name),
            Event::PolicyFailed(it) if !it.passing => asked.push(&it.name),
            Event::EngineDecided(it) => {
                let asked = std::mem::take(&mut asked);
                if matches!(it.target, Target::Flow { .. }) && !it.passing {
                    refused = asked;
                }
            }
            _ => {}
        }
    }
    refused.retain(|name| !name.is_empty());
    refused.sort_unstable();
    refused.dedup();
    if refused.is_empty() {
        return "the groups and users that the flow is bound to".to_owned();
    }
    let names: Vec<_> = refused.iter().map(|name| format!("\"{name}\"")).collect();
    format!("the flow's policy {}", names.join(", "))
}
