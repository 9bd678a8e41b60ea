//! Second factors: what was asked for, and what was thought of the answer.

use crate::flow::Event;
use crate::flow::event::MfaProblem;

pub(super) fn told(event: &Event) -> Option<String> {
    Some(match event {
        Event::MfaChallenged { device, class } => format!("asked {class} device {device}"),
        Event::PushSent {
            device,
            transaction,
        } => format!("Duo sent push {transaction} to device {device}"),
        Event::MfaVerified { device, class } => format!("{class} device {device} was accepted"),
        Event::MfaRejected {
            class,
            device,
            reason,
        } => {
            let device = device.map_or_else(String::new, |device| format!(" device {device}"));
            format!("{class}{device} refused: {}", problem(reason))
        }
        Event::MfaRemembered { device, until, .. } => {
            format!("the browser need not show device {device} again until {until:.0}")
        }
        Event::MfaWaived { device, class } => {
            format!("nothing was asked, as the browser showed {class} device {device} before")
        }
        Event::DeviceEnrolled {
            device,
            class,
            user,
        } => format!("user {user} has {class} device {device} from now on"),
        _ => return None,
    })
}

fn problem(reason: &MfaProblem) -> String {
    match reason {
        MfaProblem::Wrong => "it is not the code".to_owned(),
        MfaProblem::Expired => "it was the code, but is not any more".to_owned(),
        MfaProblem::Locked { until } => {
            format!("after too many wrong codes none is looked at until {until:.0}")
        }
        MfaProblem::UnknownDevice => "there is no such device of this user".to_owned(),
        MfaProblem::Type => "devices of its type are not allowed here".to_owned(),
        MfaProblem::Assertion { problem } => problem.clone(),
        MfaProblem::Denied { said } => format!("the user refused: {said}"),
        MfaProblem::TimedOut => "nothing came in time".to_owned(),
        MfaProblem::Unreachable { problem } => {
            format!("the provider could not be reached: {problem}")
        }
        MfaProblem::Misconfigured { problem } => {
            format!("the provider does not take what is set: {problem}")
        }
        MfaProblem::Unknown => {
            "the server was interrupted, so nobody knows what the provider did".to_owned()
        }
    }
}
