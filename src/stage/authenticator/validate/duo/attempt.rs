//! How far an attempt with Duo has come, in the form that the context keeps.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::FIELD;
use crate::directory::device::{Authenticator, Device};
use crate::flow::context::{Value as Known, key};
use crate::flow::event::{MfaProblem, errors};
use crate::stage::{Turn, Verdict};

/// One push, from the moment at which Duo is asked for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Attempt {
    /// The place in the flow at which it was asked for: another one knows nothing of it.
    binding: Uuid,
    /// The device.
    pub(super) device: Uuid,
    /// Its number.
    pub(super) pk: i64,
    /// The stage by which it was enrolled, whose account is used.
    pub(super) stage: Uuid,
    /// When Duo was asked.
    pub(super) at: Timestamp,
    /// How far it has come.
    #[serde(flatten)]
    pub(super) phase: Phase,
}

/// How far an attempt has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub(super) enum Phase {
    /// Duo is asked for the push.
    Pushing {
        /// The effect that asks.
        effect: Uuid,
    },
    /// The user has it.
    Sent {
        /// The effect that asks what becomes of it.
        effect: Uuid,
        /// What Duo calls it.
        transaction: String,
    },
    /// It came to nothing, and stays so.
    Refused {
        /// Why.
        why: Refusal,
        /// How often the same was answered again.
        repeats: u8,
    },
}

/// Why an attempt came to nothing, as the visitor is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Refusal {
    /// The user said no.
    Denied,
    /// The user said nothing.
    TimedOut,
    /// Duo could not be asked.
    Unreachable,
    /// Duo does not want to be asked like this.
    Misconfigured,
    /// Nobody knows whether there was a push.
    Unknown,
}

impl Attempt {
    /// An attempt that begins now.
    pub(super) fn new(turn: &Turn<'_>, device: &Device, effect: Uuid) -> Self {
        let stage = match &device.of {
            Authenticator::Duo { stage, .. } => *stage,
            _ => Uuid::nil(),
        };
        Self {
            binding: turn.stage.binding.id,
            device: device.uuid,
            pk: device.pk,
            stage,
            at: turn.world.now(),
            phase: Phase::Pushing { effect },
        }
    }

    /// The attempt at this place in the flow, if there is one.
    pub(super) fn of(turn: &Turn<'_>) -> Option<Self> {
        let Some(Known::Json(kept)) = turn.running.context.get(key::VALIDATE_DUO) else {
            return None;
        };
        let attempt: Self = serde_json::from_value(kept.clone()).ok()?;
        (attempt.binding == turn.stage.binding.id).then_some(attempt)
    }

    /// Keeps it in the context.
    pub(super) fn keep(&self, turn: &mut Turn<'_>) {
        turn.set(key::VALIDATE_DUO, Some(Known::Json(json!(self))));
    }

    /// Forgets whatever there was.
    pub(super) fn forget(turn: &mut Turn<'_>) {
        turn.set(key::VALIDATE_DUO, None);
    }
}

impl Refusal {
    /// What the visitor is told of a problem.
    pub(super) fn of(problem: &MfaProblem) -> Self {
        match problem {
            MfaProblem::Denied { .. } => Self::Denied,
            MfaProblem::TimedOut => Self::TimedOut,
            MfaProblem::Unreachable { .. } => Self::Unreachable,
            MfaProblem::Misconfigured { .. } => Self::Misconfigured,
            _ => Self::Unknown,
        }
    }

    /// The text.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Denied => "Duo denied access",
            Self::TimedOut => {
                "The Duo push was not answered in time. Choose Duo again to get another one."
            }
            Self::Unreachable => {
                "Duo cannot be reached at the moment. Choose another way, or try again later."
            }
            Self::Misconfigured => {
                "Duo cannot be used here at the moment. Please contact an administrator."
            }
            Self::Unknown => {
                "It is not known whether a Duo push was sent. Choose Duo again to get another one."
            }
        }
    }

    /// The code, which stays the same whatever the text says.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::TimedOut => "timed_out",
            Self::Unreachable => "unreachable",
            Self::Misconfigured => "misconfigured",
            Self::Unknown => "unknown",
        }
    }

    /// The complaint.
    pub(super) fn verdict(self) -> Verdict {
        Verdict::Rejected(errors(FIELD, self.text(), self.code()))
    }
}
