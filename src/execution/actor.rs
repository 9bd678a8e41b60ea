//! Owns one execution. Its mailbox is the lock: one command at a time, in the journal before
//! it is answered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{
    Actor, ActorFutureExt, AsyncContext, AtomicResponse, Context, Handler, Message, Recipient,
    SpawnHandle, WrapFuture,
};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use uuid::Uuid;

use super::commit::{self, stream};
use super::live::{Carried, Live};
use super::shard::Asleep;
use super::unfinished::Unfinished;
use super::{Error, Shared};
use crate::directory::session::Session;
use crate::flow::event::Event;
use crate::flow::input::{Input, Request};
use crate::flow::{Execution, evolve};
use crate::journal::object::Stored;
use crate::journal::{self, Version};
use crate::stage::{self, Reply};
use crate::world::Record;

/// How often a command is run again because another object moved.
const RERUNS: usize = 3;

/// How long a commit may take before the command is given up as undecided.
const COMMIT_DEADLINE: Duration = Duration::from_secs(30);

/// One command, with what must not be written down beside what is.
#[derive(Message)]
#[rtype(result = "Result<Answered, Error>")]
pub(crate) struct Handle {
    pub(crate) input: Input,
    pub(crate) typed: Option<Value>,
    pub(crate) received: Instant,
    pub(crate) correlation: Uuid,
    pub(crate) begin: Option<Box<Begin>>,
}

/// The answer to a command, and what follows from it elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    pub(crate) reply: Reply,
    /// Sessions that ended with it; their executions are to be cancelled.
    pub(crate) ended: Vec<Uuid>,
}

impl Answered {
    fn only(reply: Reply) -> Self {
        Self {
            reply,
            ended: Vec::new(),
        }
    }
}

/// What only the first command of an execution brings.
pub(crate) struct Begin {
    pub(crate) flow: Uuid,
    pub(crate) unfinished: Unfinished,
    /// A session made for it, when the browser had none.
    pub(crate) session: Option<Session>,
}

/// The state of an execution and the version that it stands for.
#[derive(Clone, Default)]
pub(crate) struct Loaded {
    pub(crate) state: Execution,
    pub(crate) version: Version,
}

/// The last answer that was taken, for telling a doubled one.
#[derive(Clone)]
struct Last {
    digest: [u8; 32],
    answered: Instant,
    reply: Reply,
}

/// The actor of one execution.
pub(crate) struct ExecutionActor {
    id: Uuid,
    shared: Arc<Shared>,
    shard: Recipient<Asleep>,
    loaded: Option<Loaded>,
    last: Option<Last>,
    idle: Option<SpawnHandle>,
}

impl ExecutionActor {
    pub(crate) fn new(id: Uuid, shared: Arc<Shared>, home: Recipient<Asleep>) -> Self {
        Self {
            id,
            shared,
            shard: home,
            loaded: None,
            last: None,
            idle: None,
        }
    }

    /// An idle actor leaves memory; the next message reads the journal again.
    fn stay_awake(&mut self, ctx: &mut Context<Self>) {
        let sleep = ctx.run_later(self.shared.limits.passivate_after, |this, ctx| {
            this.shard.do_send(Asleep {
                id: this.id,
                who: ctx.address(),
            });
        });
        if let Some(earlier) = self.idle.replace(sleep) {
            ctx.cancel_future(earlier);
        }
    }
}

impl Actor for ExecutionActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(1024);
        self.stay_awake(ctx);
    }
}

/// Asks an actor to leave memory, once its shard has forgotten it.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Stop;

impl Handler<Stop> for ExecutionActor {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Self::Context) {
        use actix::ActorContext as _;
        ctx.stop();
    }
}

/// Asks for the state that is in memory.
#[derive(Message)]
#[rtype(result = "Option<(Version, Execution)>")]
pub(crate) struct Peek;

impl Handler<Peek> for ExecutionActor {
    type Result = Option<(Version, Execution)>;

    fn handle(&mut self, _: Peek, _: &mut Self::Context) -> Self::Result {
        self.loaded
            .clone()
            .map(|loaded| (loaded.version, loaded.state))
    }
}

impl Handler<Handle> for ExecutionActor {
    // Atomic: no other message is taken up while this one is under way.
    type Result = AtomicResponse<Self, Result<Answered, Error>>;

    fn handle(&mut self, message: Handle, ctx: &mut Self::Context) -> Self::Result {
        self.stay_awake(ctx);
        let work = Work {
            id: self.id,
            shared: Arc::clone(&self.shared),
            loaded: self.loaded.take(),
            last: self.last.take(),
        };
        AtomicResponse::new(Box::pin(work.run(message).into_actor(self).map(
            |(work, result), this, _| {
                this.loaded = work.loaded;
                this.last = work.last;
                result
            },
        )))
    }
}

/// The actor's state while a command is under way. Whatever fails leaves nothing loaded, so
/// that the next command starts from what the journal says.
struct Work {
    id: Uuid,
    shared: Arc<Shared>,
    loaded: Option<Loaded>,
    last: Option<Last>,
}

impl Work {
    async fn run(mut self, message: Handle) -> (Self, Result<Answered, Error>) {
        let result = self.handle(message).await;
        (self, result)
    }

    async fn handle(&mut self, mut message: Handle) -> Result<Answered, Error> {
        let mut before = match self.loaded.take() {
            Some(loaded) => loaded,
            None => load(&self.shared, self.id).await?,
        };
        let digest = message.typed.as_ref().map(|body| self.digest(body));
        if let Some(last) = self.twin(digest, message.received) {
            if before.state.is_over() {
                self.loaded = Some(before);
                return Ok(Answered::only(last.reply));
            }
            look_only(&mut message);
        }
        if before.state.is_over() {
            self.loaded = Some(before);
            return Err(Error::Over);
        }
        let carried = Arc::default();
        for _ in 0..=RERUNS {
            match self.attempt(&before, &message, &carried).await? {
                Attempt::Done(after, answered) => {
                    self.loaded = Some(after);
                    if let Some(digest) = digest {
                        let at = self.shared.clock.monotonic();
                        let reply = answered.reply.clone();
                        self.last = Some(Last {
                            digest,
                            answered: at,
                            reply,
                        });
                    }
                    return Ok(answered);
                }
                Attempt::OthersMoved => {}
                Attempt::Moved => {
                    // Somebody else answered first, so this answer is a stale tab's.
                    before = load(&self.shared, self.id).await?;
                    look_only(&mut message);
                    if before.state.is_over() {
                        return Err(Error::Over);
                    }
                }
            }
        }
        self.loaded = Some(before);
        Err(Error::Busy)
    }

    async fn attempt(
        &self,
        before: &Loaded,
        message: &Handle,
        carried: &Arc<Carried>,
    ) -> Result<Attempt, Error> {
        let world = Live::new(&self.shared, message.input.at, carried);
        let state = before.state.clone();
        let handled = stage::handle(state, &message.input, message.typed.as_ref(), &world)
            .await
            .map_err(failed)?;
        if handled.events.is_empty() {
            return Ok(Attempt::Done(before.clone(), Answered::only(handled.reply)));
        }
        let left = world.leave();
        let commit = commit::build(&self.shared, self.id, before, message, &handled, left).await?;
        let committed = self.shared.journal.commit(commit);
        match actix::clock::timeout(COMMIT_DEADLINE, committed).await {
            Ok(Ok(_)) => {
                let after = Loaded {
                    state: handled.state,
                    version: before.version.next(),
                };
                let ended = ended(&handled.events);
                Ok(Attempt::Done(
                    after,
                    Answered {
                        reply: handled.reply,
                        ended,
                    },
                ))
            }
            Ok(Err(error)) => self.refused(error),
            Err(_) => Err(Error::Busy),
        }
    }

    fn refused(&self, error: journal::Error) -> Result<Attempt, Error> {
        match error {
            journal::Error::Conflict { stream: moved, .. } if moved == stream(self.id) => {
                Ok(Attempt::Moved)
            }
            journal::Error::Taken { kind, .. } if kind == Unfinished::KIND => {
                Err(Error::Superseded)
            }
            journal::Error::Conflict { .. } | journal::Error::Taken { .. } => {
                Ok(Attempt::OthersMoved)
            }
            other => Err(other.into()),
        }
    }

    /// The last answer, if it is this very one and was on its way when that was answered.
    fn twin(&self, digest: Option<[u8; 32]>, received: Instant) -> Option<Last> {
        let last = self.last.clone()?;
        (digest == Some(last.digest) && received < last.answered).then_some(last)
    }

    fn digest(&self, body: &Value) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.shared.digest_key)
            .expect("HMAC takes keys of any length");
        mac.update(body.to_string().as_bytes());
        mac.finalize().into_bytes().into()
    }
}

enum Attempt {
    /// It is in the journal, or there was nothing to write.
    Done(Loaded, Answered),
    /// The execution itself moved.
    Moved,
    /// Another object moved.
    OthersMoved,
}

/// The sessions that ended.
fn ended(events: &[Event]) -> Vec<Uuid> {
    let of = |event: &Event| match event {
        Event::SessionEnded {
            session,
            user: Some(_),
        } => vec![*session],
        Event::SessionStarted { terminated, .. } => terminated.clone(),
        _ => Vec::new(),
    };
    events.iter().flat_map(of).collect()
}

/// Makes a command one that only looks.
fn look_only(message: &mut Handle) {
    message.typed = None;
    message.input.request = Request::Visit;
    message.begin = None;
}

fn failed(error: stage::Error) -> Error {
    use crate::world::Error as World;
    match error {
        stage::Error::World(World::Busy) => Error::Busy,
        stage::Error::World(World::Journal(error)) => Error::Journal(error),
        other => Error::Broken(other.to_string()),
    }
}

/// Folds an execution from the journal.
pub(crate) async fn load(shared: &Shared, id: Uuid) -> Result<Loaded, Error> {
    let mut loaded = Loaded::default();
    for envelope in shared.journal.read(stream(id), Version::NONE).await? {
        let corrupt = |problem: String| journal::Error::Corrupt {
            stream: envelope.stream,
            version: envelope.version,
            problem,
        };
        let body = envelope
            .body
            .as_deref()
            .ok_or_else(|| corrupt("its body was removed, or its key destroyed".to_owned()))?;
        let record: Record = serde_json::from_slice(body)
            .map_err(|error| corrupt(format!("its body cannot be read: {error}")))?;
        loaded.state = record.events.iter().fold(loaded.state, evolve);
        loaded.version = envelope.version;
    }
    Ok(loaded)
}
