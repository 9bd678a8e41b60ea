//! Why second factors were refused, in clauses.

use super::voice::{Voice, within};
use crate::flow::event::MfaProblem;

/// What was refused, how often, and why.
pub(super) fn told(class: &str, reason: &MfaProblem, often: &str, voice: Voice) -> String {
    let detail = |text: &str| voice.only_operator(|| format!(" ({})", within(text)));
    match reason {
        MfaProblem::Wrong => format!("a wrong code was typed {often}"),
        MfaProblem::Expired => {
            format!("a code was typed {often} that had been used already or had run out")
        }
        MfaProblem::Locked { until } if class == "duo" => format!(
            "another push by Duo was held back {often}, because too many had gone unanswered; the \
             next can be had from {} on",
            voice.moment(*until)
        ),
        MfaProblem::Locked { until } => format!(
            "a code was turned away unread {often}, because there had been too many wrong ones; the \
             next is read from {} on",
            voice.moment(*until)
        ),
        MfaProblem::UnknownDevice => {
            format!(
                "{} was offered {often} that does not belong to the account",
                device(class)
            )
        }
        MfaProblem::Type => {
            format!(
                "{} was offered {often} of a type that is not allowed there",
                device(class)
            )
        }
        MfaProblem::Assertion { problem } => format!(
            "what a security key or passkey signed was refused {often}{}",
            detail(problem)
        ),
        MfaProblem::Denied { said } => {
            format!(
                "the user refused {often} when Duo asked them{}",
                detail(said)
            )
        }
        MfaProblem::TimedOut => format!("a push by Duo was not answered in time {often}"),
        MfaProblem::Unreachable { problem } => {
            format!("Duo could not be reached {often}{}", detail(problem))
        }
        MfaProblem::Misconfigured { problem } => format!(
            "Duo refused {often} how it is set up here{}, which an administrator has to mend",
            detail(problem)
        ),
        MfaProblem::Unknown => format!(
            "the server was interrupted {often} while it asked Duo for a push, so nobody knows \
             whether there was one"
        ),
    }
}

fn device(class: &str) -> &'static str {
    match class {
        "webauthn" => "a security key or passkey",
        "duo" => "a Duo device",
        _ => "a device",
    }
}
