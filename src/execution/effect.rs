//! Carries out what executions ask of other servers, and lets visitors wait for it.
//!
//! Outside of the actor, and after the request is in the journal. What came of it is noted as soon
//! as it is known, whoever is there; it is judged when the visitor takes it up, in their name. So
//! the mailbox stays free, and a wait may outlive the server.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::AbortHandle;
use tracing::Span;
use uuid::Uuid;

use super::actor::{Answered, Asker, Handle};
use super::asking::{Placed, in_own_task};
use super::{Error, Executions, Request, Secret};
use crate::flow::client::Client;
use crate::flow::effect::{Effect, Outcome};
use crate::flow::input::Request as Asked;
use crate::journal;
use crate::stage::Reply as Shown;
use crate::world::Call;

/// How long a visitor waits for an outcome, before they are shown where the execution stands.
pub(super) const PATIENCE: Duration = Duration::from_secs(25);

/// How often an outcome is noted once more when the execution had no time for it.
const ATTEMPTS: u32 = 8;

/// How long to wait in between, at first.
const PAUSE: Duration = Duration::from_millis(200);

/// What is waited for at this moment.
#[derive(Default)]
pub(super) struct InFlight {
    all: Mutex<HashMap<Uuid, Awaited>>,
    /// Becomes true when nobody may be kept waiting any more.
    closing: watch::Sender<bool>,
}

/// How far an effect has come.
#[derive(Clone, Debug)]
enum Progress {
    /// Nothing came of it so far.
    Waits,
    /// Its outcome is in the journal, or nobody waits for it any more.
    Ended,
    /// Its outcome is known and could not be written.
    Unwritten(journal::Error),
}

/// One effect that is waited for.
struct Awaited {
    progress: watch::Sender<Progress>,
    /// Whoever carries it out; nobody where only time has to pass.
    work: Option<AbortHandle>,
}

impl InFlight {
    fn all(&self) -> MutexGuard<'_, HashMap<Uuid, Awaited>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self, effect: Uuid) -> Option<watch::Receiver<Progress>> {
        self.all().get(&effect).map(|it| it.progress.subscribe())
    }

    /// Nobody waits for it any more. A question is not asked to its end for nothing; what was asked
    /// to be done is, and noted.
    pub(super) fn leave(&self, effect: Uuid, what: Option<&Effect>) {
        if what.is_some_and(Effect::is_question) {
            return self.tell(effect);
        }
        if let Some(awaited) = self.all().get_mut(&effect) {
            let nobody = watch::Sender::new(Progress::Waits);
            let before = std::mem::replace(&mut awaited.progress, nobody);
            before.send_replace(Progress::Ended);
        }
    }

    /// Tells everybody who waits that they need not wait any more.
    fn tell(&self, effect: Uuid) {
        self.end(effect, Progress::Ended);
    }

    fn end(&self, effect: Uuid, how: Progress) {
        if let Some(awaited) = self.all().remove(&effect) {
            awaited.progress.send_replace(how);
            if let Some(work) = awaited.work {
                work.abort();
            }
        }
    }
}

/// What somebody has to do with an effect.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Waiting {
    /// They answered, so they wait for what comes of it.
    Answers,
    /// They only look.
    Looks,
}

impl Executions {
    /// Starts what a command asked for.
    pub(super) fn carry_out(&self, execution: Uuid, calls: Vec<(Uuid, Call)>) {
        for (effect, call) in calls {
            let this = self.clone();
            self.await_effect(effect, async move {
                let shared = &this.shared;
                let outcome = shared.outside.carry_out(shared, execution, call).await;
                // Whoever waits is told of it.
                let _noted = this.note(execution, effect, outcome).await;
            });
        }
    }

    /// Puts an effect among those that are waited for, unless it is there already, and starts
    /// whatever has to be done for it.
    fn await_effect(&self, effect: Uuid, work: impl Future<Output = ()> + 'static) {
        let mut all = self.shared.in_flight.all();
        let entry = all.entry(effect).or_insert_with(|| Awaited {
            progress: watch::Sender::new(Progress::Waits),
            work: None,
        });
        if entry.work.is_none() {
            entry.work = Some(actix::spawn(work).abort_handle());
        }
    }

    async fn note(&self, execution: Uuid, effect: Uuid, outcome: Outcome) -> Result<(), Error> {
        let noted = self.conclude(execution, effect, outcome).await;
        let progress = match &noted {
            Ok(()) => Progress::Ended,
            Err(error) => {
                tracing::warn!(%execution, %error, "an outcome could not be noted");
                match error {
                    Error::Journal(error) => Progress::Unwritten(error.clone()),
                    _ => Progress::Ended,
                }
            }
        };
        // This very task is what is aborted, at its end.
        self.shared.in_flight.end(effect, progress);
        noted
    }

    /// Asks once more what a server that is gone had asked. What it had others do is not done
    /// again, and what came of that will not be known any more. Returns whether it is waited for
    /// from here on.
    ///
    /// # Errors
    /// When what came of it could not be noted.
    pub(super) async fn ask_again(
        &self,
        execution: Uuid,
        effect: Uuid,
        what: &Effect,
    ) -> Result<bool, Error> {
        if *what == Effect::Pause {
            // Its timer ends it.
            self.await_effect(effect, std::future::pending());
            return Ok(true);
        }
        let call = if what.is_question() {
            self.shared.outside.again(&self.shared, what).await
        } else {
            Err(Outcome::Unknown)
        };
        match call {
            Ok(call) => {
                self.carry_out(execution, vec![(effect, call)]);
                Ok(true)
            }
            Err(outcome) => {
                self.note(execution, effect, outcome).await?;
                Ok(false)
            }
        }
    }

    /// Answers everybody who is kept waiting: they are shown where their execution stands, and may
    /// go on waiting for the same elsewhere, or here after a restart.
    pub fn release(&self) {
        self.shared.in_flight.closing.send_replace(true);
    }

    /// How many effects are waited for.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.shared.in_flight.all().len()
    }

    /// Whether somebody carries this out already.
    pub(super) fn is_in_flight(&self, effect: Uuid) -> bool {
        self.shared.in_flight.all().contains_key(&effect)
    }

    /// Tells whoever waits for an effect that its time is over.
    pub(super) fn tell(&self, effect: Uuid) {
        self.shared.in_flight.tell(effect);
    }

    /// The answer that a visitor gets where their own waits for an effect: they take up what came
    /// of it, as long as they have a part in the execution.
    pub(super) async fn settle(
        &self,
        request: &Request,
        mut placed: Placed,
    ) -> Result<Placed, Error> {
        let deadline = self.shared.clock.monotonic() + PATIENCE;
        let mut looked_for = None;
        loop {
            let Placed {
                id,
                session,
                waiting,
                ref answered,
            } = placed;
            let Some(wait) = answered.waits_for.clone() else {
                return Ok(placed);
            };
            let effect = wait.effect;
            // Whoever only looks waits where there is nothing to see.
            let shows = matches!(answered.reply, Shown::Challenge { .. });
            let only_looks = waiting == Waiting::Looks && shows && wait.outcome.is_none();
            if let Some(mut told) = self.shared.in_flight.told(effect) {
                if only_looks {
                    return Ok(placed);
                }
                let left = deadline.saturating_duration_since(self.shared.clock.monotonic());
                let mut closing = self.shared.in_flight.closing.subscribe();
                tokio::select! {
                    progress = told.wait_for(|it| !matches!(it, Progress::Waits)) => {
                        // Looking again would have it asked again, and that without an end.
                        if let Ok(Progress::Unwritten(error)) = progress.as_deref() {
                            return Err(error.clone().into());
                        }
                    }
                    _ = closing.wait_for(|closing| *closing) => return Ok(placed),
                    () = tokio::time::sleep(left) => return Ok(placed),
                }
            } else if looked_for == Some(effect) && wait.outcome.is_none() {
                // Whoever asked for it is gone with an earlier run of the server.
                match wait.what {
                    Some(what) => {
                        Box::pin(self.ask_again(id, effect, &what)).await?;
                    }
                    None => Box::pin(self.note(id, effect, Outcome::Unknown)).await?,
                }
            }
            // Whoever went away is not given what they would never get: it stays for their browser
            // to take up when it comes again.
            if !request.presence.is_there() {
                return Ok(placed);
            }
            looked_for = Some(effect);
            // In boxes, as most who come wait for nothing, and need no room for it.
            let looked = self.look_again(id, request, session, answered.secret);
            let mut looked = Box::pin(looked).await?;
            if answered.secret == Secret::New {
                looked.secret = Secret::New;
            }
            looked.confirmed |= answered.confirmed;
            placed.answered = looked;
        }
    }

    async fn look_again(
        &self,
        id: Uuid,
        request: &Request,
        session: Uuid,
        secret: Secret,
    ) -> Result<Answered, Error> {
        let asker = Asker {
            session,
            // Whoever has just been given another secret does not have it yet.
            sid: request.sid.clone().filter(|_| secret != Secret::New),
        };
        let look = Handle {
            asker: Some(asker),
            waited: true,
            ..self.handle(request, Asked::Visit)
        };
        let pass = self.admit(request).await?;
        let (this, request) = (self.clone(), request.clone());
        in_own_task(async move {
            let _pass = pass;
            let mut answered = this.send(id, look).await?;
            this.follow_up(id, &request, &mut answered).await;
            Ok(answered)
        })
        .await
    }

    /// A command with the request's own particulars, and without an answer.
    pub(super) fn handle(&self, request: &Request, asked: Asked) -> Handle {
        let Request { client, query, .. } = request;
        Handle {
            received: request.received,
            trace: request.trace,
            span: Span::current(),
            ..self.command(client, query, asked, request.correlation)
        }
    }

    /// Notes what came of an effect. An execution that nobody can read any more is told nothing.
    ///
    /// # Errors
    /// [`Error::Busy`], or what the journal said: then it has to be said again.
    pub async fn conclude(
        &self,
        execution: Uuid,
        effect: Uuid,
        outcome: Outcome,
    ) -> Result<(), Error> {
        self.tell_execution(execution, Asked::Conclude { effect, outcome })
            .await
    }

    /// Sends a command that comes from nobody, again and again as long as there is no time for it.
    pub(super) async fn tell_execution(&self, execution: Uuid, asked: Asked) -> Result<(), Error> {
        let mut pause = PAUSE;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let correlation = self.shared.clock.opaque_id();
            let handle = self.command(&Client::nobody(), "", asked.clone(), correlation);
            match self.send(execution, handle).await {
                Err(Error::Busy) if attempts < ATTEMPTS => {
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                Ok(_) | Err(Error::Over) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}
