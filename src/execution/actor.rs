//! Owns one execution. Its mailbox is the lock: one command at a time, in the journal before
//! it is answered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{
    Actor, ActorFutureExt, AsyncContext, AtomicResponse, Context, Handler, Message, Recipient,
    SpawnHandle, WrapFuture,
};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;
use tracing::{Instrument as _, Span};
use uuid::Uuid;

use super::live::MadeLink;
use super::reply::{Pending, Secret};
use super::shard::Asleep;
use super::twin::Answers;
use super::unfinished::Unfinished;
use super::work::Work;
use super::{Error, Shared, traced};
use crate::directory::session::Session;
use crate::flow::client::Verified;
use crate::flow::event::{Event, Remembered};
use crate::flow::execution::Wait;
use crate::flow::input::{DeadLink, Input, Request};
use crate::flow::{self, Execution};
use crate::journal::Version;
use crate::stage::Reply;
use crate::telemetry::Held;
use crate::traces::Parent;
use crate::world::Call;

/// How long an execution that is over stays in memory, for an answer that was sent twice.
const AFTERWARDS: Duration = Duration::from_secs(15);

/// How long an execution stays in memory that was woken up for nobody: a hundred thousand timers may
/// come due at once.
const NOBODY_THERE: Duration = Duration::from_secs(1);

/// One command, with what must not be written down beside what is.
#[derive(Message)]
#[rtype(result = "Result<Answered, Error>")]
pub(crate) struct Handle {
    pub(crate) input: Input,
    pub(crate) typed: Option<Value>,
    pub(crate) received: Instant,
    pub(crate) correlation: Uuid,
    /// The span of the request that sends it.
    pub(crate) trace: Parent,
    pub(crate) begin: Option<Box<Begin>>,
    /// A session made for the browser, when it had none.
    pub(crate) session: Option<Session>,
    /// In whose name it comes; nobody's when the server itself asks, or when the command says by
    /// itself what it may do.
    pub(crate) asker: Option<Asker>,
    /// Whether the command is meant only for an execution that nobody has answered yet.
    pub(crate) unless_answered: bool,
    /// Whether whoever sends it has waited here, so that they also see how it ended.
    pub(crate) waited: bool,
    /// In which log lines tell of it.
    pub(crate) span: Span,
    /// Counts it as long as it waits to be taken up.
    pub(crate) queued: Option<Held>,
}

impl Handle {
    /// Whether the server itself sends it, because a moment or an outcome came.
    fn comes_from_nobody(&self) -> bool {
        matches!(
            self.input.request,
            Request::Fire { .. } | Request::Conclude { .. } | Request::Expire
        )
    }
}

/// The session in whose name a command comes, and the secret that proved it.
pub(crate) struct Asker {
    pub(crate) session: Uuid,
    pub(crate) sid: Option<SecretString>,
}

/// The answer to a command, and what follows from it elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    pub(crate) reply: Reply,
    /// Sessions that ended with it; their executions are to be cancelled.
    pub(crate) ended: Vec<Uuid>,
    /// Whether the execution still waits for its first answer.
    pub(crate) waits: bool,
    /// The user who was logged in, and by what their browser is known from now on.
    pub(crate) remembered: Option<(Uuid, Remembered)>,
    /// The second factor that was shown, as the browser may show it again.
    pub(crate) verified: Option<Verified>,
    /// Who the visitor is meant to be, as far as is known.
    pub(crate) pending: Option<Pending>,
    /// What the visitor's answer waits for.
    pub(crate) waits_for: Option<Box<Wait>>,
    /// What is to be asked of other servers now.
    pub(crate) calls: Vec<(Uuid, Call)>,
    /// The links that were made.
    pub(crate) links: Vec<MadeLink>,
    /// Who has the session's secret.
    pub(crate) secret: Secret,
    /// Whether a link was confirmed, so that the session is there from now on.
    pub(crate) confirmed: bool,
}

impl Answered {
    pub(super) fn new(reply: Reply, events: &[Event], state: &Execution) -> Self {
        Self {
            reply,
            ended: ended(events),
            waits: state.running().is_some_and(|running| running.answers == 0),
            remembered: state.latest().and_then(|it| it.remembered),
            verified: state.latest().and_then(|it| it.verified.clone()),
            pending: state.running().and_then(|it| Pending::of(&it.context)),
            waits_for: state.running().and_then(|it| it.wait.clone()).map(Box::new),
            calls: Vec::new(),
            links: Vec::new(),
            secret: Secret::Known,
            confirmed: events
                .iter()
                .any(|event| matches!(event, Event::LinkConsumed { .. })),
        }
    }
}

/// What only the first command of an execution brings.
pub(crate) struct Begin {
    pub(crate) flow: Uuid,
    /// What is known before the first stage.
    pub(crate) context: flow::Context,
    pub(crate) unfinished: Unfinished,
    /// A session made for it, when the browser had none.
    pub(crate) session: Option<Session>,
    /// What is wrong with the link that led here, where one did.
    pub(crate) dead_link: Option<DeadLink>,
    /// When the link ends that comes before the first stage, where one does.
    pub(crate) link_until: Option<Timestamp>,
}

/// The state of an execution and the version that it stands for.
#[derive(Clone, Default)]
pub(crate) struct Loaded {
    pub(crate) state: Execution,
    pub(crate) version: Version,
    /// The last version at which the session got another secret by it, if it did.
    pub(crate) rotated: Option<Version>,
}

/// The actor of one execution.
pub(crate) struct ExecutionActor {
    id: Uuid,
    shared: Arc<Shared>,
    shard: Recipient<Asleep>,
    loaded: Option<Loaded>,
    answers: Answers,
    idle: Option<SpawnHandle>,
    /// Whether a visitor has been here since it woke up.
    is_visited: bool,
    /// Counts it as long as it is in memory.
    _awake: Held,
}

impl ExecutionActor {
    pub(crate) fn new(id: Uuid, shared: Arc<Shared>, home: Recipient<Asleep>) -> Self {
        Self {
            id,
            _awake: Held::new(&shared.metrics().executions().awake),
            shared,
            shard: home,
            loaded: None,
            answers: Answers::default(),
            idle: None,
            is_visited: false,
        }
    }

    /// An idle actor leaves memory; the next message reads the journal again.
    fn stay_awake(&mut self, ctx: &mut Context<Self>) {
        let idle = if self.is_visited {
            self.shared.limits.passivate_after
        } else {
            NOBODY_THERE
        };
        let over = self.loaded.as_ref().is_some_and(|it| it.state.is_over());
        let idle = if over { idle.min(AFTERWARDS) } else { idle };
        let sleep = ctx.run_later(idle, |this, ctx| {
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

    fn handle(&mut self, mut message: Handle, ctx: &mut Self::Context) -> Self::Result {
        drop(message.queued.take());
        let span = message.span.clone();
        self.is_visited |= !message.comes_from_nobody();
        self.stay_awake(ctx);
        let work = Work {
            id: self.id,
            shared: Arc::clone(&self.shared),
            loaded: self.loaded.take(),
            answers: std::mem::take(&mut self.answers),
            span: traced::begin(&self.shared, self.id, &message),
        };
        let work = work.run(message).instrument(span);
        AtomicResponse::new(Box::pin(work.into_actor(self).map(
            |(work, result), this, ctx| {
                this.loaded = work.loaded;
                this.answers = work.answers;
                this.stay_awake(ctx);
                result
            },
        )))
    }
}

/// The sessions that ended.
fn ended(events: &[Event]) -> Vec<Uuid> {
    let of = |event: &Event| match event {
        Event::SessionEnded {
            session,
            user: Some(_),
        } => vec![*session],
        // What somebody began there is nothing for whoever takes the session over.
        Event::SessionStarted {
            session,
            terminated,
            replaced,
            ..
        } => {
            let own = replaced.map(|_| *session);
            own.into_iter().chain(terminated.iter().copied()).collect()
        }
        _ => Vec::new(),
    };
    events.iter().flat_map(of).collect()
}
