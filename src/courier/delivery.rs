//! One attempt at one mail: what its state says, what a server says, and what is written down of it.
//!
//! The order is the promise: `Sending` is durable before the first byte of a message leaves, the
//! outcome before anybody hears of it, and the mail goes only after they have heard.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use uuid::Uuid;

use super::conversation::{Conversation, Handed, Told};
use super::message::Message;
use super::outbox::{self, Mail, State};
use super::schedule;
use super::server::{Route, Server, Way};
use super::{Outcome, Report, Reporter, Shared, folder};
use crate::catalog::Stage;
use crate::journal::object::{self, Versioned};
use crate::journal::{Commit, Durability, Error, Result, Version, Write};

/// How long it takes until something is tried again that failed here, not at a server.
const PAUSE: Duration = Duration::from_secs(5);

/// How long until what is known has to be written is tried again.
const SHORT_PAUSE: Duration = Duration::from_secs(1);

/// When somebody is told that a server has a message and says nothing of it.
const SLOW: Duration = Duration::from_secs(20);

/// Why there is no way for a mail.
pub(super) enum NoRoute {
    /// The journal could not say.
    Journal(Error),
    /// The settings are wrong, or gone.
    Wrong(String),
}

/// What came of an attempt.
enum Came {
    /// It is over.
    Done(Outcome),
    /// No server has it, for this reason.
    Again(String),
    /// The program is about to end; no server has it.
    Stopped,
    /// Somebody else has it in hand, or had.
    Moved,
}

/// What came of writing down how far a mail has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// It is written.
    Yes,
    /// There is no such mail any more.
    Gone,
    /// Somebody else has written since it was read: another node that has the duties now, or had them.
    Moved,
}

/// Attempts a mail.
pub(super) struct Delivery {
    shared: Arc<Shared>,
    report: Reporter,
    stopping: watch::Receiver<bool>,
    /// The version of the mail that this attempt goes on from.
    version: Version,
}

impl Delivery {
    /// An attempt that ends when the courier does.
    pub(super) fn new(shared: &Arc<Shared>, report: &Reporter) -> Self {
        Self {
            shared: Arc::clone(shared),
            report: Arc::clone(report),
            stopping: shared.stopping.subscribe(),
            version: Version::NONE,
        }
    }

    /// Does what is to be done next for a mail; returns when to do it again, if ever.
    pub(super) async fn attempt(mut self, id: Uuid) -> Option<Timestamp> {
        let mail = match object::get::<Mail>(&*self.shared.journal, id).await {
            Ok(Some(mail)) => {
                self.version = mail.version;
                mail.value
            }
            Ok(None) => return None,
            Err(error) => {
                tracing::warn!(mail = %id, %error, "a mail cannot be read; trying again");
                return Some(self.after(PAUSE));
            }
        };
        let came = match &mail.state {
            State::Done(outcome) => return self.tell(&mail, outcome.clone()).await,
            // Whoever wrote this is gone, and with them what the server said.
            State::Sending => Came::Done(Outcome::Unknown),
            State::Waiting => self.send(&mail).await,
        };
        match came {
            Came::Done(outcome) => self.done(mail, outcome).await,
            Came::Again(problem) => self.again(mail, problem).await,
            Came::Stopped | Came::Moved => Some(self.after(PAUSE)),
        }
    }

    fn after(&self, pause: Duration) -> Timestamp {
        self.shared.clock.now() + pause
    }

    async fn send(&mut self, mail: &Mail) -> Came {
        if mail.to_address.is_empty() {
            return Came::Done(Outcome::Nobody);
        }
        if self.shared.clock.now() >= mail.until {
            return failed("its time ran out before it could be sent");
        }
        let route = match self.shared.route(mail.server).await {
            Ok(route) => route,
            Err(NoRoute::Journal(error)) => return Came::Again(error.to_string()),
            Err(NoRoute::Wrong(problem)) => return failed(problem),
        };
        let message = match Message::of(mail, &route.from) {
            Ok(message) => message,
            Err(problem) => return failed(problem),
        };
        match route.way {
            Way::Server(server) => self.send_to(&server, mail, &message).await,
            Way::Folder(path) => {
                let copy = mail.clone();
                let written =
                    tokio::task::spawn_blocking(move || folder::write(&path, &copy, &message));
                match written.await {
                    Ok(Ok(path)) => {
                        tracing::info!("a mail was written to {}", path.display());
                        Came::Done(Outcome::Sent)
                    }
                    Ok(Err(error)) => {
                        Came::Again(format!("it cannot be written to a file: {error}"))
                    }
                    Err(_) => Came::Again("it could not be written to a file".to_owned()),
                }
            }
        }
    }

    async fn send_to(&mut self, server: &Server, mail: &Mail, message: &Message) -> Came {
        let mut told = Told::new();
        let prepared = tokio::select! {
            prepared = Conversation::prepare(server, message, &mut told) => prepared,
            _ = self.stopping.wait_for(|it| *it) => return Came::Stopped,
        };
        let conversation = match prepared {
            Ok(conversation) => conversation,
            Err(problem) if problem.is_final() => return failed(problem.to_string()),
            Err(problem) => return Came::Again(problem.to_string()),
        };
        let mut sending = mail.without_letter();
        sending.state = State::Sending;
        // A server that waits for a message and gets none forgets all that came before.
        match self.write(&sending).await {
            Ok(Kept::Yes) => {}
            Ok(Kept::Gone) => return failed("it was taken back"),
            Ok(Kept::Moved) => return Came::Moved,
            Err(error) => {
                return Came::Again(format!("that it is sent cannot be written down: {error}"));
            }
        }
        let mut handed = std::pin::pin!(conversation.hand_over(message));
        let soon = tokio::time::timeout(SLOW, &mut handed).await;
        let handed = if let Ok(handed) = soon {
            handed
        } else {
            let seconds = SLOW.as_secs();
            let Server { host, port, .. } = server;
            let execution = mail.execution.map(tracing::field::display);
            tracing::warn!(
                mail = %mail.id, execution, server = format!("{host}:{port}"),
                "a server has a mail and says nothing of it for {seconds} seconds; still waiting"
            );
            handed.await
        };
        match handed {
            Handed::Taken(_) => Came::Done(Outcome::Sent),
            Handed::Refused(problem) if problem.is_final() => failed(problem.to_string()),
            Handed::Refused(problem) => Came::Again(problem.to_string()),
            Handed::Unknown(problem) => {
                let Server { host, port, .. } = server;
                let execution = mail.execution.map(tracing::field::display);
                tracing::warn!(
                    mail = %mail.id, execution, server = format!("{host}:{port}"), %problem,
                    "nobody knows whether a mail was sent"
                );
                Came::Done(Outcome::Unknown)
            }
        }
    }

    async fn again(&mut self, mut mail: Mail, problem: String) -> Option<Timestamp> {
        mail.attempts = mail.attempts.saturating_add(1);
        let pause = schedule::pause(mail.attempts);
        mail.due = self.after(pause);
        if mail.due >= mail.until {
            let problem = format!("it could not be sent in time; at last: {problem}");
            return self.done(mail, Outcome::Failed { problem }).await;
        }
        mail.state = State::Waiting;
        let seconds = pause.as_secs();
        let server = self.shared.place(&mail).await;
        let execution = mail.execution.map(tracing::field::display);
        tracing::warn!(
            mail = %mail.id, execution, server, problem,
            "a mail is not sent yet; trying again in {seconds} seconds"
        );
        self.shared.problems().insert(mail.id, problem);
        match self.keep(&mail).await {
            Kept::Moved => Some(self.after(PAUSE)),
            Kept::Yes | Kept::Gone => Some(mail.due),
        }
    }

    async fn done(&mut self, mut mail: Mail, outcome: Outcome) -> Option<Timestamp> {
        mail = mail.without_letter();
        mail.state = State::Done(outcome.clone());
        match self.keep(&mail).await {
            Kept::Yes => self.tell(&mail, outcome).await,
            Kept::Gone => None,
            Kept::Moved => Some(self.after(PAUSE)),
        }
    }

    /// Writes what is known, however long that takes; when the program ends before, it is as if there
    /// were no such mail any more.
    async fn keep(&mut self, mail: &Mail) -> Kept {
        loop {
            match self.write(mail).await {
                Ok(kept) => return kept,
                Err(error) => {
                    let execution = mail.execution.map(tracing::field::display);
                    tracing::error!(
                        mail = %mail.id, execution, %error,
                        "the journal does not take what came of a mail"
                    );
                }
            }
            tokio::select! {
                () = tokio::time::sleep(SHORT_PAUSE) => {}
                _ = self.stopping.wait_for(|it| *it) => return Kept::Gone,
            }
        }
    }

    /// Makes this the mail's current revision, if it still is what this attempt read or wrote. A node that
    /// was held up, and for which another one has the duties by now, must not go on from where it was: whoever
    /// has noted that they send the mail is the only one who does.
    async fn write(&mut self, mail: &Mail) -> Result<Kept> {
        let written = self.shared.commit(vec![object::put(mail, self.version)]);
        match written.await {
            Ok(()) => {
                self.version = self.version.next();
                Ok(Kept::Yes)
            }
            Err(Error::Conflict { .. } | Error::NoKey(_)) => {
                let found = object::get::<Mail>(&*self.shared.journal, mail.id).await?;
                Ok(found.map_or(Kept::Gone, |_| Kept::Moved))
            }
            Err(error) => Err(error),
        }
    }

    /// Tells whoever asked for the mail, and then removes it.
    async fn tell(&self, mail: &Mail, outcome: Outcome) -> Option<Timestamp> {
        let report = Report {
            mail: mail.id,
            execution: mail.execution,
            place: self.shared.place(mail).await,
            outcome,
        };
        let execution = mail.execution.map(tracing::field::display);
        if let Err(error) = (self.report)(report).await {
            tracing::warn!(
                mail = %mail.id, execution, %error,
                "what came of a mail cannot be told; trying again"
            );
            self.shared
                .problems()
                .insert(mail.id, format!("it cannot be told: {error}"));
            return Some(self.after(PAUSE));
        }
        match self.shared.remove(mail.id).await {
            Ok(()) => {
                self.shared.problems().remove(&mail.id);
                None
            }
            Err(error) => {
                tracing::warn!(mail = %mail.id, execution, %error, "a mail that is done cannot be removed; trying again");
                Some(self.after(PAUSE))
            }
        }
    }
}

fn failed(problem: impl Into<String>) -> Came {
    let problem = problem.into();
    Came::Done(Outcome::Failed { problem })
}

impl Shared {
    /// How a mail goes, by what is set at this moment.
    pub(super) async fn route(&self, server: Option<Uuid>) -> std::result::Result<Route, NoRoute> {
        let Some(stage) = server else {
            return Route::global(&self.email).map_err(NoRoute::Wrong);
        };
        let stage = object::get::<Stage>(&*self.journal, stage).await;
        match stage.map_err(NoRoute::Journal)? {
            Some(stage) => Route::of_stage(&stage.value.settings, &self.email),
            None => Err("the stage that it was sent by is gone".to_owned()),
        }
        .map_err(NoRoute::Wrong)
    }

    /// What a log calls the place that a mail goes to.
    async fn place(&self, mail: &Mail) -> String {
        match self.route(mail.server).await {
            Ok(route) => route.way.name(),
            Err(_) => "none".to_owned(),
        }
    }

    async fn remove(&self, mail: Uuid) -> Result<()> {
        let found: Option<Versioned<Mail>> = object::get(&*self.journal, mail).await?;
        match found {
            Some(found) => self.commit(outbox::remove(mail, found.version)).await,
            None => Ok(()),
        }
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<()> {
        let commit = Commit {
            writes,
            durability: Durability::Durable,
            fence: None,
            at: self.clock.now(),
            correlation: self.clock.opaque_id(),
        };
        self.journal.commit(commit).await.map(|_| ())
    }
}
