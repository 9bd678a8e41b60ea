//! What was asked of others, what came of it, and what had its time.

use crate::flow::Event;
use crate::flow::effect::{Effect, Outcome};
use crate::flow::timer::Deadline;

pub(super) fn told(event: &Event) -> Option<String> {
    Some(match event {
        Event::EffectRequested { effect, what } => {
            format!("asked for {} ({effect})", asked(what))
        }
        Event::Suspended { effect } => format!("the answer waits for {effect}"),
        Event::EffectFinished { effect, outcome } => format!("{effect}: {}", outcome_of(outcome)),
        Event::EffectOutcomeUnknown { effect } => {
            format!("{effect}: nobody will know whether it was done; it is not repeated")
        }
        Event::Resumed { effect } => format!("took up what came of {effect}"),
        Event::WaitAbandoned { effect } => {
            format!("the visitor did something else instead of waiting for {effect}")
        }
        Event::TimerSet { timer, due, of } => {
            format!("timer {timer} is due at {due:.0}, for {}", deadline(of))
        }
        Event::TimerFired { timer } => format!("timer {timer} fired"),
        _ => return None,
    })
}

/// What a timer is for.
pub(in crate::replay) fn deadline(of: &Deadline) -> String {
    match of {
        Deadline::Effect { effect } => format!("effect {effect}"),
        Deadline::Code { device } => format!("the code sent to device {device}"),
        Deadline::Link { link } => format!("link {link}"),
    }
}

/// What is asked of others.
pub(in crate::replay) fn asked(effect: &Effect) -> String {
    match effect {
        Effect::Mail { template } if template.is_empty() => "a mail".to_owned(),
        Effect::Mail { template } => format!("a mail from {template}"),
        Effect::Captcha { url } => format!("a judgement on a captcha from {url}"),
        Effect::Sms { provider } => format!("a text message from {provider}"),
        Effect::Push { device } => format!("a push by Duo to device {device}"),
        Effect::PushStatus { transaction, .. } => {
            format!("what became of the push that Duo calls {transaction}")
        }
        Effect::DuoEnrolment { .. } => "an enrolment by Duo".to_owned(),
        Effect::DuoEnrolmentStatus { .. } => {
            "whether the user has finished enrolling at Duo".to_owned()
        }
        Effect::Pause => "a pause".to_owned(),
    }
}

/// What came of it.
pub(in crate::replay) fn outcome_of(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done => "done".to_owned(),
        Outcome::Answered { answer } => format!("answered {answer}"),
        Outcome::Failed { problem } => format!("failed for good: {problem}"),
        Outcome::TimedOut => "nothing came of it in time".to_owned(),
        Outcome::Unknown => "nobody will know whether it was done".to_owned(),
    }
}
