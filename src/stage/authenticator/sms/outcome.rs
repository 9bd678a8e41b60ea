//! What came of a text message, as whoever waits for it reads it.

use crate::flow::effect::Outcome;
use crate::flow::event::Event;
use crate::stage::Turn;

/// Why somebody gets no message, or may get none.
pub(in super::super) struct NotSent {
    /// What they read.
    pub(in super::super) text: String,
    /// Whether the provider may have sent it all the same.
    pub(in super::super) may_arrive: bool,
}

/// Whether a message was sent, by what came of the effect.
pub(in super::super) fn sent(turn: &mut Turn<'_>, outcome: &Outcome) -> Result<(), NotSent> {
    let (text, may_arrive) = match outcome {
        Outcome::Done => return Ok(()),
        Outcome::Answered { answer } => {
            let status = answer["status"].as_u64().unwrap_or_default();
            if (200..300).contains(&status) {
                return Ok(());
            }
            turn.learn(Event::ConfigurationError {
                what: "Error sending SMS".to_owned(),
                // What it says names the number, or part of it.
                problem: format!("the provider answered with the status {status}"),
            });
            let said = answer["said"].as_str().unwrap_or_default();
            let said = if said.is_empty() {
                "The provider of text messages refused to send the message."
            } else {
                said
            };
            (said, false)
        }
        Outcome::Failed { .. } => (
            "The provider of text messages could not be reached. Please try again later.",
            false,
        ),
        Outcome::TimedOut => (
            "The provider of text messages did not answer in time. If no message arrives, please \
             ask for another one.",
            true,
        ),
        Outcome::Unknown => (
            "It is not known whether the message was sent. If none arrives, please ask for \
             another one.",
            true,
        ),
    };
    Err(NotSent {
        text: text.to_owned(),
        may_arrive,
    })
}
