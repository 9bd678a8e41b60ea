//! Carries out what executions ask of other servers, and brings back what came of it.
//!
//! Outside of the actor, and after the request is in the journal. Whoever answered waits here for
//! the outcome, so that the mailbox stays free; whoever asks again joins in waiting.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use url::Url;
use uuid::Uuid;

use super::actor::{Answered, Asker, Handle};
use super::{Error, Executions, Outside, Request};
use crate::flow::client::Client;
use crate::flow::effect::Outcome;
use crate::flow::input::Request as Asked;
use crate::world::Call;

/// How long a visitor waits for an outcome, before they are shown where the execution stands.
const PATIENCE: Duration = Duration::from_secs(25);

/// How often an outcome is brought back once more when the execution had no time for it.
const ATTEMPTS: u32 = 5;

/// How long to wait in between, at first.
const PAUSE: Duration = Duration::from_millis(200);

/// What is asked of other servers at this moment; what came of it, once that is known.
#[derive(Default)]
pub(super) struct InFlight(Mutex<HashMap<Uuid, watch::Receiver<Option<Answered>>>>);

impl InFlight {
    fn all(&self) -> MutexGuard<'_, HashMap<Uuid, watch::Receiver<Option<Answered>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What somebody has to do with an effect.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Waiting {
    /// Their answer asked for it.
    Asked,
    /// They answer while it is under way.
    Joins,
    /// They only look.
    Looks,
}

impl Outside {
    /// Asks another server, once.
    async fn carry_out(&self, call: Call) -> Outcome {
        match call {
            Call::Captcha(question) => match self.captcha.ask(&question).await {
                Ok(answer) => Outcome::Answered { answer },
                Err(error) => {
                    // The rest of an address may be a secret.
                    let url = Url::parse(&question.url).ok();
                    let provider = url.as_ref().and_then(Url::host_str);
                    tracing::warn!(provider, %error, "a captcha could not be judged");
                    Outcome::Failed {
                        problem: error.to_string(),
                    }
                }
            },
        }
    }
}

impl Executions {
    /// Starts what a command asked for.
    pub(super) fn carry_out(&self, id: Uuid, request: &Request, calls: Vec<(Uuid, Call)>) {
        for (effect, call) in calls {
            let (tell, told) = watch::channel(None);
            self.shared.in_flight.all().insert(effect, told);
            let this = self.clone();
            let request = request.clone();
            actix::spawn(async move {
                let outcome = this.shared.outside.carry_out(call).await;
                match this.bring_back(id, effect, outcome, &request).await {
                    Ok(answered) => {
                        tell.send_replace(Some(answered));
                    }
                    Err(error) => {
                        tracing::warn!(execution = %id, %error, "an outcome came to nobody");
                    }
                }
                this.shared.in_flight.all().remove(&effect);
            });
        }
    }

    /// The answer that a visitor gets where their own waits for an effect.
    ///
    /// What was concluded is for whoever answered, as long as the execution is theirs; whoever
    /// joined in waiting is shown where it stands, if they still have a part in it.
    pub(super) async fn settle(
        &self,
        id: Uuid,
        request: &Request,
        session: Uuid,
        waiting: Waiting,
        answered: Answered,
    ) -> Result<Answered, Error> {
        let Some(effect) = answered.waits_for else {
            return Ok(answered);
        };
        let told = self.shared.in_flight.all().get(&effect).cloned();
        let Some(mut told) = told else {
            // Whoever asked is gone with an earlier run of the server.
            self.bring_back(id, effect, Outcome::Unknown, request)
                .await?;
            return self.look_again(id, request, session).await;
        };
        if waiting == Waiting::Looks {
            return Ok(answered);
        }
        let outcome = tokio::time::timeout(PATIENCE, told.wait_for(Option::is_some)).await;
        let concluded = match outcome {
            Ok(Ok(concluded)) => concluded.clone(),
            Ok(Err(_)) | Err(_) => None,
        };
        let own = |it: &Answered| waiting == Waiting::Asked && it.owner == Some(session);
        match concluded.filter(own) {
            Some(concluded) => Ok(concluded),
            None => self.look_again(id, request, session).await,
        }
    }

    async fn look_again(
        &self,
        id: Uuid,
        request: &Request,
        session: Uuid,
    ) -> Result<Answered, Error> {
        let asker = Asker {
            session,
            sid: request.sid.clone(),
        };
        let look = Handle {
            asker: Some(asker),
            ..self.handle(request, Asked::Visit)
        };
        self.send(id, look).await
    }

    async fn bring_back(
        &self,
        id: Uuid,
        effect: Uuid,
        outcome: Outcome,
        request: &Request,
    ) -> Result<Answered, Error> {
        let mut pause = PAUSE;
        let mut attempts = 0;
        loop {
            let asked = Asked::Conclude {
                effect,
                outcome: outcome.clone(),
            };
            attempts += 1;
            match self.send(id, self.handle(request, asked)).await {
                Err(Error::Busy) if attempts < ATTEMPTS => {
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                answered => return answered,
            }
        }
    }

    /// A command with the request's own particulars, and without an answer.
    pub(super) fn handle(&self, request: &Request, asked: Asked) -> Handle {
        let Request { client, query, .. } = request;
        Handle {
            received: request.received,
            ..self.command(client, query, asked, request.correlation)
        }
    }

    /// Notes what came of an effect that nobody waits for, such as a mail. An execution that
    /// nobody can read any more is told nothing.
    ///
    /// # Errors
    /// [`Error::Busy`], or what the journal said: then it has to be said again.
    pub async fn conclude(
        &self,
        execution: Uuid,
        effect: Uuid,
        outcome: Outcome,
    ) -> Result<(), Error> {
        let request = Request {
            session: None,
            sid: None,
            slug: String::new(),
            query: String::new(),
            client: Client::nobody(),
            challenge: None,
            received: self.shared.clock.monotonic(),
            correlation: self.shared.clock.opaque_id(),
        };
        match self.bring_back(execution, effect, outcome, &request).await {
            Ok(_) | Err(Error::Over) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
