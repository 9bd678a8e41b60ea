//! The composition root: the one place that knows every part and puts them together.
//!
//! The order is: lock, keys, journal, first steps, actors, web servers; a stop undoes it from the
//! end. Nothing here decides anything about a request.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use secrecy::ExposeSecret;

use crate::clock::Clock;
use crate::directory::password::Pool;
use crate::directory::{Install, Setup};
use crate::execution::Executions;
use crate::expression::Workers;
use crate::http::operator::Verified;
use crate::journal::evidence::Checkpoint;
use crate::journal::{Journal, Position};
use crate::settings::{Retention, Settings};
use crate::traces::Sending;

pub mod copy;
mod descriptors;
mod duties;
mod elsewhere;
mod first_run;
pub mod folder;
mod kept;
pub mod lock;
pub mod log;
mod mail;
mod notary;
mod parts;
mod retention;
mod servers;
mod shutdown;
pub mod socket;
mod store;
mod watch;

pub use shutdown::{Signals, Stopped};
pub use store::verify_exports;

use duties::Duties;
pub use kept::Kept;
use lock::{Lock, Role};
use notary::Notary;
use parts::Parts;
use servers::Servers;
use watch::Watch;

/// How long a server waits for a command that is about to finish.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);

/// How often timers are looked after; so much later than its moment one may fire.
const TICK: Duration = Duration::from_millis(250);

/// After so many of those it is looked for what nodes waited for that are gone: every ten seconds.
const INHERIT: u64 = 40;

/// How long the sweep pauses where there is more to end than it ends in one go.
const BREATH: Duration = Duration::from_millis(500);

/// A server that runs in this process.
pub struct Running {
    servers: Servers,
    journal: Kept,
    executions: Executions,
    install: Install,
    stopping: Arc<AtomicBool>,
    /// Where mails go while there is no mail server.
    mails: Option<PathBuf>,
    /// Who only asks finds everything as the server left it, so a command has none.
    duties: Option<Duties>,
    watcher: Option<tokio::task::JoinHandle<()>>,
    notary: Arc<Notary>,
    spans: Option<Sending>,
    // The lock is the last to go: fields are dropped in this order.
    socket: socket::Socket,
    lock: Lock,
}

/// Starts a server on the address of the settings and on the socket of the data directory.
///
/// # Errors
/// When the directory is held by another process, the journal cannot be opened, a setting leads
/// nowhere or the address is taken.
pub async fn run(settings: Settings, clock: Clock) -> anyhow::Result<Running> {
    let pool = parts::pool(&settings, &clock)?;
    run_with(settings, clock, pool).await
}

/// Starts a server whose passwords are hashed by `pool`. Benches measure with one that does not
/// hash; no setting leads here, and `gatelog bench-server` only with a directory of its own.
///
/// # Errors
/// As [`run`].
pub async fn run_with(settings: Settings, clock: Clock, pool: Pool) -> anyhow::Result<Running> {
    let (lock, parts, watch) = open(&settings, &clock, pool).await?;
    start(lock, parts, &settings, clock, watch, Role::Server)
}

/// As [`run`], and listens for the signals that ask for an end before anybody can know that the
/// server runs. Until then, while the journal is opened, a signal ends the process at once.
///
/// # Errors
/// As [`run`], or when signals cannot be received.
pub async fn serve(settings: Settings, clock: Clock) -> anyhow::Result<(Running, Signals)> {
    let pool = parts::pool(&settings, &clock)?;
    let (lock, parts, watch) = open(&settings, &clock, pool).await?;
    let signals = Signals::listen()?;
    let running = start(lock, parts, &settings, clock, watch, Role::Server)?;
    Ok((running, signals))
}

/// Starts the processes that run expressions, for a command that needs no journal.
///
/// # Errors
/// When they cannot be started.
pub fn expressions(clock: &Clock) -> anyhow::Result<Workers> {
    parts::workers(clock, Role::Server)
}

/// Starts a server on the socket of the data directory alone, for one command.
///
/// # Errors
/// As [`run`].
pub async fn operate(lock: Lock, settings: Settings, clock: Clock) -> anyhow::Result<Running> {
    let pool = parts::pool(&settings, &clock)?;
    let parts = Parts::open(&settings, &clock, pool, Role::Command).await?;
    start(lock, parts, &settings, clock, None, Role::Command)
}

/// Takes the data directory and opens everything in it for a server.
async fn open(
    settings: &Settings,
    clock: &Clock,
    pool: Pool,
) -> anyhow::Result<(Lock, Parts, Option<Watch>)> {
    lock::prepare(&settings.data)?;
    let lock = take_as_server(settings, clock).await?;
    let parts = Parts::open(settings, clock, pool, Role::Server).await?;
    duties::announce(parts.journal.journal().as_ref()).await?;
    let watch = Watch::open(&parts, settings).await?;
    Ok((lock, parts, watch))
}

/// A command lets go soon, so it is waited for; another server is not.
async fn take_as_server(settings: &Settings, clock: &Clock) -> Result<Lock, lock::Error> {
    let deadline = clock.monotonic() + PATIENCE;
    loop {
        match lock::take(&settings.data, Role::Server, clock) {
            Err(lock::Error::Held {
                holder: Some(holder),
                ..
            }) if holder.role == Role::Command && clock.monotonic() < deadline => {
                tokio::time::sleep(PAUSE).await;
            }
            other => return other,
        }
    }
}

fn start(
    lock: Lock,
    parts: Parts,
    settings: &Settings,
    clock: Clock,
    watch: Option<Watch>,
    role: Role,
) -> anyhow::Result<Running> {
    let (listener, socket) = socket::bind(&lock)?;
    let listen = (role == Role::Server).then_some(settings.listen);
    let servers = servers::start(&parts, listen, listener, socket.owner(), settings)?;
    let watcher = watch.map(|watch| tokio::spawn(watch.run()));
    let took = clock.monotonic().duration_since(parts.began);
    // A command is over too soon to wait for anything, and carries out what was asked and no more:
    // whoever looks at a backup must not change it.
    let duties = match role {
        Role::Server => Some(Duties::begin(duties::Needs {
            journal: parts.journal.clone(),
            executions: parts.executions.clone(),
            courier: parts.courier.clone(),
            notary: Arc::clone(&parts.notary),
            operator: parts.operator.clone(),
            geoip: Arc::clone(&parts.state.geoip),
            metrics: parts.state.metrics.clone(),
            limiters: vec![
                ("posts", parts.state.limiter.clone()),
                ("begun", parts.executions.limiter().clone()),
            ],
            settings: settings.clone(),
            clock,
        })?),
        Role::Command => None,
    };
    let took = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
    parts.state.metrics.machine().start.set(took);
    Ok(Running {
        servers,
        journal: parts.journal,
        executions: parts.executions,
        install: parts.install,
        stopping: parts.stopping,
        mails: mail::folder(settings),
        duties,
        watcher,
        notary: parts.notary,
        spans: parts.spans,
        socket,
        lock,
    })
}

/// Removes what the settings do not want kept, at the start and then every hour by the clock.
async fn forget(journal: Kept, kept: Retention, clock: Clock) {
    let mut tick = tokio::time::interval(Duration::from_secs(2));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut last: Option<Timestamp> = None;
    loop {
        tick.tick().await;
        let now = clock.now();
        // A clock that was set back is no reason to wait for the hour to come again.
        let is_fresh = |last: Timestamp| last <= now && now < last + Duration::from_hours(1);
        if last.is_some_and(is_fresh) {
            continue;
        }
        last = Some(now);
        match retention::apply(&journal, &kept, &clock).await {
            Ok(removed) if removed == retention::Removed::default() => {}
            Ok(retention::Removed { bodies, keys }) => {
                tracing::info!(bodies, keys, "removed what was kept long enough");
            }
            Err(error) => tracing::warn!(%error, "retention failed; trying again in an hour"),
        }
    }
}

/// Takes up what was waited for when the server was last up, and fires timers as they come due.
async fn timers(executions: Executions) {
    if let Err(error) = executions.resume().await {
        tracing::error!(%error, "what was waited for could not all be taken up again");
    }
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for turn in 1_u64.. {
        tick.tick().await;
        if let Err(error) = executions.fire_due().await {
            tracing::warn!(%error, "timers could not fire; trying again");
        }
        // What other nodes waited for that have gone meanwhile.
        if turn.is_multiple_of(INHERIT)
            && executions.has_neighbours()
            && let Err(error) = executions.resume().await
        {
            tracing::warn!(%error, "what others waited for could not all be taken up");
        }
    }
}

/// Ends what ran out of time, every ten seconds. All sessions are looked at, and executions out of
/// order, at the start and then every half hour: with a hundred thousand of them that takes a while,
/// and one that has expired is refused in any case.
async fn sweep(executions: Executions) {
    let mut tick = tokio::time::interval(Duration::from_secs(10));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for turn in 0_u64.. {
        tick.tick().await;
        loop {
            let swept = if turn.is_multiple_of(180) {
                executions.sweep().await
            } else {
                executions.sweep_oldest().await
            };
            match swept {
                Ok(false) => break,
                // Thousands may run out at once; whoever logs in now must not wait for them.
                Ok(true) => tokio::time::sleep(BREATH).await,
                Err(error) => {
                    tracing::warn!(%error, "what ran out of time could not be ended; trying again");
                    break;
                }
            }
        }
    }
}

impl Running {
    /// The address of the web server; `None` for a server that listens on its socket alone.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.servers.address
    }

    /// The socket for the command line.
    #[must_use]
    pub fn socket(&self) -> &Path {
        self.socket.path()
    }

    /// The data directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.lock.directory()
    }

    /// The way to the executions, for tests that look behind the answers.
    #[must_use]
    pub fn executions(&self) -> &Executions {
        &self.executions
    }

    /// The journal, for tests that look behind the answers.
    #[must_use]
    pub fn journal(&self) -> Arc<dyn Journal> {
        self.journal.journal()
    }

    /// The same, with what only a concrete journal can do.
    #[must_use]
    pub fn kept(&self) -> &Kept {
        &self.journal
    }

    /// What the person who started the server should read. It may hold the link that makes its
    /// reader the administrator, so it is for their terminal only.
    #[must_use]
    pub fn announcement(&self) -> Vec<String> {
        let Some(address) = self.address() else {
            return Vec::new();
        };
        let mut browser = address;
        if address.ip().is_unspecified() {
            browser.set_ip(match address {
                SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            });
        }
        let mut lines = vec![format!("Gatelog listens on {address}.")];
        match &self.install.setup {
            Setup::Waiting { token } => {
                lines.push(
                    "To set the password of the administrator akadmin, open this link in a \
                     browser. It works once:"
                        .to_owned(),
                );
                lines.push(format!(
                    "  http://{browser}/setup?token={}",
                    token.expose_secret()
                ));
            }
            Setup::Done => lines.push(format!("Open http://{browser}/ in a browser.")),
        }
        if let Some(folder) = &self.mails {
            lines.push(format!(
                "No mail server is set (email.host), so mails are written to {}.",
                folder.display()
            ));
        }
        lines
    }

    /// Finishes what is under way and closes everything.
    ///
    /// # Errors
    /// When the journal could not be closed well.
    pub async fn stop(self) -> anyhow::Result<()> {
        let Self {
            servers,
            journal,
            executions,
            stopping,
            duties,
            watcher,
            notary,
            spans,
            socket,
            lock,
            ..
        } = self;
        stopping.store(true, Ordering::Relaxed);
        executions.release();
        let is_server = duties.is_some();
        if let Some(watcher) = watcher {
            watcher.abort();
        }
        // Both wait, side by side, for what others are slow at. What came of a mail is told to
        // executions, which end later.
        let duties = async {
            match duties {
                Some(duties) => duties.end().await,
                None => None,
            }
        };
        let (followers, ()) = tokio::join!(duties, servers.stop());
        executions.stop().await;
        if let Some((auditor, feed)) = followers {
            tokio::join!(auditor.stop(), feed.stop());
        }
        if is_server && let Err(error) = notary.sign().await {
            tracing::error!(%error, "the end of the journal could not be signed");
        }
        let closing = async {
            let closed = journal.close().await;
            drop(socket);
            drop(lock);
            closed.context("closing the journal")
        };
        // Nothing that matters waits for the collector.
        let flushing = async {
            if let Some(spans) = spans {
                spans.stop().await;
            }
        };
        let (closed, ()) = tokio::join!(closing, flushing);
        closed
    }

    /// Serves until a signal says to stop, and then stops within `timeout`.
    ///
    /// # Errors
    /// As [`Running::stop`].
    pub async fn until_signal(
        self,
        signals: Signals,
        timeout: Duration,
    ) -> anyhow::Result<Stopped> {
        shutdown::until_signal(self, signals, timeout).await
    }
}

/// Verifies the journal if nobody serves it, also one too damaged to be served, and against
/// checkpoints that were kept. `None` when somebody serves it: then the server has to be asked.
/// Of what is damaged much may be missing, so any part of a data directory is looked at.
///
/// # Errors
/// When the directory or the disk cannot be read.
pub fn verify(
    settings: &Settings,
    held: &[Checkpoint],
    clock: &Clock,
) -> anyhow::Result<Option<Verified>> {
    if settings.journal.url.is_some() {
        // Whoever verifies is a node like any other.
        return Ok(None);
    }
    match lock::take_remains(&settings.data, clock) {
        Ok(_lock) => Ok(Some(store::verify(settings, held)?)),
        Err(lock::Error::Held { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Makes the state of the journal anew from its log, and returns the last position.
///
/// # Errors
/// When a server holds the directory, or the log is damaged.
pub fn rebuild(settings: &Settings, clock: &Clock) -> anyhow::Result<Position> {
    if settings.journal.url.is_some() {
        anyhow::bail!(
            "a journal in PostgreSQL has no state beside its tables, so nothing is made anew"
        );
    }
    let taken = lock::take(&settings.data, Role::Command, clock);
    let _lock = taken.map_err(|error| {
        let is_held = matches!(error, lock::Error::Held { .. });
        let error = anyhow::Error::from(error);
        if is_held {
            error.context("the server must be stopped for this")
        } else {
            error
        }
    })?;
    Ok(store::rebuild(settings, clock)?)
}
