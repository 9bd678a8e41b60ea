//! What a world answered, in the form that the journal keeps.
//!
//! Objects are noted by id and version, never by content; secrets not at all.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::expression::Told;
use crate::flow::verdict::Logged;
use crate::geoip::Place;
use crate::journal::{Kind, Version};
use crate::webauthn::{Asserted, Registered};

mod answers;
mod shown;

pub use answers::end_of_evaluation;

/// One answer of the world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "saw", rename_all = "snake_case")]
pub enum Observation {
    /// The current revision of an object.
    Object {
        /// Its kind.
        kind: Kind,
        /// Its id.
        id: Uuid,
        /// Its revision; `None` when there is no such object.
        version: Option<Version>,
    },
    /// The objects that a lookup found.
    Found {
        /// Their kind.
        kind: Kind,
        /// The name of the lookup; empty for all of the kind.
        lookup: String,
        /// What was looked up.
        value: String,
        /// Their ids and revisions.
        objects: Vec<(Uuid, Version)>,
    },
    /// What a password check said.
    Password {
        /// Whose password.
        user: Uuid,
        /// What it said.
        answer: PasswordAnswer,
    },
    /// A secret was put into the execution's vault.
    Kept {
        /// Its name there.
        handle: Uuid,
    },
    /// A secret was taken from the execution's vault.
    Opened {
        /// Its name there.
        handle: Uuid,
        /// Whether it was there.
        found: bool,
    },
    /// Whether what was typed was a certain secret.
    Secret {
        /// Whether it was.
        equal: bool,
    },
    /// The evaluation of a policy began; what is noted up to its end, the policy saw.
    EvaluationBegan {
        /// The policy.
        policy: Uuid,
    },
    /// The evaluation that began last ended.
    EvaluationEnded {
        /// How long it took, in microseconds.
        micros: u64,
        /// Why it could not come to its own end, where it could not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        interrupted: Option<Interrupted>,
        /// How it went, where it was handed a secret: a replay has none to hand to it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        told: Option<Box<Told>>,
    },
    /// What a counter stood at.
    Counter {
        /// Its name.
        name: String,
        /// Its value.
        value: i64,
    },
    /// What the attempts from an address, and those with a name, came to.
    Reputation {
        /// The address, where it was asked about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<IpAddr>,
        /// The name, where it was asked about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        identifier: Option<String>,
        /// The sum of their scores.
        score: i64,
    },
    /// Where an address was.
    Place {
        /// The address.
        address: IpAddr,
        /// Where it was.
        place: Place,
    },
    /// How often a password was in lists of stolen ones.
    Breached {
        /// How often; an error in words where nobody could be asked.
        count: Result<u64, String>,
    },
    /// What a look at a secret came to.
    Weighed {
        /// Whether it is good enough.
        passes: bool,
        /// What the visitor may read of it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        advice: Vec<String>,
    },
    /// A secret was made.
    Generated,
    /// A random identifier was drawn.
    Drawn {
        /// The identifier.
        id: Uuid,
    },
    /// Which credential an assertion named.
    Presented {
        /// Its identifier; `None` for what was no assertion.
        credential: Option<String>,
    },
    /// What a device said that had made a credential.
    Registered {
        /// The credential; an error in words where it was not good.
        result: Result<Registered, String>,
    },
    /// What a device said that proved a credential.
    Asserted {
        /// What its counter stood at; an error in words where it was not good.
        result: Result<Asserted, String>,
    },
    /// A password was hashed.
    Hashed,
    /// A link was made.
    Linked {
        /// What it is known by.
        link: Uuid,
    },
    /// A mail was written.
    Posted {
        /// Its id; an error in words where it could not be written.
        mail: Result<Uuid, String>,
    },
    /// Something was asked of another server.
    Requested {
        /// The id under which it is concluded.
        effect: Uuid,
    },
    /// Whether what was typed fitted an encoded password that is not a user's current one.
    Hash {
        /// What the encoded password belongs to.
        of: Uuid,
        /// Whether it fitted.
        fits: bool,
    },
}

/// Why an evaluation was ended before it came to its own end. Nothing of it can be run again with
/// the same result, so a replay takes it as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Interrupted {
    /// Its time was over.
    #[error("the evaluation was ended after {millis} ms, which is all the time that it may take")]
    Deadline {
        /// What it was granted, in milliseconds.
        millis: u64,
        /// What it logged until then, as far as it could still tell.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        log: Vec<Logged>,
    },
    /// It wanted more memory than it may have.
    #[error("the evaluation wanted more memory than it may have")]
    Memory {
        /// What it logged until then, as far as it could still tell.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        log: Vec<Logged>,
    },
    /// The process that ran it is gone.
    #[error("the interpreter died under the evaluation: {cause}")]
    Died {
        /// What of.
        cause: String,
    },
    /// There was nothing to run it.
    #[error("nothing could run the evaluation: {cause}")]
    Unavailable {
        /// Why.
        cause: String,
    },
}

impl Interrupted {
    /// What was logged until then.
    #[must_use]
    pub fn into_log(self) -> Vec<Logged> {
        match self {
            Self::Deadline { log, .. } | Self::Memory { log } => log,
            Self::Died { .. } | Self::Unavailable { .. } => Vec::new(),
        }
    }
}

/// What a password check said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PasswordAnswer {
    /// It is the user's password.
    Accepted,
    /// It is the user's password, and its hash was replaced by a stronger one.
    Upgraded,
    /// It is not the user's password.
    Rejected,
    /// The user has no password that could be right.
    Unusable,
}
