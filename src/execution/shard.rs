//! One shard per thread: knows the actors that are awake on it, and wakes the others.

use std::num::NonZeroUsize;
use std::sync::Arc;

use actix::{Actor, Addr, AsyncContext, Context, Handler, MailboxError, Message, ResponseFuture};
use lru::LruCache;
use uuid::Uuid;

use super::actor::{Answered, ExecutionActor, Handle, Peek, Stop};
use super::{Error, Shared};
use crate::flow::Execution;
use crate::journal::Version;

/// The actors of one thread.
pub(crate) struct Shard {
    shared: Arc<Shared>,
    awake: LruCache<Uuid, Addr<ExecutionActor>>,
}

impl Shard {
    /// One that has no more than `most` awake.
    pub(crate) fn new(shared: Arc<Shared>, most: usize) -> Self {
        let most = NonZeroUsize::new(most).unwrap_or(NonZeroUsize::MIN);
        Self {
            shared,
            awake: LruCache::new(most),
        }
    }

    fn actor(&mut self, id: Uuid, ctx: &Context<Self>) -> Addr<ExecutionActor> {
        // An actor whose code panicked is gone without a word; whoever comes next wakes another.
        if let Some(awake) = self.awake.get(&id).filter(|awake| awake.connected()) {
            return awake.clone();
        }
        let shared = Arc::clone(&self.shared);
        let awake = ExecutionActor::new(id, shared, ctx.address().recipient()).start();
        // One that is in the middle of something ends when that is done. Should its execution be asked
        // meanwhile, the journal decides between the two.
        if let Some((_, longest)) = self.awake.push(id, awake.clone()) {
            longest.do_send(Stop);
        }
        awake
    }
}

impl Actor for Shard {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        // Every request of the thread comes through here, so a full mailbox would refuse
        // visitors while their executions have nothing to do.
        ctx.set_mailbox_capacity(16_384);
    }
}

/// A command for one execution.
#[derive(Message)]
#[rtype(result = "Result<Answered, Error>")]
pub(crate) struct Route {
    pub(crate) id: Uuid,
    pub(crate) handle: Handle,
}

impl Handler<Route> for Shard {
    type Result = ResponseFuture<Result<Answered, Error>>;

    fn handle(&mut self, Route { id, handle }: Route, ctx: &mut Self::Context) -> Self::Result {
        // An actor is forgotten before it is told to stop, and the message is in its mailbox
        // before anything else can be, so this one is still there for it.
        let sent = self.actor(id, ctx).send(handle);
        Box::pin(async move {
            match sent.await {
                Ok(result) => result,
                Err(MailboxError::Closed | MailboxError::Timeout) => Err(Error::Busy),
            }
        })
    }
}

/// An actor has nothing to do and wants to leave memory.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Asleep {
    pub(crate) id: Uuid,
    pub(crate) who: Addr<ExecutionActor>,
}

impl Handler<Asleep> for Shard {
    type Result = ();

    fn handle(&mut self, Asleep { id, who }: Asleep, _: &mut Self::Context) {
        if self.awake.peek(&id) == Some(&who) {
            self.awake.pop(&id);
        }
        // What was sent before this point is still in the mailbox, ahead of the stop.
        who.do_send(Stop);
    }
}

/// Asks how many executions are awake.
#[derive(Message)]
#[rtype(result = "usize")]
pub(crate) struct Awake;

impl Handler<Awake> for Shard {
    type Result = usize;

    fn handle(&mut self, _: Awake, _: &mut Self::Context) -> Self::Result {
        self.awake.iter().filter(|(_, it)| it.connected()).count()
    }
}

/// Asks for the state of an execution that is awake.
#[derive(Message)]
#[rtype(result = "Option<(Version, Execution)>")]
pub(crate) struct Snapshot(pub(crate) Uuid);

impl Handler<Snapshot> for Shard {
    type Result = ResponseFuture<Option<(Version, Execution)>>;

    fn handle(&mut self, Snapshot(id): Snapshot, _: &mut Self::Context) -> Self::Result {
        let actor = self.awake.peek(&id).cloned();
        Box::pin(async move { actor?.send(Peek).await.ok().flatten() })
    }
}
