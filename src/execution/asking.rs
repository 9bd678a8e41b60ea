//! Finds the execution that a request is for, or begins one, and puts the request to it.

use jiff::Timestamp;
use serde_json::Value;
use tracing::{Instrument as _, Span};
use uuid::Uuid;

use super::actor::{Answered, Asker, Begin, Handle};
use super::effect::Waiting;
use super::gate::Pass;
use super::shard::Route;
use super::{Error, Executions, Reply, Request, Secret, Shared, Unfinished, unfinished};
use crate::catalog::flow::flow_by_slug;
use crate::directory::link::{self, Link};
use crate::directory::session::Session;
use crate::flow::client::Client;
use crate::flow::input::{Canceller, DeadLink, Input, Request as Asked};
use crate::flow::{Context, Entry};
use crate::journal::object::{self, Versioned};
use crate::journal::{Commit, Durability, Version};
use crate::telemetry::Held;
use crate::traces::Parent;

/// The execution that a request is put to.
enum Target {
    /// One that is under way in this browser.
    Under(Uuid),
    /// One that went on in another browser.
    Elsewhere(Uuid),
    /// One to which a link leads.
    Linked(Versioned<Link>),
    /// One that it begins.
    New(Box<Begin>),
}

/// What became of a request, as long as nothing is waited for.
pub(super) struct Placed {
    /// The execution that it was put to.
    pub(super) id: Uuid,
    /// The browser's session.
    pub(super) session: Uuid,
    /// What whoever sent it has to do with what is waited for.
    pub(super) waiting: Waiting,
    /// What the execution answered.
    pub(super) answered: Answered,
}

/// How often a request is put once more to where it belongs by then.
const ATTEMPTS: usize = 5;

/// A browser that goes away leaves a task of its own behind: what follows from a command, such as
/// cancelling the other executions of a session that ended, is done all the same. It begins at
/// once, so that whoever waits for it has no room to keep for it.
pub(super) fn in_own_task<T: 'static>(
    work: impl Future<Output = Result<T, Error>> + 'static,
) -> impl Future<Output = Result<T, Error>> {
    let broken = |error| Error::Broken(format!("the request could not be carried out: {error}"));
    let task = actix::spawn(work.in_current_span());
    async move { task.await.map_err(broken)? }
}

impl Executions {
    pub(super) async fn ask(
        &self,
        mut request: Request,
        mut body: Option<Value>,
    ) -> Result<Reply, Error> {
        let (query, link) = link::known(&request.query);
        request.query = query;
        for _ in 0..ATTEMPTS {
            let pass = self.admit(&request).await?;
            let (this, asked, typed) = (self.clone(), request.clone(), body.take());
            let placed = in_own_task(async move {
                // The place is taken for the command alone, not for what the visitor waits for.
                let _pass = pass;
                this.persist(&asked, link, typed).await
            });
            match self.settle(&request, placed.await?).await {
                // It ended in somebody else's name.
                Err(Error::Over) => {}
                settled => {
                    let Placed {
                        id,
                        session,
                        answered,
                        ..
                    } = settled?;
                    return Ok(Reply::new(answered, id, session, request.correlation));
                }
            }
        }
        Err(Error::Busy)
    }

    /// Waits until a request may be taken into work. Whoever has gone away meanwhile was told
    /// nothing, so nothing has to be done for them.
    pub(super) async fn admit(&self, request: &Request) -> Result<Pass, Error> {
        let pass = self.shared.gate.enter(request.client.address).await?;
        if pass.has_waited && !request.presence.is_there() {
            return Err(Error::Busy);
        }
        Ok(pass)
    }

    async fn persist(
        &self,
        request: &Request,
        link: Option<Uuid>,
        body: Option<Value>,
    ) -> Result<Placed, Error> {
        // An execution may end, or be begun by a twin of this request, at any moment.
        for attempt in 0..ATTEMPTS {
            match self.once(request, link, body.clone(), attempt == 0).await {
                Err(Error::Over | Error::Superseded) => {}
                Err(Error::InTheWay(others)) => self.make_way(request, &others).await?,
                answered => return answered,
            }
        }
        Err(Error::Busy)
    }

    /// Ends what is at the address to which an execution goes on. What belongs to another browser
    /// only loses the way to it from here.
    async fn make_way(&self, request: &Request, others: &[Uuid]) -> Result<(), Error> {
        let objects = self.shared.journal.as_ref();
        for other in others {
            let found: Option<Versioned<Unfinished>> = object::get(objects, *other).await?;
            let Some(found) = found else { continue };
            let session = request.session.unwrap_or_default();
            let (client, by) = (&request.client, Canceller::Visitor);
            self.give_up(&found.value, session, by, client, request.correlation)
                .await?;
        }
        Ok(())
    }

    /// The execution that the request is for; with an answer, at first also one that has just
    /// ended, since the answer may be a doubled one.
    async fn find(&self, request: &Request, also_ended: bool) -> Result<Option<Target>, Error> {
        let Some(session) = request.session else {
            return Ok(None);
        };
        let objects = self.shared.journal.as_ref();
        let way = Entry::new(session, &request.slug, &request.query);
        if let Some(found) = unfinished::find(objects, &way).await? {
            let id = found.value.execution;
            let is_own = found.value.session == session;
            let target = if is_own {
                Target::Under
            } else {
                Target::Elsewhere
            };
            return Ok(Some(target(id)));
        }
        if !also_ended {
            return Ok(None);
        }
        let now = self.shared.clock.monotonic();
        let recent = &self.shared.recent;
        let ended = recent.find(session, &request.slug, way.identity, now);
        Ok(ended.map(Target::Under))
    }

    async fn once(
        &self,
        request: &Request,
        link: Option<Uuid>,
        body: Option<Value>,
        first: bool,
    ) -> Result<Placed, Error> {
        let is_answer = body.is_some();
        let found = match self.find(request, first && is_answer).await? {
            Some(found) => Some(found),
            None => self.led_by(request, link).await?,
        };
        let (target, body) = if let Some(target) = found {
            (target, body)
        } else {
            // An answer that names a challenge is one to an execution that is over.
            let body = body.filter(|_| request.challenge.is_none());
            (Target::New(self.begin(request).await?.into()), body)
        };
        let is_linked = matches!(target, Target::Linked(_));
        match self.put_to(request, target, is_answer, body).await {
            // It ended before anybody came by the link.
            Err(Error::Over) if is_linked => {
                let target = self.dead(request, DeadLink::Used).await?;
                self.put_to(request, target, false, None).await
            }
            placed => placed,
        }
    }

    /// Where the link in the request leads, if there is one of this flow.
    async fn led_by(&self, request: &Request, link: Option<Uuid>) -> Result<Option<Target>, Error> {
        let Some(link) = link else {
            return Ok(None);
        };
        let objects = self.shared.journal.as_ref();
        let found: Option<Versioned<Link>> = object::get(objects, link).await?;
        let now = self.shared.clock.now();
        Ok(match found {
            Some(found) if found.value.slug != request.slug => None,
            Some(found) if found.value.used => Some(self.dead(request, DeadLink::Used).await?),
            Some(found) if !found.value.is_over(now) => Some(Target::Linked(found)),
            _ => Some(self.dead(request, DeadLink::Unknown).await?),
        })
    }

    /// A new execution that says nothing but that the link leads nowhere.
    async fn dead(&self, request: &Request, link: DeadLink) -> Result<Target, Error> {
        let mut begin = self.begin(request).await?;
        begin.dead_link = Some(link);
        Ok(Target::New(begin.into()))
    }

    /// Puts a request to an execution.
    async fn put_to(
        &self,
        request: &Request,
        target: Target,
        is_answer: bool,
        body: Option<Value>,
    ) -> Result<Placed, Error> {
        let own = request.session.unwrap_or_default();
        let mut fresh = None;
        let mut opened = None;
        let (id, session, asked, begin) = match target {
            Target::Under(id) => {
                let challenge = request.challenge.clone();
                let asked = if is_answer {
                    Asked::Answer { challenge }
                } else {
                    Asked::Visit
                };
                (id, own, asked, None)
            }
            Target::Elsewhere(id) => (id, own, Asked::Elsewhere, None),
            Target::Linked(link) => {
                let Link { id, execution, .. } = link.value;
                if is_answer {
                    fresh = self.fresh_session(request, self.shared.clock.now());
                    let session = fresh.as_ref().map_or(own, |fresh| fresh.id);
                    let asked = Asked::Confirm { link: id, session };
                    (execution, session, asked, None)
                } else {
                    opened = self.session_for_link(request).await?;
                    (execution, own, Asked::Open { link: id }, None)
                }
            }
            Target::New(mut begin) => {
                let Unfinished {
                    execution, session, ..
                } = begin.unfinished;
                let asked = Asked::Begin {
                    execution,
                    session,
                    flow: begin.flow,
                    context: begin.context.clone(),
                    dead_link: begin.dead_link,
                    link_until: begin.link_until,
                };
                fresh = begin.session.take();
                (execution, session, asked, Some(begin))
            }
        };
        // It is counted before anybody can answer it, so that no answer is overlooked.
        let is_new = begin.is_some();
        let too_many = if is_new {
            self.crowd.joined(id, request.client.address)
        } else {
            Vec::new()
        };
        let typed = body.filter(|_| !matches!(asked, Asked::Elsewhere));
        let has_part = matches!(asked, Asked::Visit | Asked::Answer { .. });
        let on_behalf = has_part.then(|| Asker {
            session: own,
            sid: request.sid.clone(),
        });
        let counts = !matches!(asked, Asked::Elsewhere | Asked::Open { .. });
        let is_linked = matches!(asked, Asked::Open { .. } | Asked::Confirm { .. });
        Span::current().record("execution", tracing::field::display(id));
        let handle = Handle {
            typed,
            begin,
            session: fresh,
            asker: on_behalf,
            ..self.handle(request, asked)
        };
        let answered = self.send(id, handle).await;
        if counts && !answered.as_ref().is_ok_and(|answered| answered.waits) {
            self.crowd.left(id);
        }
        self.expel(&too_many, request).await;
        let mut answered = match answered {
            // Somebody began the same at the same time.
            Err(Error::InTheWay(_)) if is_new && self.find(request, false).await?.is_some() => {
                return Err(Error::Superseded);
            }
            answered => answered?,
        };
        let waiting = if is_answer {
            Waiting::Answers
        } else {
            Waiting::Looks
        };
        // A session that was made for a link that was not confirmed is nowhere.
        let session = if is_linked && !answered.confirmed {
            if opened.is_some() {
                answered.secret = Secret::New;
            }
            opened.unwrap_or(own)
        } else {
            session
        };
        self.follow_up(id, request, &mut answered).await;
        Ok(Placed {
            id,
            session,
            waiting,
            answered,
        })
    }

    /// Does what follows from a command that is in the journal.
    pub(super) async fn follow_up(&self, id: Uuid, request: &Request, answered: &mut Answered) {
        self.carry_out(id, std::mem::take(&mut answered.calls));
        for session in std::mem::take(&mut answered.ended) {
            self.cancel_others(session, id, request).await;
        }
    }

    /// Begins an execution with what is known before the first stage, in the place of one that
    /// the session may have under way already. Where it stands now, if it waits for the
    /// visitor: a flow that is not for them, or is over at once, does not.
    ///
    /// # Errors
    /// [`Error::UnknownFlow`], [`Error::Busy`], or what the journal said.
    pub async fn begin_anew(
        &self,
        mut request: Request,
        context: Context,
    ) -> Result<Option<Reply>, Error> {
        let this = self.clone();
        (request.query, _) = link::known(&request.query);
        let pass = self.admit(&request).await?;
        in_own_task(async move {
            let _pass = pass;
            // A twin of this request may be doing the same at this moment.
            for _ in 0..ATTEMPTS {
                match this.replace(&request, &context).await {
                    Err(Error::Over | Error::Superseded) => {}
                    Err(Error::InTheWay(others)) => this.make_way(&request, &others).await?,
                    begun => return begun,
                }
            }
            Err(Error::Busy)
        })
        .await
    }

    async fn replace(&self, request: &Request, context: &Context) -> Result<Option<Reply>, Error> {
        let found = self.find(request, false).await?;
        if let Some(Target::Under(earlier) | Target::Elsewhere(earlier)) = found {
            self.make_way(request, &[earlier]).await?;
        }
        let mut begin = self.begin(request).await?;
        begin.context = context.clone();
        let target = Target::New(begin.into());
        let placed = self.put_to(request, target, false, None).await?;
        let Placed {
            id,
            session,
            answered,
            ..
        } = self.settle(request, placed).await?;
        let waits = answered.waits;
        Ok(waits.then(|| Reply::new(answered, id, session, request.correlation)))
    }

    /// A session for a browser that opens a link without one: should the answer to its confirmation
    /// be lost, it is known by that when it confirms again.
    async fn session_for_link(&self, request: &Request) -> Result<Option<Uuid>, Error> {
        let Shared { journal, clock, .. } = self.shared.as_ref();
        let now = clock.now();
        let Some(session) = self.fresh_session(request, now) else {
            return Ok(None);
        };
        self.shared.has_room()?;
        self.shared.take_begun(request.client.address)?;
        let commit = Commit {
            writes: vec![object::put(&session, Version::NONE)],
            durability: Durability::Relaxed,
            fence: None,
            at: now,
            correlation: request.correlation,
        };
        journal.commit(commit).await?;
        Ok(Some(session.id))
    }

    /// A session for a browser that has none.
    fn fresh_session(&self, request: &Request, now: Timestamp) -> Option<Session> {
        let Shared { clock, limits, .. } = self.shared.as_ref();
        request.session.is_none().then(|| {
            let Client {
                address,
                user_agent,
                ..
            } = &request.client;
            Session::anonymous(clock, now, limits.lifetime, *address, user_agent)
        })
    }

    async fn begin(&self, request: &Request) -> Result<Begin, Error> {
        let Shared {
            journal,
            clock,
            limits,
            ..
        } = self.shared.as_ref();
        let flow = flow_by_slug(journal.as_ref(), &request.slug).await?;
        let flow = flow.ok_or(Error::UnknownFlow)?;
        self.shared.has_room()?;
        self.shared.take_begun(request.client.address)?;
        let now = clock.now();
        let session = self.fresh_session(request, now);
        let session_id = session
            .as_ref()
            .map(|session| session.id)
            .or(request.session)
            .unwrap_or_default();
        let unfinished = Unfinished {
            execution: clock.ordered_id(),
            session: session_id,
            due: now.checked_add(limits.lifetime).unwrap_or(now),
            entries: vec![Entry::new(session_id, &request.slug, &request.query)],
            recovers: None,
        };
        Ok(Begin {
            flow: flow.value.pk,
            context: Context::default(),
            unfinished,
            session,
            dead_link: None,
            link_until: None,
        })
    }

    /// A command, and nothing that comes with it.
    pub(super) fn command(
        &self,
        client: &Client,
        query: &str,
        asked: Asked,
        correlation: Uuid,
    ) -> Handle {
        Handle {
            input: Input {
                at: self.shared.clock.now(),
                client: client.clone(),
                query: query.to_owned(),
                request: asked,
                body: None,
            },
            typed: None,
            received: self.shared.clock.monotonic(),
            correlation,
            trace: Parent::default(),
            begin: None,
            session: None,
            asker: None,
            unless_answered: false,
            waited: false,
            span: Span::none(),
            queued: None,
        }
    }

    pub(super) async fn send(&self, id: Uuid, mut handle: Handle) -> Result<Answered, Error> {
        if handle.span.is_none() {
            // At this level, so that whatever is logged says to which execution it belongs.
            let request = handle.correlation.simple();
            handle.span = tracing::error_span!("command", id = %request, execution = %id);
        }
        handle.queued = Some(Held::new(&self.shared.metrics().executions().mailbox));
        self.shards
            .of(id)
            .send(Route { id, handle })
            .await
            .map_err(|_| Error::Busy)?
    }
}
