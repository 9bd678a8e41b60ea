//! What one node does for all: mails, timers, what runs out of time, projections, retention, signatures.
//!
//! Where the journal is this machine's own there is no other node, and all of it is done from the start.
//! Where nodes share one, whoever has the lease does it; when that node is gone, another one takes the
//! lease and goes on. What its predecessor might still write then is refused by its epoch, or by the
//! version that it expects.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::web::Data;
use anyhow::Context as _;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::notary::Notary;
use super::{Kept, mail};
use crate::audit::{self, Auditor};
use crate::clock::Clock;
use crate::courier::Courier;
use crate::execution::limit::{self, Limiter};
use crate::execution::{Executions, PRESENCE, lease_of};
use crate::feed::Feed;
use crate::geoip::Geoip;
use crate::http::operator::{Operator, finish_erasures};
use crate::journal::{self, Error, Journal, Lease};
use crate::settings::Settings;
use crate::telemetry::Metrics;

/// The name of the lease.
const NAME: &str = "duties";

/// How often a lease is renewed, which lasts for [`PRESENCE`].
const RENEWAL: Duration = Duration::from_secs(5);

/// How often that is removed which is over of what nodes remember together.
const SWEEP: Duration = Duration::from_mins(1);

/// How long a lease is relied on that could not be renewed: a little shorter than it lasts.
const RELIANCE: Duration = Duration::from_secs(13);

/// All that the duties need.
pub(super) struct Needs {
    pub(super) journal: Kept,
    pub(super) executions: Executions,
    pub(super) courier: Courier,
    pub(super) notary: Arc<Notary>,
    pub(super) operator: Data<Operator>,
    pub(super) geoip: Arc<Geoip>,
    pub(super) metrics: Metrics,
    /// The limits of addresses that nodes share, each with its name.
    pub(super) limiters: Vec<(&'static str, Limiter)>,
    pub(super) settings: Settings,
    pub(super) clock: Clock,
}

/// The duties of this node, as long as it has them.
pub(super) struct Duties {
    stopping: watch::Sender<bool>,
    task: JoinHandle<Option<Followers>>,
    /// What a node does beside them where there are others.
    beside: Vec<JoinHandle<()>>,
}

/// What follows the journal. It ends last, as it tells what the others did.
pub(super) type Followers = (Auditor, Feed);

impl Duties {
    /// Begins with them at once where there is no other node, else as soon as none has them. It needs the
    /// set of local tasks that it is called in.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn begin(needs: Needs) -> anyhow::Result<Self> {
        let stopping = watch::Sender::new(false);
        let journal = needs.journal.journal();
        let (active, beside) = if journal.is_shared() {
            let (limiters, clock) = (needs.limiters.clone(), needs.clock.clone());
            let sharing = limit::share(Arc::clone(&journal), limiters, clock);
            let beside = vec![tokio::spawn(stay_present(journal)), tokio::spawn(sharing)];
            (None, beside)
        } else {
            (Some(Active::start(&needs, None)?), Vec::new())
        };
        Ok(Self {
            task: tokio::task::spawn_local(run(needs, active, stopping.subscribe())),
            stopping,
            beside,
        })
    }

    /// Ends all but what follows the journal, which is given back.
    pub(super) async fn end(self) -> Option<Followers> {
        self.stopping.send_replace(true);
        for task in self.beside {
            task.abort();
        }
        match self.task.await {
            Ok(followers) => followers,
            Err(error) => {
                tracing::error!(%error, "what this node does for all ended badly");
                None
            }
        }
    }
}

/// Lets the other nodes know that this one is there, before it serves anybody.
///
/// # Errors
/// When the journal cannot be written.
pub(super) async fn announce(journal: &dyn Journal) -> journal::Result<()> {
    if let Some(node) = journal.node() {
        journal.lease(&lease_of(node), PRESENCE).await?;
    }
    Ok(())
}

async fn stay_present(journal: Arc<dyn Journal>) {
    let mut tick = tokio::time::interval(RENEWAL);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = announce(journal.as_ref()).await {
            tracing::warn!(%error, "the other nodes may take this one for gone");
        }
    }
}

async fn run(
    needs: Needs,
    active: Option<Active>,
    mut stopping: watch::Receiver<bool>,
) -> Option<Followers> {
    if let Some(active) = active {
        // Fails only when nobody can ask for an end any more.
        let _ = stopping.wait_for(|it| *it).await;
        return Some(active.end().await);
    }
    let journal = needs.journal.journal();
    loop {
        let lease = tokio::select! {
            _ = stopping.wait_for(|it| *it) => return None,
            taken = take(journal.as_ref()) => taken,
        };
        tracing::info!(
            epoch = lease.epoch,
            "this node sends mails, fires timers and projects events for all from now on"
        );
        let active = match Active::start(&needs, Some(lease.clone())) {
            Ok(active) => active,
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "duties cannot be begun");
                return None;
            }
        };
        tokio::select! {
            _ = stopping.wait_for(|it| *it) => return Some(active.end().await),
            () = lost(&needs, &lease) => {}
        }
        tracing::warn!("another node does now what this one did for all");
        let (auditor, feed) = active.end().await;
        tokio::join!(auditor.stop(), feed.stop());
    }
}

/// Removes what is over of what nodes remember together.
async fn sweep_spans(journal: Arc<dyn Journal>) {
    let Some(spans) = journal.spans() else {
        return;
    };
    let mut tick = tokio::time::interval(SWEEP);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = spans.sweep().await {
            tracing::warn!(%error, "what is over of limits stays for another minute");
        }
    }
}

/// Waits until no other node has the lease, and takes it.
async fn take(journal: &dyn Journal) -> Lease {
    loop {
        match journal.lease(NAME, PRESENCE).await {
            Ok(lease) => return lease,
            Err(Error::LeaseLost { .. }) => {}
            Err(error) => tracing::debug!(%error, "the lease could not be asked for"),
        }
        tokio::time::sleep(RENEWAL).await;
    }
}

/// Renews the lease for as long as it can be.
async fn lost(needs: &Needs, lease: &Lease) {
    let journal = needs.journal.journal();
    let mut renewed: Instant = needs.clock.monotonic();
    loop {
        tokio::time::sleep(RENEWAL).await;
        let asked = needs.clock.monotonic();
        let left = RELIANCE.saturating_sub(asked.duration_since(renewed));
        match tokio::time::timeout(left, journal.lease(NAME, PRESENCE)).await {
            Ok(Ok(again)) if again.epoch == lease.epoch => renewed = asked,
            Ok(Err(error)) if !matches!(error, Error::LeaseLost { .. }) => {
                tracing::warn!(%error, "the lease could not be renewed");
            }
            Ok(_) | Err(_) => return,
        }
    }
}

/// What is under way.
struct Active {
    courier: Courier,
    followers: Followers,
    tasks: Vec<JoinHandle<()>>,
}

impl Active {
    fn start(needs: &Needs, lease: Option<Lease>) -> anyhow::Result<Self> {
        let Needs {
            executions,
            settings,
            clock,
            ..
        } = needs;
        let journal = needs.journal.journal();
        let machine = needs.metrics.machine();
        let failing = |it| machine.follows(it);
        let feed = Feed::start(&journal, clock, &settings.feed, lease.as_ref(), failing)
            .context("the thread that writes the feed cannot be started")?;
        let options = audit::Options {
            kept: settings.events.retention,
            geoip: Arc::clone(&needs.geoip),
            sender: settings.email.from.clone(),
            failing: failing(audit::READER),
            fence: lease,
        };
        let auditor = Auditor::start(journal, clock.clone(), &options);
        needs.courier.start(mail::reporter(executions.clone()));
        let operator = needs.operator.clone();
        let kept = settings.journal.retention.clone();
        let signing = settings.journal.checkpoints.clone();
        let tasks = vec![
            tokio::spawn(super::sweep(executions.clone())),
            tokio::spawn(sweep_spans(needs.journal.journal())),
            tokio::task::spawn_local(super::timers(executions.clone())),
            tokio::spawn(super::forget(needs.journal.clone(), kept, clock.clone())),
            tokio::spawn(Arc::clone(&needs.notary).run(signing, clock.clone())),
            tokio::spawn(async move { finish_erasures(&operator).await }),
        ];
        Ok(Self {
            courier: needs.courier.clone(),
            followers: (auditor, feed),
            tasks,
        })
    }

    /// Ends everything but what follows the journal.
    async fn end(self) -> Followers {
        for task in self.tasks {
            task.abort();
        }
        self.courier.stop().await;
        self.followers
    }
}
