//! Every way in which an execution ends, stands, or is held up, and in which a stage is left out.
//!
//! The words are part of the structured answer, and each has a text that is tested.

use crate::flow::model::words;

words! {
    /// One thing that an explanation speaks of.
    Way as ExecutionWayEnum {
        /// Every stage was passed.
        Completed = "completed",
        /// Whoever came to log in was logged in already.
        AlreadyLoggedIn = "already_logged_in",
        /// The flow wants a link, and there was none.
        RequirementLink = "requirement_link",
        /// The flow wants somebody who is logged in.
        RequirementLogin = "requirement_login",
        /// The flow wants somebody who is not logged in.
        RequirementNoLogin = "requirement_no_login",
        /// The flow wants a superuser.
        RequirementSuperuser = "requirement_superuser",
        /// The flow wants somebody whom another flow sent.
        RequirementRedirect = "requirement_redirect",
        /// The flow wants an outpost.
        RequirementOutpost = "requirement_outpost",
        /// The flow wants something, and its revision is not there to say what.
        Requirement = "requirement",
        /// The flow's policies said no.
        FlowPolicies = "flow_policies",
        /// A deny stage was reached.
        DenyStage = "deny_stage",
        /// Too many passwords were refused.
        PasswordAttempts = "password_attempts",
        /// A stage needs somebody, and nobody was named.
        NobodyNamed = "nobody_named",
        /// A stage needs a user, and nobody has the name that was given.
        UnknownName = "unknown_name",
        /// A stage needs an active user.
        InactiveUser = "inactive_user",
        /// There was no second factor to ask for.
        NoFactor = "no_factor",
        /// The user said no to Duo, and was to be asked again.
        DuoSaidNo = "duo_said_no",
        /// A security key was refused too often.
        KeyAttempts = "key_attempts",
        /// An authenticator was to be set up, and there is one.
        HasFactor = "has_factor",
        /// An authenticator could not be set up.
        SetupFailed = "setup_failed",
        /// The invitation was not good.
        NoInvitation = "no_invitation",
        /// A user could not be written.
        NotWritten = "not_written",
        /// A redirect leads nowhere.
        NoTarget = "no_target",
        /// The operator has to mend something.
        Misconfigured = "misconfigured",
        /// A stage said no.
        StageRefused = "stage_refused",
        /// The address to go to afterwards leads elsewhere.
        UnsafeNext = "unsafe_next",
        /// The flow or the stage was deleted meanwhile.
        FlowDeleted = "flow_deleted",
        /// The user was made inactive or deleted meanwhile.
        UserInactive = "user_inactive",
        /// The password was changed meanwhile.
        PasswordChanged = "password_changed",
        /// There were too many answers.
        TooManyAnswers = "too_many_answers",
        /// The flow began again too often.
        TooManyRestarts = "too_many_restarts",
        /// Too many stages came up at once.
        TooManyTurns = "too_many_turns",
        /// Policies were asked too often.
        TooManyDecisions = "too_many_decisions",
        /// The link was never made, or had ended.
        LinkUnknown = "link_unknown",
        /// The link was used before.
        LinkUsed = "link_used",
        /// The invitation was gone before it was used.
        InvitationGone = "invitation_gone",
        /// The visitor gave up.
        GivenUp = "given_up",
        /// The session was logged out.
        LoggedOut = "logged_out",
        /// The session was used from where it must not be used.
        UsedElsewhere = "used_elsewhere",
        /// An operator made something else in its place.
        Replaced = "replaced",
        /// Nobody came back in time.
        Expired = "expired",
        /// There were too many that nobody had answered.
        Expelled = "expelled",
        /// A question waits for its answer.
        Asked = "asked",
        /// A mailed link waits for somebody.
        AwaitsLink = "awaits_link",
        /// A captcha's provider is being asked.
        AwaitsCaptcha = "awaits_captcha",
        /// A text message is being sent.
        AwaitsMessage = "awaits_message",
        /// Duo is being asked for a push.
        AwaitsPush = "awaits_push",
        /// A push waits for its user.
        AwaitsApproval = "awaits_approval",
        /// Duo is asked to enrol somebody.
        AwaitsEnrolment = "awaits_enrolment",
        /// Duo is asked whether somebody has enrolled.
        AwaitsEnrolled = "awaits_enrolled",
        /// Time passes after a refusal.
        AwaitsPause = "awaits_pause",
        /// A mail is being sent.
        AwaitsMail = "awaits_mail",
        /// What was waited for is there, and the visitor is not.
        NotTakenUp = "not_taken_up",
        /// A stage could not do its work, and the execution stands there.
        Stuck = "stuck",
        /// Nothing is asked.
        Idle = "idle",
        /// A stage never came into the plan, because its policies said no.
        LeftOutOfPlan = "left_out_of_plan",
        /// A stage left the plan when its turn came, because its policies said no.
        SkippedByPolicies = "skipped_by_policies",
        /// Something else took the place of a stage.
        PlaceTaken = "place_taken",
        /// No second factor was asked for, as there was none.
        SkippedNoFactor = "skipped_no_factor",
        /// No second factor was asked for, as the browser showed one before.
        SkippedRemembered = "skipped_remembered",
        /// No second factor was asked for, as nobody was known.
        SkippedNobody = "skipped_nobody",
        /// No second factor was asked for, but one was to be set up.
        SkippedToSetUp = "skipped_to_set_up",
        /// Consent was given before.
        SkippedConsented = "skipped_consented",
        /// There was no invitation, and none was needed.
        SkippedUninvited = "skipped_uninvited",
        /// The link was confirmed.
        SkippedConfirmed = "skipped_confirmed",
        /// The name was known already.
        SkippedNamed = "skipped_named",
        /// There was nobody to set an authenticator up for.
        SkippedNobodyToSetUp = "skipped_nobody_to_set_up",
        /// A password was typed for a name that nobody has.
        PasswordUnknownUser = "password_unknown_user",
        /// A password was typed for a user who is not active.
        PasswordInactiveUser = "password_inactive_user",
        /// A password was typed for a user who has none.
        PasswordUnusable = "password_unusable",
        /// A wrong password was typed.
        PasswordWrong = "password_wrong",
        /// A wrong code was typed.
        FactorWrong = "factor_wrong",
        /// A code was typed that was good once.
        FactorExpired = "factor_expired",
        /// No code was looked at after too many wrong ones.
        FactorLocked = "factor_locked",
        /// A device was named that the user does not have.
        FactorUnknownDevice = "factor_unknown_device",
        /// A device was shown of a type that is not allowed.
        FactorType = "factor_type",
        /// What a security key signed was not good.
        FactorAssertion = "factor_assertion",
        /// The user refused.
        FactorDenied = "factor_denied",
        /// Nothing came in time.
        FactorTimedOut = "factor_timed_out",
        /// The provider could not be reached.
        FactorUnreachable = "factor_unreachable",
        /// The provider does not take what is set.
        FactorMisconfigured = "factor_misconfigured",
        /// Nobody knows what the provider did.
        FactorUnknown = "factor_unknown",
        /// Something that was typed was not accepted.
        Complaint = "complaint",
        /// What was typed was refused by the policies of a prompt stage.
        PromptPolicies = "prompt_policies",
        /// A mail was asked for once more.
        SentAgain = "sent_again",
        /// A captcha was not good enough.
        CaptchaFailed = "captcha_failed",
        /// A question for consent was answered that had been replaced.
        ConsentStale = "consent_stale",
        /// A mail or a code was not sent, because there were too many.
        Withheld = "withheld",
        /// A stage could not do its work for a while.
        StageFailed = "stage_failed",
        /// A policy failed.
        PolicyFailed = "policy_failed",
        /// An expression that is no policy failed.
        ExpressionFailed = "expression_failed",
        /// The operator had to mend something.
        ConfigurationError = "configuration_error",
        /// A stage refused something, and the visitor did not read why.
        Refused = "refused",
        /// Something that was asked of another server failed.
        EffectFailed = "effect_failed",
        /// Nothing came of it in time.
        EffectTimedOut = "effect_timed_out",
        /// Nobody knows what came of it.
        EffectUnknown = "effect_unknown",
        /// The visitor did something else instead of waiting.
        Abandoned = "abandoned",
        /// A code that was sent ran out.
        CodeRanOut = "code_ran_out",
        /// A link ran out.
        LinkRanOut = "link_ran_out",
        /// The flow began again.
        Restarted = "restarted",
        /// A link moved the execution to another browser.
        Moved = "moved",
        /// A link was opened, which changes nothing.
        LinkOpened = "link_opened",
        /// The execution went on in another flow.
        Redirected = "redirected",
        /// A former browser gave up its way.
        WayGivenUp = "way_given_up",
        /// An answer came to a question that was no longer asked.
        Stale = "stale",
        /// A policy changed the plan.
        PlanChanged = "plan_changed",
    }
}
