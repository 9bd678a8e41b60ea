//! What can happen to an execution. Past tense; never a wish, never a secret.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::client::Client;
use super::context::Value;
use super::plan::{Pinned, Plan};
use super::verdict::{EngineDecided, PlanChange, PolicyEvaluated, PolicyFailed, When};

/// One complaint about a field of a response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// What a person reads.
    pub string: String,
    /// What a program reads, such as `required`.
    pub code: String,
}

/// Complaints by field name; `non_field_errors` for the response as a whole.
pub type Errors = BTreeMap<String, Vec<FieldError>>;

/// The name under which errors of the whole response are reported.
pub const NON_FIELD_ERRORS: &str = "non_field_errors";

/// An error with its text and its code.
#[must_use]
pub fn error(string: impl Into<String>, code: &str) -> FieldError {
    FieldError {
        string: string.into(),
        code: code.to_owned(),
    }
}

/// One error of one field.
#[must_use]
pub fn errors(field: &str, string: impl Into<String>, code: &str) -> Errors {
    Errors::from([(field.to_owned(), vec![error(string, code)])])
}

/// Which check ended an execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "check", rename_all = "snake_case")]
pub enum Check {
    /// The flow's authentication requirement.
    Requirement,
    /// The flow's policies.
    Policies,
    /// A stage, by its name.
    Stage {
        /// The stage's name.
        stage: String,
    },
    /// The address to go to afterwards.
    Next,
    /// The flow was deleted while the execution ran.
    FlowDeleted,
    /// The user was made inactive, or deleted, while the execution ran.
    UserInactive,
    /// Too many answers, or too many restarts.
    Attempts,
}

/// How long a browser counts as known after a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// The login stage; others do not know the browser by it.
    pub stage: Uuid,
    /// Until when.
    pub until: Timestamp,
}

/// One fact about one execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The execution began.
    Started {
        /// The execution's own id.
        execution: Uuid,
        /// The flow and its revision.
        flow: Pinned,
        /// The flow's slug.
        slug: String,
        /// The browser's session.
        session: Uuid,
        /// Whoever asked for it.
        client: Client,
        /// The query string that it was asked with.
        query: String,
    },
    /// The stages were laid out.
    Planned {
        /// What is to be passed, in order.
        plan: Plan,
    },
    /// The flow begins again from its first stage.
    Restarted {
        /// Whether what was learnt is kept.
        keep_context: bool,
    },
    /// The visitor arrived at a stage.
    StageEntered {
        /// The binding.
        binding: Uuid,
        /// The stage's name.
        stage: String,
    },
    /// A stage asks the visitor.
    ChallengeIssued {
        /// Counts the challenges of this execution from 1.
        number: u64,
        /// The component that shows it.
        component: String,
        /// The stage's own part of the challenge.
        fields: serde_json::Value,
    },
    /// The visitor answered a challenge.
    ResponseReceived {
        /// The challenge's number.
        number: u64,
        /// The names of the fields that were sent; values lie in the input, where public.
        fields: Vec<String>,
    },
    /// The answer was not accepted.
    ResponseRejected {
        /// Why, by field.
        errors: Errors,
    },
    /// The stage is passed.
    StageCompleted {
        /// The binding.
        binding: Uuid,
        /// The stage's name.
        stage: String,
    },
    /// A stage could not do its work; the execution stays where it is.
    StageFailed {
        /// The stage's name.
        stage: String,
        /// What went wrong, for the operator.
        error: String,
    },
    /// An entry of the context was put, replaced or removed.
    ContextChanged {
        /// Its key.
        key: String,
        /// What it holds now; `None` when it was removed.
        value: Option<Value>,
        /// The stage that did it.
        by: String,
    },
    /// The visitor named themselves. It proves nothing yet.
    UserIdentified {
        /// Whom the identifier belongs to, if anybody.
        user: Option<Uuid>,
        /// Whether that user was active at that moment.
        active: bool,
    },
    /// A back end accepted the password.
    PasswordVerified {
        /// Whose password.
        user: Uuid,
        /// The back end's dotted path.
        backend: String,
    },
    /// No back end accepted the password.
    PasswordRejected {
        /// Whose password it should have been; `None` for a stranger.
        user: Option<Uuid>,
        /// Why, for the operator. The visitor always reads the same sentence.
        reason: PasswordProblem,
    },
    /// The user is logged in.
    SessionStarted {
        /// The browser's session.
        session: Uuid,
        /// Who is logged in.
        user: Uuid,
        /// When the session ends by itself.
        expires: Timestamp,
        /// Whether the cookie outlives the browser.
        persistent: bool,
        /// Other sessions of the user that ended with it.
        terminated: Vec<Uuid>,
        /// Who was logged in there before, where it was somebody else.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replaced: Option<Uuid>,
        /// What the browser is given to be known by, where the stage gives it something.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device: Option<Remembered>,
    },
    /// The user is logged out.
    SessionEnded {
        /// The browser's session.
        session: Uuid,
        /// Who was logged in, if anybody was.
        user: Option<Uuid>,
    },
    /// The execution ended with a refusal.
    Denied {
        /// Which check refused.
        check: Check,
        /// What the visitor reads.
        message: String,
    },
    /// A policy was asked and answered.
    PolicyEvaluated(PolicyEvaluated),
    /// A policy was asked and its evaluation failed; `passing` is what its binding says then.
    PolicyFailed(PolicyFailed),
    /// The answers of all that a flow, or a stage's place in it, is bound to became one.
    EngineDecided(EngineDecided),
    /// A stage is left out, because its policies do not pass.
    StageSkipped {
        /// The binding.
        binding: Uuid,
        /// The stage's name.
        stage: String,
        /// When that turned out.
        when: When,
    },
    /// A policy changed the plan.
    PlanChanged {
        /// What is different.
        change: PlanChange,
        /// The policy that did it.
        by: String,
    },
    /// A policy asked for an event of its own.
    CustomEvent {
        /// Its name, which begins with `custom_`.
        action: String,
        /// What it says.
        details: serde_json::Value,
        /// The policy that asked for it.
        by: String,
    },
    /// A policy changed a user.
    UserChanged {
        /// Who was changed.
        user: Uuid,
        /// The names of the fields that are different.
        fields: Vec<String>,
        /// The policy that did it.
        by: String,
    },
    /// An attempt counts for or against an address and a name.
    ReputationChanged {
        /// The name that was typed, or the user's.
        identifier: String,
        /// By how much.
        amount: i64,
    },
    /// The visitor, or a logout, gave it up.
    Cancelled {
        /// On whose behalf.
        by: super::input::Canceller,
    },
    /// Nobody came back in time.
    Expired,
    /// Every stage is passed.
    Completed {
        /// Where the visitor is sent.
        destination: String,
    },
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

impl Event {
    /// Whether this is something that a stage may report as learnt.
    #[must_use]
    pub fn is_fact(&self) -> bool {
        matches!(
            self,
            Self::ContextChanged { .. }
                | Self::UserIdentified { .. }
                | Self::PasswordVerified { .. }
                | Self::PasswordRejected { .. }
                | Self::SessionStarted { .. }
                | Self::SessionEnded { .. }
                | Self::PolicyEvaluated(_)
                | Self::PolicyFailed(_)
                | Self::EngineDecided(_)
                | Self::PlanChanged { .. }
                | Self::CustomEvent { .. }
                | Self::UserChanged { .. }
                | Self::ReputationChanged { .. }
        )
    }

    /// Whether the event must be on stable storage before anybody is told of it.
    #[must_use]
    pub fn acts(&self) -> bool {
        matches!(
            self,
            Self::SessionStarted { .. }
                | Self::SessionEnded { .. }
                | Self::UserChanged { .. }
                | Self::Completed { .. }
        )
    }
}
