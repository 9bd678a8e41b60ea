//! The actors that own executions, and the one way to reach them.
//!
//! Each execution is an actor: its mailbox is the lock, and it answers only after what happened
//! is in the journal. Handlers talk to [`Executions`], never to an actor.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix::{Actor, Addr, Arbiter};
use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::{Semaphore, SemaphorePermit};
use uuid::Uuid;

use crate::clock::Clock;
use crate::directory::password::pool::Pool;
use crate::directory::reputation::Rules;
use crate::flow::Execution;
use crate::flow::client::Client;
use crate::journal::{self, Journal, Version};
use crate::telemetry::{Metrics, Refused};
use crate::traces::Parent;
use crate::world::Call;

mod actor;
mod aside;
mod asking;
mod attempts;
mod commit;
mod counted;
mod crowd;
mod due;
mod duo;
mod effect;
mod ending;
mod former;
mod gate;
mod guesses;
pub mod limit;
mod live;
mod outside;
mod posting;
mod presence;
mod recent;
mod recovery;
mod reply;
mod shard;
mod status;
mod sweep;
#[cfg(test)]
mod tests;
mod timers;
mod traced;
mod twin;
pub mod unfinished;
mod vault;
mod vitals;
mod watched;
mod work;

pub use aside::Tested;
pub use due::{PRESENCE, lease_of};
pub use outside::Outside;
pub use presence::Presence;
pub use recovery::Recovery;
pub use reply::{Pending, Reply, Secret, flow_error};
use status::Stands;
pub use status::{State, Status, Watching};
pub use unfinished::Unfinished;
pub use vitals::{Counted, Vitals};
pub use watched::Watched;

use crowd::Crowd;
use effect::InFlight;
use gate::Gate;
use guesses::Guesses;
use limit::Limiter;
use recent::Recent;
use shard::{Shard, Snapshot};
use timers::Earliest;

/// How many calls of captchas' providers and of those who send text messages are under way at once.
const CALLS: usize = 256;

/// Why a request to an execution could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No flow has this slug.
    #[error("no flow has this slug")]
    UnknownFlow,
    /// Too much is going on. Try again in a moment.
    #[error("too much is going on; try again in a moment")]
    Busy,
    /// This address began too many; so long it has to wait.
    #[error("too many executions were begun from one address")]
    Throttled(Duration),
    /// An account got too many wrong passwords; so long nobody may try another.
    #[error("too many wrong passwords for one account")]
    Guessed(Duration),
    /// The journal could not be read or written.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// The execution cannot go on; the log of the server says more.
    #[error("{0}")]
    Broken(String),
    /// The execution ended before the request reached it.
    #[error("the execution is over")]
    Over,
    /// Another request began the same execution first.
    #[error("the execution was begun by another request")]
    Superseded,
    /// These executions are at the address to which one goes on.
    #[error("another execution is in the way")]
    InTheWay(Vec<Uuid>),
    /// The flow is not for this user.
    #[error("the flow is not for this user: {0}")]
    NotApplicable(String),
}

/// The bounds within which executions live.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How long an execution stays in memory without being asked.
    pub passivate_after: Duration,
    /// How many are in memory; of more, those leave it that nobody has asked for the longest time.
    pub awake: usize,
    /// How long an execution, and an anonymous session, may take altogether.
    pub lifetime: Duration,
    /// How many executions may wait for their first answer.
    pub unanswered: usize,
    /// How many of them from one address.
    pub unanswered_per_address: usize,
    /// How many one address may begin in a second, in the long run.
    pub begun_per_second: u32,
    /// How many it may begin at once.
    pub begun_at_once: u32,
    /// How many requests are in work at once.
    pub at_once: usize,
    /// How many may wait until they are taken into work.
    pub waiting: usize,
    /// How many wrong passwords an account may get in the long run, for each hour.
    pub wrong_passwords_per_hour: u32,
    /// How many it may get at once.
    pub wrong_passwords_at_once: u32,
    /// How failed and successful attempts are counted.
    pub reputation: Rules,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            passivate_after: Duration::from_mins(5),
            awake: 10_000,
            lifetime: Duration::from_hours(24),
            unanswered: 100_000,
            unanswered_per_address: 200,
            begun_per_second: 20,
            begun_at_once: 200,
            at_once: 256,
            waiting: 2_048,
            wrong_passwords_per_hour: 120,
            wrong_passwords_at_once: 30,
            reputation: Rules::default(),
        }
    }
}

/// What the actors share.
pub(crate) struct Shared {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) clock: Clock,
    pub(crate) pool: Arc<Pool>,
    pub(crate) limits: Limits,
    pub(crate) outside: Outside,
    /// Digests of answers are kept in memory under this key only.
    pub(crate) digest_key: [u8; 32],
    recent: Recent,
    /// What is asked of other servers at this moment.
    in_flight: InFlight,
    /// The executions that somebody watches.
    watched: Watched,
    /// When the first timer is due.
    earliest: Earliest,
    /// Held by one of those who lost the number of a new user, so that they do not all lose again.
    creating: tokio::sync::Mutex<()>,
    /// Each execution stays in the journal, also one that nobody answers.
    begun: Limiter,
    /// Who may be in work.
    gate: Gate,
    /// The wrong passwords of each account.
    guesses: Guesses,
    /// The turns of those who call other servers.
    calls: Semaphore,
    /// Where executions stood when somebody looked.
    stands: Stands,
}

impl Shared {
    /// Waits for a turn to call a server that has no turns of its own here.
    async fn turn(&self, call: &Call) -> Option<SemaphorePermit<'_>> {
        match call {
            // The semaphore is never closed.
            Call::Captcha(_) | Call::Sms(_) => self.calls.acquire().await.ok(),
            _ => None,
        }
    }

    /// What is counted.
    pub(super) fn metrics(&self) -> &Metrics {
        &self.outside.metrics
    }

    /// Whether there is room for something new.
    ///
    /// # Errors
    /// What the journal says that has none.
    fn has_room(&self) -> Result<(), Error> {
        self.journal.has_room().map_err(|full| {
            self.metrics().web().refused(Refused::Room);
            full.into()
        })
    }

    /// Takes one execution that an address begins.
    fn take_begun(&self, address: IpAddr) -> Result<(), Error> {
        let taken = self.begun.take(address, self.clock.monotonic());
        taken.map_err(|wait| {
            self.metrics().web().refused(Refused::Begun);
            Error::Throttled(wait)
        })
    }
}

/// One request of a browser or a program.
#[derive(Clone, Debug)]
pub struct Request {
    /// The browser's session, where it has one.
    pub session: Option<Uuid>,
    /// The secret by which it proved that, where it came with one.
    pub sid: Option<SecretString>,
    /// The flow.
    pub slug: String,
    /// The browser's query string.
    pub query: String,
    /// Who asks.
    pub client: Client,
    /// The id of the challenge that is answered, where the client knows it.
    pub challenge: Option<String>,
    /// When it arrived.
    pub received: Instant,
    /// The request's own id.
    pub correlation: Uuid,
    /// Its span.
    pub trace: Parent,
    /// Whether whoever sent it is still there.
    pub presence: Presence,
}

/// Which executions of a session a cancellation means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cancel {
    /// The one of this flow with this query string.
    One {
        /// The flow.
        slug: String,
        /// The browser's query string.
        query: String,
    },
    /// All that lead to this address.
    Next(String),
    /// All.
    All,
}

/// The way to every execution. Cheap to clone.
#[derive(Clone)]
pub struct Executions {
    shards: Arc<Shards>,
    shared: Arc<Shared>,
    crowd: Arc<Crowd>,
}

/// The shards and their threads, which end with the last way to them.
struct Shards {
    addresses: Vec<Addr<Shard>>,
    threads: Mutex<Vec<Arbiter>>,
}

impl Shards {
    fn of(&self, id: Uuid) -> &Addr<Shard> {
        // The low half of an ordered id is random.
        let (_, low) = id.as_u64_pair();
        let at = low % self.addresses.len() as u64;
        &self.addresses[usize::try_from(at).unwrap_or(0)]
    }

    fn take_threads(&self) -> Vec<Arbiter> {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *threads)
    }
}

impl Drop for Shards {
    fn drop(&mut self) {
        for thread in self.take_threads() {
            thread.stop();
        }
    }
}

impl Executions {
    /// Starts the actors on `threads` threads of their own.
    #[must_use]
    pub fn start(
        journal: Arc<dyn Journal>,
        clock: Clock,
        pool: Arc<Pool>,
        limits: Limits,
        outside: Outside,
        threads: usize,
    ) -> Self {
        let digest_key = clock.random();
        let crowd = Arc::new(Crowd::new(limits.unanswered, limits.unanswered_per_address));
        let begun = Limiter::new(limits.begun_per_second, limits.begun_at_once);
        let gate = Gate::new(limits.at_once, limits.waiting, outside.metrics.clone());
        let (per_hour, at_once) = (
            limits.wrong_passwords_per_hour,
            limits.wrong_passwords_at_once,
        );
        let guesses = Guesses::new(&journal, per_hour, at_once);
        let shared = Arc::new(Shared {
            journal,
            clock,
            pool,
            limits,
            outside,
            digest_key,
            recent: Recent::default(),
            in_flight: InFlight::default(),
            watched: Watched::default(),
            earliest: Earliest::default(),
            creating: tokio::sync::Mutex::default(),
            begun,
            gate,
            guesses,
            calls: Semaphore::new(CALLS),
            stands: Stands::default(),
        });
        let threads: Vec<Arbiter> = (0..threads.max(1)).map(|_| Arbiter::new()).collect();
        let most = shared.limits.awake.div_ceil(threads.len());
        let start = |arbiter: &Arbiter| {
            let shared = Arc::clone(&shared);
            Shard::start_in_arbiter(&arbiter.handle(), move |_| Shard::new(shared, most))
        };
        let addresses = threads.iter().map(start).collect();
        Self {
            shards: Arc::new(Shards {
                addresses,
                threads: Mutex::new(threads),
            }),
            shared,
            crowd,
        }
    }

    /// Ends the actors and their threads, once nobody asks them any more. What they were in the
    /// middle of is left as a crash would leave it.
    pub async fn stop(&self) {
        let arbiters = self.shards.take_threads();
        for arbiter in &arbiters {
            arbiter.stop();
        }
        let join = move || {
            for arbiter in arbiters {
                if arbiter.join().is_err() {
                    tracing::error!("a thread of executions ended badly");
                }
            }
        };
        // It fails only when the runtime itself is going down.
        let _ = tokio::task::spawn_blocking(join).await;
    }

    /// Shows where an execution stands; begins one where there is none.
    ///
    /// # Errors
    /// [`Error::UnknownFlow`], [`Error::Busy`], or what the journal said.
    pub async fn visit(&self, request: Request) -> Result<Reply, Error> {
        self.ask(request, None).await
    }

    /// Answers a challenge and returns the next one; begins an execution where there is none.
    ///
    /// # Errors
    /// [`Error::UnknownFlow`], [`Error::Busy`], or what the journal said.
    pub async fn answer(&self, request: Request, body: Value) -> Result<Reply, Error> {
        self.ask(request, Some(body)).await
    }

    /// How often an address may begin something.
    #[must_use]
    pub fn limiter(&self) -> &Limiter {
        &self.shared.begun
    }

    /// The scheme and host under which browsers reach the server, where the operator says so.
    #[must_use]
    pub fn public_url(&self) -> Option<&str> {
        self.shared.outside.public_url.as_deref()
    }

    /// The state that an actor holds in memory, and the version that it stands for; `None` when
    /// the execution is not awake. For checking that folding the journal gives the same.
    ///
    /// # Errors
    /// [`Error::Busy`] when the actors are gone.
    pub async fn snapshot(&self, id: Uuid) -> Result<Option<(Version, Execution)>, Error> {
        let shard = self.shards.of(id);
        shard.send(Snapshot(id)).await.map_err(|_| Error::Busy)
    }

    /// Ends what ran out of time: executions, and sessions that nobody can use any more. Says whether
    /// there is more than is ended in one go.
    ///
    /// # Errors
    /// What the journal said.
    pub async fn sweep(&self) -> Result<bool, Error> {
        sweep::sweep(self).await
    }

    /// Ends the oldest executions whose time is over: what [`Executions::sweep`] does, but it
    /// costs no more than there is to end, so it can be done often.
    ///
    /// # Errors
    /// What the journal said.
    pub async fn sweep_oldest(&self) -> Result<bool, Error> {
        sweep::end_due(self, sweep::Reach::Oldest).await
    }
}
