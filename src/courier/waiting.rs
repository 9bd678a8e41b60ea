//! What is in the outbox, for whoever is on call. It says nothing of recipients and letters.

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::outbox::{Mail, State};
use super::{Courier, MAIL, PAGE};
use crate::journal::{self, object};

/// A mail that is in the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// Its id.
    pub mail: Uuid,
    /// The execution that asked for it.
    pub execution: Option<Uuid>,
    /// How often it was tried in vain.
    pub attempts: u32,
    /// When it is tried next.
    pub due: Timestamp,
    /// `waiting`; `sending` while a server may have it; `done` until whoever asked has heard.
    pub state: &'static str,
    /// Why it is still here, as far as this run of the server knows.
    pub problem: Option<String>,
}

impl Courier {
    /// All that is in the outbox, the oldest first.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn waiting(&self) -> journal::Result<Vec<Waiting>> {
        self.first_waiting(usize::MAX).await
    }

    /// The first so many that are in the outbox.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn first_waiting(&self, most: usize) -> journal::Result<Vec<Waiting>> {
        let mut waiting = Vec::new();
        let mut after = None;
        loop {
            let page = self.0.journal.list(MAIL, after, PAGE).await?;
            for found in &page {
                if waiting.len() == most {
                    return Ok(waiting);
                }
                let mail = object::open::<Mail>(found)?.value;
                waiting.push(Waiting {
                    mail: mail.id,
                    execution: mail.execution,
                    attempts: mail.attempts,
                    due: mail.due,
                    state: match mail.state {
                        State::Waiting => "waiting",
                        State::Sending => "sending",
                        State::Done(_) => "done",
                    },
                    problem: self.0.problems().get(&mail.id).cloned(),
                });
            }
            match page.last() {
                Some(last) if page.len() == PAGE => after = Some(last.stream.id),
                _ => return Ok(waiting),
            }
        }
    }
}
