//! What may be asked of the core, once everything outside has been asked.

use uuid::Uuid;

use super::client::Client;
use super::effect::Outcome;
use super::event::{Check, Errors, Event};
use super::input::Canceller;
use super::plan::{Pinned, Plan};

/// A wish; [`super::decide`] answers with the events that it leads to.
#[derive(Clone, Debug)]
pub enum Command {
    /// Begin an execution.
    Start {
        /// Its id.
        execution: Uuid,
        /// The flow and its revision.
        flow: Pinned,
        /// The flow's slug.
        slug: String,
        /// The browser's session.
        session: Uuid,
        /// Whoever asks.
        client: Client,
        /// The query string.
        query: String,
    },
    /// Lay out the stages.
    Plan(Plan),
    /// Arrive at the current stage.
    Enter,
    /// Ask the visitor.
    Ask {
        /// The component that shows the challenge.
        component: String,
        /// The stage's own part of it.
        fields: serde_json::Value,
    },
    /// Take an answer to the open challenge.
    Receive {
        /// The names of its fields.
        fields: Vec<String>,
    },
    /// Note what the current stage learnt.
    Learn(Vec<Event>),
    /// Refuse the answer.
    Reject(Errors),
    /// Leave the current stage.
    Pass,
    /// Leave the current stage out, because its policies do not pass.
    Skip,
    /// Note that a stage does not come into the plan, because its policies do not pass.
    Omit {
        /// The binding.
        binding: Uuid,
        /// The stage's name.
        stage: String,
    },
    /// Note that the current stage could not do its work.
    Fail(String),
    /// Begin again from the first stage.
    Restart {
        /// Whether what was learnt is kept.
        keep_context: bool,
    },
    /// End with a refusal.
    Deny {
        /// Which check refuses.
        check: Check,
        /// What the visitor reads.
        message: String,
    },
    /// End after the last stage.
    Finish {
        /// Where the visitor is sent.
        destination: String,
    },
    /// Judge the answer when an effect is concluded.
    Suspend {
        /// Which one.
        effect: Uuid,
    },
    /// Take up what came of the effect for which the answer waits.
    Resume,
    /// Wait no longer.
    Abandon,
    /// Note that the moment of a timer came, also when the execution is over.
    Fire {
        /// Which one.
        timer: Uuid,
    },
    /// Note what came of an effect, also when the execution is over.
    Conclude {
        /// Which one.
        effect: Uuid,
        /// What came of it.
        outcome: Outcome,
    },
    /// Note that a link was opened.
    Open {
        /// Which one.
        link: Uuid,
    },
    /// Confirm a link in a browser, to which the execution moves.
    Confirm {
        /// Which one.
        link: Uuid,
        /// The session of that browser.
        session: Uuid,
        /// The query string that it came with.
        query: String,
    },
    /// Forget the way of a browser that has no part in the execution any more.
    Forget {
        /// Its session.
        session: Uuid,
    },
    /// Go on with another flow.
    Redirect {
        /// The flow and its revision.
        flow: Pinned,
        /// Its slug.
        slug: String,
        /// The query string under which it goes on.
        query: String,
        /// Whether what was learnt is kept.
        keep_context: bool,
    },
    /// Give up.
    Cancel(Canceller),
    /// Give up because nobody came back.
    Expire,
}

/// Why a command leads to nothing. Each is a fault of the caller, never of the visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The execution has not begun.
    #[error("the execution has not begun")]
    Unstarted,
    /// It began already.
    #[error("the execution has begun already")]
    Started,
    /// It is over.
    #[error("the execution is over")]
    Over,
    /// There is no current stage.
    #[error("there is no stage to be at")]
    NoStage,
    /// No challenge is open.
    #[error("no challenge is open")]
    NoChallenge,
    /// Stages are left.
    #[error("stages are left")]
    NotFinished,
    /// The effect was never asked for.
    #[error("no such effect was asked for")]
    NoEffect,
    /// Nothing is waited for, or nothing came of it yet.
    #[error("there is nothing to take up")]
    NoOutcome,
    /// The link was never made, or somebody confirmed it already.
    #[error("the link leads nowhere")]
    NoLink,
    /// The execution belongs to this browser.
    #[error("the execution belongs to this browser")]
    Own,
    /// A stage reported something that is not a fact.
    #[error("a stage may report only what it learnt")]
    NotAFact,
}
