//! What an execution asks of the outside, and what came of it, in the form that the trail keeps.
//!
//! Asked for in one commit, carried out after it, concluded by another command: so that nothing
//! is done twice, and what a crash hid is known to be unknown.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Something that leaves the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Effect {
    /// A mail. To whom is nobody's business who reads the trail.
    Mail {
        /// The template that it was made from.
        template: String,
    },
    /// A captcha's provider is asked about an answer.
    Captcha {
        /// The address that is asked.
        url: String,
    },
    /// A text message with a code. To whom is nobody's business who reads the trail.
    Sms {
        /// The host of the provider that sends it.
        provider: String,
    },
    /// Duo is asked to send a push to a device.
    Push {
        /// The device.
        device: Uuid,
    },
    /// Duo is asked what became of a push. Asking once more changes nothing.
    PushStatus {
        /// The stage whose account at Duo is used.
        stage: Uuid,
        /// What Duo calls the push.
        transaction: String,
    },
    /// Duo is asked to enrol a user.
    DuoEnrolment {
        /// The stage whose account at Duo is used.
        stage: Uuid,
    },
    /// Duo is asked whether a user has finished enrolling.
    DuoEnrolmentStatus {
        /// The stage whose account at Duo is used.
        stage: Uuid,
    },
    /// Nothing is done, but time passes.
    Pause,
}

impl Effect {
    /// Whether it only asks, so that a server that was restarted may ask once more.
    #[must_use]
    pub fn is_question(&self) -> bool {
        matches!(self, Self::PushStatus { .. })
    }
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "came_to", rename_all = "snake_case")]
pub enum Outcome {
    /// It was done, and there is nothing more to say.
    Done,
    /// It was done, and this was answered.
    Answered {
        /// The answer.
        answer: serde_json::Value,
    },
    /// It was not done, and is not tried again.
    Failed {
        /// Why, for the operator.
        problem: String,
    },
    /// Nothing came of it in the time that it had.
    TimedOut,
    /// Whether it was done is not known, because of a crash or a broken connection. It is never
    /// repeated.
    Unknown,
}
