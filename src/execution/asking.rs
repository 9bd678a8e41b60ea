//! Finds the execution that a request is for, or begins one, and puts the request to it.

use serde_json::Value;
use uuid::Uuid;

use super::actor::{Answered, Begin, Handle};
use super::shard::Route;
use super::{Error, Executions, Reply, Request, Shared, Unfinished, unfinished};
use crate::catalog::flow::flow_by_slug;
use crate::directory::session::Session;
use crate::flow::Context;
use crate::flow::client::Client;
use crate::flow::input::{Canceller, Input, Request as Asked};
use crate::flow::query::Query;

/// The execution that a request is put to.
enum Target {
    /// One that is under way.
    Under(Uuid),
    /// One that it begins.
    New(Box<Begin>),
}

impl Executions {
    /// A browser that goes away leaves a task of its own behind: what follows from a command,
    /// such as cancelling the other executions of a session that ended, is done all the same.
    pub(super) async fn ask(&self, request: Request, body: Option<Value>) -> Result<Reply, Error> {
        let this = self.clone();
        let asked = actix::spawn(async move { this.persist(&request, body).await });
        let broken =
            |error| Error::Broken(format!("the request could not be carried out: {error}"));
        asked.await.map_err(broken)?
    }

    async fn persist(&self, request: &Request, body: Option<Value>) -> Result<Reply, Error> {
        // An execution may end, or be begun by a twin of this request, at any moment.
        for attempt in 0..5 {
            match self.once(request, body.clone(), attempt == 0).await {
                Err(Error::Over | Error::Superseded) => {}
                answered => return answered,
            }
        }
        Err(Error::Busy)
    }

    /// The execution that the request is for; with an answer, at first also one that has just
    /// ended, since the answer may be a doubled one.
    async fn find(
        &self,
        request: &Request,
        query: &Query,
        also_ended: bool,
    ) -> Result<Option<Uuid>, Error> {
        let Some(session) = request.session else {
            return Ok(None);
        };
        let objects = self.shared.journal.as_ref();
        let found = unfinished::find(objects, session, &request.slug, query).await?;
        if let Some(unfinished) = found {
            return Ok(Some(unfinished.value.execution));
        }
        if !also_ended {
            return Ok(None);
        }
        let now = self.shared.clock.monotonic();
        let recent = &self.shared.recent;
        Ok(recent.find(session, &request.slug, query.identity(), now))
    }

    async fn once(
        &self,
        request: &Request,
        body: Option<Value>,
        first: bool,
    ) -> Result<Reply, Error> {
        let query = Query::parse(&request.query);
        let is_answer = body.is_some();
        let found = self.find(request, &query, first && is_answer).await?;
        let (target, body) = if let Some(id) = found {
            (Target::Under(id), body)
        } else {
            // An answer that names a challenge is one to an execution that is over.
            let body = body.filter(|_| request.challenge.is_none());
            (Target::New(self.begin(request, &query).await?.into()), body)
        };
        let (session, answered) = self.put_to(request, target, is_answer, body).await?;
        Ok(Reply::new(answered, session, request.correlation))
    }

    /// Puts a request to an execution; the browser's session, and what came of it.
    async fn put_to(
        &self,
        request: &Request,
        target: Target,
        is_answer: bool,
        body: Option<Value>,
    ) -> Result<(Uuid, Answered), Error> {
        let (id, session, asked, begin) = match target {
            Target::Under(id) => {
                let challenge = request.challenge.clone();
                let asked = if is_answer {
                    Asked::Answer { challenge }
                } else {
                    Asked::Visit
                };
                (id, request.session.unwrap_or_default(), asked, None)
            }
            Target::New(begin) => {
                let Unfinished {
                    execution, session, ..
                } = begin.unfinished;
                let asked = Asked::Begin {
                    execution,
                    session,
                    flow: begin.flow,
                    context: begin.context.clone(),
                };
                (execution, session, asked, Some(begin))
            }
        };
        // It is counted before anybody can answer it, so that no answer is overlooked.
        let too_many = match &begin {
            Some(_) => self.crowd.joined(id, request.client.address),
            None => Vec::new(),
        };
        let handle = Handle {
            input: self.input(request, asked),
            typed: body,
            received: request.received,
            correlation: request.correlation,
            begin,
            unless_answered: false,
        };
        let answered = self.send(id, handle).await;
        if !answered.as_ref().is_ok_and(|answered| answered.waits) {
            self.crowd.left(id);
        }
        self.expel(&too_many, request).await;
        let answered = answered?;
        for session in &answered.ended {
            self.cancel_others(*session, id, request).await;
        }
        Ok((session, answered))
    }

    /// Begins an execution with what is known before the first stage, in the place of one that
    /// the session may have under way already. Whether it waits for the visitor now: a flow that
    /// is not for them, or is over at once, does not.
    ///
    /// # Errors
    /// [`Error::UnknownFlow`], [`Error::Busy`], or what the journal said.
    pub async fn begin_anew(&self, request: Request, context: Context) -> Result<bool, Error> {
        let this = self.clone();
        let asked = actix::spawn(async move {
            // A twin of this request may be doing the same at this moment.
            for _ in 0..5 {
                match this.replace(&request, &context).await {
                    Err(Error::Over | Error::Superseded) => {}
                    begun => return begun,
                }
            }
            Err(Error::Busy)
        });
        let broken =
            |error| Error::Broken(format!("the request could not be carried out: {error}"));
        asked.await.map_err(broken)?
    }

    async fn replace(&self, request: &Request, context: &Context) -> Result<bool, Error> {
        let query = Query::parse(&request.query);
        if let Some(earlier) = self.find(request, &query, false).await? {
            let by = Asked::Cancel {
                by: Canceller::Visitor,
            };
            let client = &request.client;
            self.end(earlier, client, by, request.correlation).await?;
        }
        let mut begin = self.begin(request, &query).await?;
        begin.context = context.clone();
        let target = Target::New(begin.into());
        let (_, answered) = self.put_to(request, target, false, None).await?;
        Ok(answered.waits)
    }

    async fn begin(&self, request: &Request, query: &Query) -> Result<Begin, Error> {
        let Shared {
            journal,
            clock,
            limits,
            begun,
            ..
        } = self.shared.as_ref();
        let flow = flow_by_slug(journal.as_ref(), &request.slug).await?;
        let flow = flow.ok_or(Error::UnknownFlow)?;
        let wait = begun.take(request.client.address, clock.monotonic());
        wait.map_err(Error::Throttled)?;
        let now = clock.now();
        let session = request.session.is_none().then(|| {
            let Client {
                address,
                user_agent,
                ..
            } = &request.client;
            Session::anonymous(clock, now, limits.lifetime, *address, user_agent)
        });
        let session_id = session
            .as_ref()
            .map(|session| session.id)
            .or(request.session);
        let unfinished = Unfinished {
            execution: clock.ordered_id(),
            session: session_id.unwrap_or_default(),
            slug: request.slug.clone(),
            due: now.checked_add(limits.lifetime).unwrap_or(now),
            identity: query.identity(),
            next: query.next().map(str::to_owned),
        };
        Ok(Begin {
            flow: flow.value.pk,
            context: Context::default(),
            unfinished,
            session,
        })
    }

    fn input(&self, request: &Request, asked: Asked) -> Input {
        Input {
            at: self.shared.clock.now(),
            client: request.client.clone(),
            query: request.query.clone(),
            request: asked,
            body: None,
        }
    }

    pub(super) async fn send(&self, id: Uuid, handle: Handle) -> Result<Answered, Error> {
        self.shards
            .of(id)
            .send(Route { id, handle })
            .await
            .map_err(|_| Error::Busy)?
    }
}
