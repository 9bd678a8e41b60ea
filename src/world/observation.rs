//! What a world answered, in the form that the journal keeps.
//!
//! Objects are noted by id and version, never by content; secrets not at all.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::journal::{Kind, Version};

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
