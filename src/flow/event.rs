//! What can happen to an execution. Past tense; never a wish, never a secret.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::client::Client;
use super::context::Value;
use super::effect::{Effect, Outcome};
use super::plan::{Pinned, Plan};
use super::timer::Deadline;
use super::verdict::{EngineDecided, PlanChange, PolicyEvaluated, PolicyFailed, When};

mod complaint;
mod nature;
mod problem;

pub use complaint::{EMPTY_RESPONSE, Errors, FieldError, NON_FIELD_ERRORS, error, errors};
pub use problem::{MfaProblem, PasswordProblem};

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
    /// The password that the user showed is not theirs any more.
    PasswordChanged,
    /// Too many answers, or too many restarts.
    Attempts,
    /// The link that the visitor came by.
    Link,
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
        /// When that password was set. Once another one is, this proves nothing any more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        set: Option<Timestamp>,
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
    /// The visitor filled a form; what they typed is in the context.
    PromptSubmitted {
        /// The keys of its fields.
        fields: Vec<String>,
    },
    /// A stage wrote a user.
    UserWritten {
        /// Who was written.
        user: Uuid,
        /// Whether the user is a new one.
        created: bool,
        /// The names of the fields that were written, never their values.
        fields: Vec<String>,
        /// The groups that the user was put into.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        groups: Vec<Uuid>,
    },
    /// A stage deleted a user.
    UserDeleted {
        /// Who is gone.
        user: Uuid,
    },
    /// What a captcha's provider said was judged.
    CaptchaAssessed {
        /// Whether it is good enough.
        passed: bool,
        /// The score, where the provider gives one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        score: Option<f64>,
        /// What the provider complained of, or why it could not be asked.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        codes: Vec<String>,
    },
    /// The visitor agreed.
    ConsentGranted {
        /// The application that gets the permissions, where there is one.
        application: Option<String>,
        /// What it may do.
        permissions: Vec<String>,
        /// Whether it is remembered.
        stored: bool,
        /// Until when it is remembered; without a moment, for ever.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires: Option<Timestamp>,
    },
    /// An invitation led the visitor here.
    InvitationUsed {
        /// Which one.
        invitation: Uuid,
        /// Whether nobody can use it any more.
        consumed: bool,
        /// Whether it is good for one user: once the visitor has answered something, nobody else
        /// can use it before this execution has ended.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        reserved: bool,
    },
    /// An expression that is no policy failed; something else was taken in its place.
    ExpressionFailed {
        /// What it was for, such as the initial value of a prompt.
        of: String,
        /// What went wrong, for the operator.
        error: String,
    },
    /// The operator has to mend something before a stage can do all of its work.
    ConfigurationError {
        /// What is wrong.
        what: String,
        /// How it shows.
        problem: String,
    },
    /// A stage refused the visitor, who does not read why.
    Refused {
        /// Why, for the operator; it holds nothing that somebody typed.
        why: String,
    },
    /// Something that leaves the server was asked for; it is carried out from here on.
    EffectRequested {
        /// Its own id.
        effect: Uuid,
        /// What it is.
        what: Effect,
    },
    /// The visitor's answer is judged when an effect is concluded.
    Suspended {
        /// Which one.
        effect: Uuid,
    },
    /// What came of an effect for which an answer waited is taken up; it is judged now.
    Resumed {
        /// Which one.
        effect: Uuid,
    },
    /// The visitor did something else instead of waiting any longer.
    WaitAbandoned {
        /// The effect for which the answer waited. Whatever comes of it is noted, and no more.
        effect: Uuid,
    },
    /// From here on there is a moment at which something is over.
    TimerSet {
        /// The timer's own id.
        timer: Uuid,
        /// When it fires.
        due: Timestamp,
        /// What is over then.
        of: Deadline,
    },
    /// The moment came.
    TimerFired {
        /// Which timer.
        timer: Uuid,
    },
    /// A second factor was asked for: a code or a push was sent to a device, or it was chosen.
    MfaChallenged {
        /// The device.
        device: Uuid,
        /// Its class, such as `totp`.
        class: String,
    },
    /// Duo sent a push, which waits for the user.
    PushSent {
        /// The device.
        device: Uuid,
        /// What Duo calls the push.
        transaction: String,
    },
    /// A device proved that the user has it.
    MfaVerified {
        /// The device.
        device: Uuid,
        /// Its class.
        class: String,
    },
    /// A second factor was refused.
    MfaRejected {
        /// The class that was answered with.
        class: String,
        /// The device, where it is known which one it was to be.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device: Option<Uuid>,
        /// Why, for the operator.
        reason: MfaProblem,
    },
    /// The browser is given something by which it is asked for no second factor for a while.
    MfaRemembered {
        /// The stage that asks for none.
        stage: Uuid,
        /// The number of the device that was shown.
        device: i64,
        /// Until when.
        until: Timestamp,
    },
    /// No second factor was asked for, as the browser showed that there was one.
    MfaWaived {
        /// The device that was shown then.
        device: Uuid,
        /// Its class.
        class: String,
    },
    /// The user has a device more.
    DeviceEnrolled {
        /// The device.
        device: Uuid,
        /// Its class.
        class: String,
        /// Whose it is.
        user: Uuid,
    },
    /// An effect came to its end.
    EffectFinished {
        /// Which one.
        effect: Uuid,
        /// What came of it.
        outcome: Outcome,
    },
    /// Whether an effect was carried out will never be known. It is not repeated.
    EffectOutcomeUnknown {
        /// Which one.
        effect: Uuid,
    },
    /// A mail or a code was not sent, because too many went to the same place already.
    MailWithheld {
        /// How many there were.
        recent: u32,
    },
    /// A link was made that leads back to this execution.
    LinkIssued {
        /// Its id; the secret in it is nowhere.
        link: Uuid,
        /// The stage that waits for it; `None` when an operator made it.
        stage: Option<Uuid>,
        /// Whom it is for; `None` when nobody has the identifier that was typed.
        user: Option<Uuid>,
        /// When it ends.
        expires: Timestamp,
    },
    /// Somebody, or a program that looks into mails, opened a link. It stays as good as it was.
    LinkOpened {
        /// Which one.
        link: Uuid,
    },
    /// Somebody confirmed a link: the execution belongs to that browser from now on.
    LinkConsumed {
        /// Which one.
        link: Uuid,
        /// The session of the browser that confirmed it.
        session: Uuid,
        /// The query string under which it goes on there.
        query: String,
    },
    /// A browser that has no part in the execution any more gave up its way to it.
    EntryLeft {
        /// Its session.
        session: Uuid,
    },
    /// A stage led into another flow; the execution goes on there.
    Redirected {
        /// The flow and its revision.
        flow: Pinned,
        /// The flow's slug.
        slug: String,
        /// The query string under which it goes on.
        query: String,
        /// Whether what was learnt is kept.
        keep_context: bool,
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
