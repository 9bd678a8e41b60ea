//! An event as a sentence.
//!
//! The match names every event there is, so an event without a sentence does not compile. What
//! a newer server sends and this program does not know is shown as it came.

use serde_json::{Value, json};

use crate::flow::Event;
use crate::flow::event::{Check, EMPTY_RESPONSE, NON_FIELD_ERRORS, PasswordProblem};
use crate::flow::input::{Canceller, Input, Request};

mod factors;
mod policies;
mod steps;
mod waits;

pub(super) use policies::value;
pub(super) use waits::{asked as effect, deadline, outcome_of as outcome};

/// What was asked of the execution, and by whom.
#[must_use]
pub fn asked(input: &Value) -> String {
    let Ok(input) = serde_json::from_value::<Input>(input.clone()) else {
        return String::new();
    };
    let asked = match input.request {
        Request::Begin { .. } => "begins",
        Request::Visit => "looks",
        Request::Answer { .. } => "answers",
        Request::Open { .. } => "opens a link",
        Request::Confirm { .. } => "confirms a link",
        Request::Elsewhere => "looks, from a browser that has no part in it any more",
        Request::Forget { .. } => "gives up, in a browser that has no part in it any more",
        Request::Conclude { .. } => return "Something asked for came to its end".to_owned(),
        Request::Fire { .. } => return "The moment of a timer came".to_owned(),
        Request::Cancel { .. } => "gives up",
        Request::Expire => return "The time is up".to_owned(),
    };
    format!("{} {asked}", input.client.address)
}

/// The event as one line, or a few.
#[must_use]
pub fn told(event: &Value) -> Vec<String> {
    match serde_json::from_value::<Event>(event.clone()) {
        Ok(event) => lines(&event),
        Err(_) => vec![event.to_string()],
    }
}

/// The events of one record, with their lines each. Whoever only chose an authenticator reads as a
/// client that their answer has nothing in it; here it is told what they did.
#[must_use]
pub fn each_told(events: &[Value]) -> Vec<Vec<String>> {
    let chose = events
        .iter()
        .any(|it| it["event"] == "mfa_challenged" || it["event"] == "resumed");
    let says_nothing = |event: &Value| {
        let nothing =
            json!({ NON_FIELD_ERRORS: [{ "string": EMPTY_RESPONSE, "code": "invalid" }] });
        event["event"] == "response_rejected" && event["errors"] == nothing
    };
    let lines = events.iter().map(|event| {
        if chose && says_nothing(event) {
            vec!["the visitor chose, and is shown the same question".to_owned()]
        } else {
            told(event)
        }
    });
    lines.collect()
}

/// All lines of [`each_told`].
#[must_use]
pub fn all_told(events: &[Value]) -> Vec<String> {
    each_told(events).into_iter().flatten().collect()
}

fn lines(event: &Event) -> Vec<String> {
    match event {
        Event::Planned { plan } => planned(plan),
        Event::ResponseRejected { errors } => errors
            .iter()
            .flat_map(|(field, errors)| errors.iter().map(move |error| (field, error)))
            .map(|(field, error)| format!("refused: {field}: {} ({})", error.string, error.code))
            .collect(),
        Event::PolicyEvaluated(event) => policies::evaluated(event),
        Event::PolicyFailed(event) => policies::failed(event),
        Event::EngineDecided(event) => policies::decided(event),
        _ => vec![line(event)],
    }
}

fn planned(plan: &crate::flow::plan::Plan) -> Vec<String> {
    let stage = |(place, stage): (usize, &crate::flow::plan::PlannedStage)| {
        format!(
            "  {}. {} ({}, stage {} version {}, binding {} version {})",
            place + 1,
            stage.name,
            stage.kind,
            stage.stage.id,
            stage.stage.version,
            stage.binding.id,
            stage.binding.version,
        )
    };
    std::iter::once(format!("planned {} stages", plan.0.len()))
        .chain(plan.0.iter().enumerate().map(stage))
        .collect()
}

fn line(event: &Event) -> String {
    steps::told(event).unwrap_or_else(|| course(event))
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for every event, so that none is forgotten"
)]
fn course(event: &Event) -> String {
    match event {
        Event::Started {
            flow,
            slug,
            session,
            client,
            query,
            ..
        } => format!(
            "started flow {slug} version {} for {} in session {session} ({}) with query {query:?}",
            flow.version, client.address, client.user_agent
        ),
        Event::Planned { .. }
        | Event::ResponseRejected { .. }
        | Event::PolicyEvaluated(_)
        | Event::PolicyFailed(_)
        | Event::EngineDecided(_)
        | Event::PromptSubmitted { .. }
        | Event::UserWritten { .. }
        | Event::UserDeleted { .. }
        | Event::CaptchaAssessed { .. }
        | Event::ConsentGranted { .. }
        | Event::InvitationUsed { .. }
        | Event::ExpressionFailed { .. }
        | Event::ConfigurationError { .. }
        | Event::Refused { .. }
        | Event::EffectRequested { .. }
        | Event::Suspended { .. }
        | Event::EffectFinished { .. }
        | Event::EffectOutcomeUnknown { .. }
        | Event::Resumed { .. }
        | Event::WaitAbandoned { .. }
        | Event::TimerSet { .. }
        | Event::TimerFired { .. }
        | Event::MfaChallenged { .. }
        | Event::PushSent { .. }
        | Event::MfaVerified { .. }
        | Event::MfaRejected { .. }
        | Event::MfaRemembered { .. }
        | Event::MfaWaived { .. }
        | Event::DeviceEnrolled { .. }
        | Event::MailWithheld { .. }
        | Event::LinkIssued { .. }
        | Event::LinkOpened { .. }
        | Event::LinkConsumed { .. }
        | Event::EntryLeft { .. }
        | Event::Redirected { .. } => String::new(),
        Event::StageSkipped { stage, when, .. } => policies::skipped(stage, *when),
        Event::PlanChanged { change, by } => policies::plan_changed(change, by),
        Event::CustomEvent {
            action,
            details,
            by,
        } => format!("{by} noted {action}: {details}"),
        Event::UserChanged { user, fields, by } => {
            format!("{by} changed user {user}: {}", fields.join(", "))
        }
        Event::ReputationChanged { identifier, amount } => {
            format!("reputation of {identifier:?} and the address changed by {amount}")
        }
        Event::Restarted { keep_context: true } => "restarted, keeping what was learnt".to_owned(),
        Event::Restarted { .. } => "restarted, forgetting what was learnt".to_owned(),
        Event::StageEntered { stage, .. } => format!("entered stage {stage}"),
        Event::ChallengeIssued {
            number, component, ..
        } => format!("asked the visitor: challenge {number}, {component}"),
        Event::ResponseReceived { number, fields } => {
            format!("got an answer to challenge {number}: {}", fields.join(", "))
        }
        Event::StageCompleted { stage, .. } => format!("passed stage {stage}"),
        Event::StageFailed { stage, error } => format!("stage {stage} failed: {error}"),
        Event::ContextChanged { key, value, by } => match value {
            Some(value) => format!("{by} set {key} to {}", policies::value(value)),
            None => format!("{by} removed {key}"),
        },
        Event::UserIdentified { user, active } => match user {
            Some(user) if *active => format!("identified user {user}"),
            Some(user) => format!("identified user {user}, who is not active"),
            None => "identified nobody: no user has that name".to_owned(),
        },
        Event::PasswordVerified { user, backend, .. } => {
            format!("password of user {user} accepted by {backend}")
        }
        Event::PasswordRejected { user, reason } => {
            let whose = user.map_or_else(String::new, |user| format!(" of user {user}"));
            format!("password{whose} refused: {}", problem(*reason))
        }
        Event::SessionStarted {
            session,
            user,
            expires,
            persistent,
            terminated,
            replaced,
            device,
        } => {
            let before = replaced.map_or_else(String::new, |before| {
                format!(" in the place of user {before}")
            });
            let cookie = if *persistent {
                "a lasting"
            } else {
                "a browser-session"
            };
            let known = device.map_or_else(String::new, |device| {
                format!("; the browser is known until {:.0}", device.until)
            });
            format!(
                "logged user {user} in to session {session}{before} with {cookie} cookie until {expires:.0}, \
                 ending {} other sessions{known}",
                terminated.len()
            )
        }
        Event::SessionEnded { session, user } => {
            let user = user.map_or_else(|| "nobody".to_owned(), |user| format!("user {user}"));
            format!("logged {user} out of session {session}")
        }
        Event::Denied { check, message } => format!("denied by {}: {message}", by(check)),
        Event::Cancelled { by } => match by {
            Canceller::Visitor => "given up by the visitor".to_owned(),
            Canceller::Logout => "given up because the session was logged out".to_owned(),
            Canceller::Binding => "given up because the session was used from elsewhere".to_owned(),
            Canceller::Operator => "given up because the operator made another one".to_owned(),
        },
        Event::Expired => "expired: nobody came back in time".to_owned(),
        Event::Completed { destination } => format!("completed; the visitor goes to {destination}"),
    }
}

fn problem(reason: PasswordProblem) -> &'static str {
    match reason {
        PasswordProblem::UnknownUser => "nobody has that name",
        PasswordProblem::InactiveUser => "the user is not active",
        PasswordProblem::Unusable => "the user has no usable password",
        PasswordProblem::Wrong => "it is not the user's",
    }
}

fn by(check: &Check) -> String {
    match check {
        Check::Requirement => "the flow's authentication requirement".to_owned(),
        Check::Policies => "the flow's policies".to_owned(),
        Check::Stage { stage } => format!("stage {stage}"),
        Check::Next => "the check of the address to go to".to_owned(),
        Check::FlowDeleted => "the deletion of the flow".to_owned(),
        Check::UserInactive => "the user's being inactive or deleted".to_owned(),
        Check::PasswordChanged => "the change of the password that was shown".to_owned(),
        Check::Attempts => "the limit of attempts".to_owned(),
        Check::Link => "the link that the visitor came by".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_event_is_a_sentence() {
        let event =
            json!({"event": "stage_entered", "binding": uuid::Uuid::nil(), "stage": "password"});
        assert_eq!(told(&event), ["entered stage password"]);
    }

    #[test]
    fn whoever_chose_an_authenticator_is_not_told_of_as_one_who_made_a_mistake() {
        let nothing = json!({"string": EMPTY_RESPONSE, "code": "invalid"});
        let rejected =
            json!({"event": "response_rejected", "errors": {"non_field_errors": [nothing]}});
        let chosen =
            json!({"event": "mfa_challenged", "device": uuid::Uuid::nil(), "class": "totp"});
        let lines = all_told(&[chosen, rejected.clone()]);
        assert_eq!(lines.len(), 2);
        assert_eq!(
            lines[1],
            "the visitor chose, and is shown the same question"
        );
        assert_eq!(
            all_told(&[rejected]),
            ["refused: non_field_errors: Empty response (invalid)"]
        );
    }

    #[test]
    fn every_complaint_has_its_line() {
        let error = json!({"string": "This field is required.", "code": "required"});
        let event = json!({"event": "response_rejected", "errors": {"a": [error], "b": [error]}});
        assert_eq!(told(&event).len(), 2);
    }

    #[test]
    fn an_event_that_is_not_known_is_shown_as_it_came() {
        let event = json!({"event": "horse_ridden", "to": "Rome"});
        assert_eq!(told(&event), [event.to_string()]);
    }
}
