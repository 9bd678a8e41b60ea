//! Counts what happens to executions. Nothing here decides anything.

use crate::flow::event::Event;
use crate::telemetry::{End, Metrics};

/// Counts the events of a command that is in the journal.
pub(super) fn events(metrics: &Metrics, events: &[Event]) {
    let counts = metrics.executions();
    let mut is_rejected = false;
    let mut is_answer = false;
    for event in events {
        match event {
            Event::Started { .. } => {
                counts.begun.inc();
            }
            Event::Completed { .. } => counts.ended(End::Completed),
            Event::Denied { .. } => counts.ended(End::Denied),
            Event::Cancelled { .. } => counts.ended(End::Cancelled),
            Event::Expired => counts.ended(End::Expired),
            Event::ResponseReceived { .. } => is_answer = true,
            Event::ResponseRejected { .. } => is_rejected = true,
            Event::PasswordVerified { .. } => counts.password(true),
            Event::PasswordRejected { .. } => counts.password(false),
            Event::PolicyFailed(failed) => counts.policy_failed(&failed.kind),
            _ => {}
        }
    }
    if is_answer {
        counts.answered(!is_rejected);
    }
}
