//! What stages did and asked of the outside, as sentences.

use super::{factors, waits};
use crate::flow::Event;

/// The event as a line; `None` for one that is told elsewhere.
pub(super) fn told(event: &Event) -> Option<String> {
    Some(match event {
        Event::PromptSubmitted { fields } => format!("the form was filled: {}", fields.join(", ")),
        Event::UserWritten {
            user,
            created,
            fields,
            groups,
        } => {
            let did = if *created { "made" } else { "wrote" };
            let into = match groups.len() {
                0 => String::new(),
                count => format!("; put into {count} groups"),
            };
            format!("{did} user {user}: {}{into}", fields.join(", "))
        }
        Event::UserDeleted { user } => format!("deleted user {user}"),
        Event::CaptchaAssessed {
            passed,
            score,
            codes,
        } => {
            let said = if *passed { "passed" } else { "not passed" };
            let score = score.map_or_else(String::new, |score| format!(", score {score}"));
            let codes = codes.join(", ");
            let codes = if codes.is_empty() {
                codes
            } else {
                format!(": {codes}")
            };
            format!("captcha {said}{score}{codes}")
        }
        Event::ConsentGranted {
            application,
            permissions,
            stored,
            expires,
        } => {
            let to = application.as_deref().unwrap_or("no application");
            let kept = match (stored, expires) {
                (false, _) => "not remembered".to_owned(),
                (true, Some(until)) => format!("remembered until {until:.0}"),
                (true, None) => "remembered for ever".to_owned(),
            };
            format!("consented to {to}: {} ({kept})", permissions.join(" "))
        }
        Event::InvitationUsed {
            invitation,
            consumed,
            reserved,
        } => match (consumed, reserved) {
            (true, _) => format!("used invitation {invitation} up"),
            (false, true) => format!("came by invitation {invitation}, and keeps it"),
            (false, false) => format!("came by invitation {invitation}"),
        },
        Event::ExpressionFailed { of, error } => format!("{of} failed: {error}"),
        Event::ConfigurationError { what, problem } => {
            format!("the operator has to mend something: {what}: {problem}")
        }
        Event::Refused { why } => format!("refused: {why}"),
        _ => return outside(event),
    })
}

/// What left the server, and what leads to the execution from outside.
fn outside(event: &Event) -> Option<String> {
    Some(match event {
        Event::MailWithheld { recent } => {
            format!("nothing was sent, as {recent} went to the same place lately")
        }
        Event::LinkIssued {
            link,
            stage,
            user,
            expires,
        } => {
            let whose = match (user, stage) {
                (Some(user), Some(_)) => format!("for user {user}"),
                (Some(user), None) => format!("for user {user}, on an operator's behalf"),
                (None, _) => "for nobody".to_owned(),
            };
            format!("made link {link} {whose}, good until {expires:.0}")
        }
        Event::LinkOpened { link } => format!("link {link} was opened, which changes nothing"),
        Event::LinkConsumed { link, session, .. } => {
            format!("link {link} was confirmed; the execution goes on in session {session}")
        }
        Event::EntryLeft { session } => format!("session {session} gave up its way to it"),
        Event::Redirected {
            flow,
            slug,
            keep_context,
            ..
        } => {
            let kept = if *keep_context {
                "keeping"
            } else {
                "forgetting"
            };
            format!(
                "went on with flow {slug} version {}, {kept} what was learnt",
                flow.version
            )
        }
        _ => return waits::told(event).or_else(|| factors::told(event)),
    })
}
