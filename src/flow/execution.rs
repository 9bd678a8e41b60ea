//! Where an execution stands: the state that events fold into.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::client::Verified;
use super::context::Context;
use super::effect::{Effect, Outcome};
use super::entry::Entry;
use super::event::{Check, Remembered};
use super::plan::{Pinned, Plan, PlannedStage};
use super::timer::Timer;

/// The state of one execution.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Execution {
    /// Nothing has happened yet.
    #[default]
    Unstarted,
    /// The visitor is on the way.
    Running(Box<Running>),
    /// Nothing more will happen.
    Ended(Box<Ended>),
}

/// An execution whose visitor is on the way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Running {
    /// Its own id.
    pub execution: Uuid,
    /// The flow and its revision.
    pub flow: Pinned,
    /// The flow's slug.
    pub slug: String,
    /// The session of the browser that it belongs to.
    pub session: Uuid,
    /// The ways by which browsers come to it: that of the one it belongs to, and of those that it
    /// belonged to before.
    pub entries: Vec<Entry>,
    /// Whether the stages were laid out; an unplanned execution has no current stage.
    pub planned: bool,
    /// What is left to pass.
    pub plan: Plan,
    /// What was learnt.
    pub context: Context,
    /// Whether the visitor has arrived at the current stage.
    pub entered: bool,
    /// The challenge that waits for an answer.
    pub challenge: Option<Challenge>,
    /// How many challenges there were.
    pub issued: u64,
    /// How many answers were taken.
    pub answers: u32,
    /// How many passwords were refused.
    pub password_failures: u32,
    /// Whose password was shown, and when that was set.
    pub proven: Option<(Uuid, Timestamp)>,
    /// How often the flow began again.
    pub restarts: u32,
    /// What the current stage failed with, if it did.
    pub failure: Option<String>,
    /// The user who was identified, and whether they were active then.
    pub identified: Option<(Uuid, bool)>,
    /// The names of the stages that are passed.
    pub path: Vec<String>,
    /// Stages that wait, while the flow begins again, for the others to be laid out.
    pub appended: Vec<PlannedStage>,
    /// How often policies were asked what they come to, as far as it was written down.
    pub decisions: u32,
    /// The policies whose evaluation failed when the current stage's were asked last; `None`
    /// when they were not asked since the visitor came to it.
    pub failed_policies: Option<Vec<Uuid>>,
    /// The user who was logged in, and by what their browser is known from now on.
    pub remembered: Option<(Uuid, Remembered)>,
    /// The second factor that was shown, as the browser may show it again.
    pub verified: Option<Verified>,
    /// What was asked of the outside and has not come to its end.
    pub effects: BTreeMap<Uuid, Effect>,
    /// What the visitor's answer waits for.
    pub wait: Option<Wait>,
    /// The timers that are running.
    pub timers: BTreeMap<Uuid, Timer>,
    /// The links that lead here.
    pub links: BTreeMap<Uuid, Link>,
    /// The invitation that nobody else can use meanwhile.
    pub invitation: Option<Uuid>,
}

impl Running {
    /// Whom it is about: who is meant, or who was identified.
    #[must_use]
    pub fn about(&self) -> Option<Uuid> {
        let identified = self.identified.map(|(user, _)| user);
        self.context.pending_user().or(identified)
    }
}

/// What an answer, or whoever arrived, waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wait {
    /// The effect.
    pub effect: Uuid,
    /// What it is.
    pub what: Option<Effect>,
    /// What came of it, until the visitor takes that up.
    pub outcome: Option<Outcome>,
}

/// A link that leads to an execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The stage that waits for it; `None` when an operator made it.
    pub stage: Option<Uuid>,
    /// Whom it is for.
    pub user: Option<Uuid>,
    /// When it ends.
    pub expires: Timestamp,
    /// How often it was opened, as far as that was written down.
    pub opened: u8,
    /// Whether somebody confirmed it.
    pub used: bool,
}

/// A challenge that waits for an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Challenge {
    /// Counts the challenges of the execution from 1.
    pub number: u64,
    /// The component that shows it.
    pub component: String,
}

/// An execution in which nothing more will happen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// Where it stood when it ended.
    pub last: Running,
    /// How it ended.
    pub how: End,
}

/// How an execution ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "snake_case")]
pub enum End {
    /// Every stage was passed.
    Completed {
        /// Where the visitor is sent.
        destination: String,
    },
    /// A check refused.
    Denied {
        /// Which one.
        check: Check,
        /// What the visitor reads.
        message: String,
    },
    /// It was given up.
    Cancelled,
    /// Nobody came back.
    Expired,
}

impl Execution {
    /// The running execution, if it is one.
    #[must_use]
    pub fn running(&self) -> Option<&Running> {
        match self {
            Self::Running(running) => Some(running),
            _ => None,
        }
    }

    /// Where it stands, or stood when it ended.
    #[must_use]
    pub fn latest(&self) -> Option<&Running> {
        match self {
            Self::Unstarted => None,
            Self::Running(running) => Some(running),
            Self::Ended(ended) => Some(&ended.last),
        }
    }

    /// Whether nothing more will happen.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Ended(_))
    }
}

impl Running {
    /// What came of what was waited for, and that nobody has taken up.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        self.wait.as_ref()?.outcome.as_ref()
    }

    /// The id of the open challenge, which the interface sends back with the answer.
    #[must_use]
    pub fn challenge_id(&self) -> Option<String> {
        let challenge = self.challenge.as_ref()?;
        Some(format!("{}-{}", self.execution.simple(), challenge.number))
    }

    /// Whether the user proved, by a link that this stage sent or an operator made, that they
    /// read what is sent to them. The proof of one user is none of another.
    #[must_use]
    pub fn is_confirmed(&self, stage: Uuid, user: Uuid) -> bool {
        self.links.values().any(|link| {
            let fits = link.stage.is_none_or(|sent_by| sent_by == stage);
            link.used && fits && link.user == Some(user)
        })
    }
}
