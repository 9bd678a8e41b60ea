//! What happened on the way: what held the visitor up, what was left out, and what led elsewhere.

use super::story::Verdict;
use super::way::Way;
use crate::flow::event::{Errors, MfaProblem, PasswordProblem};
use crate::flow::plan::{Pinned, PlannedStage};
use crate::flow::verdict::{PlanChange, When};

/// Something that happened, and how often, at the same stage.
#[derive(Clone, Debug)]
pub(super) struct Note<'a> {
    pub(super) stage: Option<PlannedStage>,
    pub(super) times: u32,
    pub(super) what: What<'a>,
}

/// Why a stage was passed without asking anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spared {
    /// There was no second factor to ask for.
    NoFactor,
    /// The browser showed a second factor before.
    Remembered,
    /// Nobody was known whom a second factor could belong to.
    Nobody,
    /// One is to be set up instead.
    ToSetUp,
    /// Consent was given before.
    Consented,
    /// There was no invitation, and none is needed.
    Uninvited,
    /// The link was confirmed.
    Confirmed,
    /// The name was known.
    Named,
    /// There was nobody to set an authenticator up for.
    NobodyToSetUp,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum What<'a> {
    Password(PasswordProblem),
    Factor {
        class: &'a str,
        reason: &'a MfaProblem,
    },
    Complaint {
        errors: &'a Errors,
    },
    PromptPolicies {
        verdict: Verdict<'a>,
    },
    SentAgain,
    Captcha {
        score: Option<f64>,
        codes: &'a [String],
    },
    ConsentStale,
    Withheld {
        recent: u32,
    },
    StageFailed {
        error: &'a str,
    },
    PolicyFailed {
        name: &'a str,
        policy: Pinned,
        error: &'a str,
        passing: bool,
    },
    ExpressionFailed {
        of: &'a str,
        error: &'a str,
    },
    Misconfigured {
        what: &'a str,
        problem: &'a str,
    },
    Refused {
        why: &'a str,
    },
    EffectFailed {
        effect: &'static str,
        problem: &'a str,
    },
    EffectTimedOut {
        effect: &'static str,
    },
    EffectUnknown {
        effect: &'static str,
    },
    Abandoned,
    CodeRanOut,
    LinkRanOut,
    Restarted {
        keep: bool,
    },
    Moved {
        /// Whether it was another browser that confirmed the link.
        elsewhere: bool,
    },
    LinkOpened,
    Redirected {
        slug: &'a str,
        keep: bool,
    },
    WayGivenUp,
    Stale,
    PlanChanged {
        change: &'a PlanChange,
        by: &'a str,
    },
    LeftOut {
        stage: &'a str,
        when: When,
        verdict: Option<Verdict<'a>>,
    },
    Spared(Spared),
}

impl What<'_> {
    /// Whether what comes after it is a new part of the story.
    pub(super) fn is_turn(&self) -> bool {
        matches!(
            self,
            Self::Restarted { .. } | Self::Redirected { .. } | Self::Moved { .. }
        )
    }

    /// Its word.
    pub(super) fn way(&self) -> Way {
        match self {
            Self::Password(problem) => password(*problem),
            Self::Factor { reason, .. } => factor(reason),
            Self::Complaint { .. } => Way::Complaint,
            Self::PromptPolicies { .. } => Way::PromptPolicies,
            Self::SentAgain => Way::SentAgain,
            Self::Captcha { .. } => Way::CaptchaFailed,
            Self::ConsentStale => Way::ConsentStale,
            Self::Withheld { .. } => Way::Withheld,
            Self::StageFailed { .. } => Way::StageFailed,
            Self::PolicyFailed { .. } => Way::PolicyFailed,
            Self::ExpressionFailed { .. } => Way::ExpressionFailed,
            Self::Misconfigured { .. } => Way::ConfigurationError,
            Self::Refused { .. } => Way::Refused,
            Self::EffectFailed { .. } => Way::EffectFailed,
            Self::EffectTimedOut { .. } => Way::EffectTimedOut,
            Self::EffectUnknown { .. } => Way::EffectUnknown,
            Self::Abandoned => Way::Abandoned,
            Self::CodeRanOut => Way::CodeRanOut,
            Self::LinkRanOut => Way::LinkRanOut,
            Self::Restarted { .. } => Way::Restarted,
            Self::Moved { .. } => Way::Moved,
            Self::LinkOpened => Way::LinkOpened,
            Self::Redirected { .. } => Way::Redirected,
            Self::WayGivenUp => Way::WayGivenUp,
            Self::Stale => Way::Stale,
            Self::PlanChanged {
                change: PlanChange::Redirect { .. },
                ..
            } => Way::PlaceTaken,
            Self::PlanChanged { .. } => Way::PlanChanged,
            Self::LeftOut { when, .. } => left_out(*when),
            Self::Spared(spared) => self::spared(*spared),
        }
    }
}

pub(super) fn left_out(when: When) -> Way {
    match when {
        When::Plan => Way::LeftOutOfPlan,
        When::Run => Way::SkippedByPolicies,
    }
}

pub(super) fn spared(spared: Spared) -> Way {
    match spared {
        Spared::NoFactor => Way::SkippedNoFactor,
        Spared::Remembered => Way::SkippedRemembered,
        Spared::Nobody => Way::SkippedNobody,
        Spared::ToSetUp => Way::SkippedToSetUp,
        Spared::Consented => Way::SkippedConsented,
        Spared::Uninvited => Way::SkippedUninvited,
        Spared::Confirmed => Way::SkippedConfirmed,
        Spared::Named => Way::SkippedNamed,
        Spared::NobodyToSetUp => Way::SkippedNobodyToSetUp,
    }
}

pub(super) fn password(problem: PasswordProblem) -> Way {
    match problem {
        PasswordProblem::UnknownUser => Way::PasswordUnknownUser,
        PasswordProblem::InactiveUser => Way::PasswordInactiveUser,
        PasswordProblem::Unusable => Way::PasswordUnusable,
        PasswordProblem::Wrong => Way::PasswordWrong,
    }
}

pub(super) fn factor(reason: &MfaProblem) -> Way {
    match reason {
        MfaProblem::Wrong => Way::FactorWrong,
        MfaProblem::Expired => Way::FactorExpired,
        MfaProblem::Locked { .. } => Way::FactorLocked,
        MfaProblem::UnknownDevice => Way::FactorUnknownDevice,
        MfaProblem::Type => Way::FactorType,
        MfaProblem::Assertion { .. } => Way::FactorAssertion,
        MfaProblem::Denied { .. } => Way::FactorDenied,
        MfaProblem::TimedOut => Way::FactorTimedOut,
        MfaProblem::Unreachable { .. } => Way::FactorUnreachable,
        MfaProblem::Misconfigured { .. } => Way::FactorMisconfigured,
        MfaProblem::Unknown => Way::FactorUnknown,
    }
}
