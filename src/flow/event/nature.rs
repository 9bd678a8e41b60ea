//! What sort of thing an event is.

use super::Event;

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
                | Self::PromptSubmitted { .. }
                | Self::UserWritten { .. }
                | Self::UserDeleted { .. }
                | Self::CaptchaAssessed { .. }
                | Self::ConsentGranted { .. }
                | Self::InvitationUsed { .. }
                | Self::ExpressionFailed { .. }
                | Self::ConfigurationError { .. }
                | Self::Refused { .. }
                | Self::EffectRequested { .. }
                | Self::TimerSet { .. }
                | Self::MfaChallenged { .. }
                | Self::PushSent { .. }
                | Self::MfaVerified { .. }
                | Self::MfaRejected { .. }
                | Self::MfaRemembered { .. }
                | Self::MfaWaived { .. }
                | Self::DeviceEnrolled { .. }
                | Self::MailWithheld { .. }
                | Self::LinkIssued { .. }
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
                | Self::UserWritten { .. }
                | Self::UserDeleted { .. }
                | Self::InvitationUsed { .. }
                | Self::EffectRequested { .. }
                | Self::EffectFinished { .. }
                | Self::EffectOutcomeUnknown { .. }
                | Self::Resumed { .. }
                | Self::TimerSet { .. }
                | Self::TimerFired { .. }
                | Self::MfaVerified { .. }
                | Self::MfaRejected { .. }
                | Self::DeviceEnrolled { .. }
                | Self::LinkIssued { .. }
                | Self::LinkConsumed { .. }
                | Self::Completed { .. }
        )
    }
}
