//! Why somebody was refused who tried to show who they are, for the operator.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Why a second factor was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum MfaProblem {
    /// It is not the code.
    Wrong,
    /// It was the code once: it was used, or its time is over.
    Expired,
    /// There were too many wrong codes, so that none is looked at for a while.
    Locked {
        /// Until when.
        until: Timestamp,
    },
    /// Nobody has such a device, or it is somebody else's.
    UnknownDevice,
    /// Devices of its type are not allowed here.
    Type,
    /// What the device signed is not good.
    Assertion {
        /// What is wrong with it.
        problem: String,
    },
    /// The user refused.
    Denied {
        /// What the provider said of it.
        said: String,
    },
    /// Nothing came in the time that there was.
    TimedOut,
    /// The provider could not be reached, or did not make sense.
    Unreachable {
        /// What went wrong.
        problem: String,
    },
    /// The provider does not take what the operator has set.
    Misconfigured {
        /// What it complained of.
        problem: String,
    },
    /// Whether the provider did anything is not known, because the server was interrupted.
    Unknown,
}

/// Why no back end accepted a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PasswordProblem {
    /// Nobody has the identifier that was typed.
    UnknownUser,
    /// The user is not active.
    InactiveUser,
    /// The user has no password that could be right.
    Unusable,
    /// The password is not the user's.
    Wrong,
}
