//! What every handler needs. The composition root makes it once.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ipnet::IpNet;
use uuid::Uuid;

use super::bounds::Bounds;
use super::cookie::{Scope, Signer};
use super::device::Devices;
use super::forward::Forward;
use super::health::Probed;
use super::interface::Interface;
use super::machine::Machine;
use super::mfa::Factors;
use super::scans::Scans;
use super::streams::Streams;
use super::turned_away::TurnedAway;
use crate::blueprint::Library;
use crate::catalog::Brand;
use crate::catalog::brand::{brands, select};
use crate::clock::Clock;
use crate::directory::password::Pool;
use crate::directory::turns::Turns;
use crate::execution::limit::Limiter;
use crate::execution::{Executions, Watched};
use crate::expression::Workers;
use crate::geoip::Geoip;
use crate::journal::{self, Journal};
use crate::telemetry::{Metrics, Refused};
use crate::traces::Tracer;
use crate::web::Pages;

/// What every handler needs.
pub struct State {
    /// Where everything is kept.
    pub journal: Arc<dyn Journal>,
    /// The executions.
    pub executions: Executions,
    /// The time and randomness.
    pub clock: Clock,
    /// Hashes passwords, away from the threads that serve requests.
    pub hashes: Arc<Pool>,
    /// The turns of all who change objects.
    pub turns: Arc<Turns>,
    /// Signs and reads session cookies.
    pub signer: Signer,
    /// Signs and reads the cookies by which browsers are known.
    pub devices: Devices,
    /// Signs and reads the cookies by which second factors are not asked for again.
    pub factors: Factors,
    /// What is kept of forward authentication between questions.
    pub forward: Forward,
    /// What all cookies share.
    pub cookies: Scope,
    /// The peers whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// How long a session without a fixed end lives after its last use.
    pub unused_age: Duration,
    /// What sets this installation apart; part of every user's `uid`.
    pub install_id: Uuid,
    /// How often an address may post to a flow or to the setup.
    pub limiter: Limiter,
    /// How much a request may be, and how many an address may send.
    pub bounds: Bounds,
    /// What limits turned away and the log has not told yet.
    pub turned_away: TurnedAway,
    /// Whether the journal took writes when somebody asked last.
    pub probed: Probed,
    /// What is counted.
    pub metrics: Metrics,
    /// Where spans come from.
    pub traces: Tracer,
    /// Runs expressions, and says whether one is understood; none in tests of handlers.
    pub workers: Option<Workers>,
    /// Where an address is, and whose.
    pub geoip: Arc<Geoip>,
    /// The streams that tell where an execution stands.
    pub streams: Arc<Streams<IpAddr>>,
    /// Tells whoever listens in a session that somebody has logged in there.
    pub logins: Arc<Watched>,
    /// authentik's own interface, where an operator wants to keep it.
    pub interface: Option<Interface>,
    /// How long an audit event is kept; `None` keeps it for ever.
    pub events_kept: Option<Duration>,
    /// The streams that tell the journal.
    pub feeds: Arc<Streams<Uuid>>,
    /// Who searches the executions, one after the other.
    pub scans: Scans,
    /// The files of the watched folder.
    pub library: Arc<Library>,
    /// The pages.
    pub pages: Pages,
    /// What is known of this process; none in tests of handlers.
    pub machine: Option<Machine>,
    /// Set when the server is about to end; it is not ready from then on.
    pub stopping: Arc<AtomicBool>,
}

impl State {
    /// The brand for this host.
    pub async fn brand(&self, host: &str) -> journal::Result<Brand> {
        let brands = brands(&*self.journal).await?;
        Ok(select(&brands, host).value)
    }

    /// Whether the server is about to end.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Takes one request that may try a password. `peer` is none for the server's own
    /// Unix socket, which is not limited: whoever opens it owns the server anyway.
    ///
    /// # Errors
    /// How long to wait when there were too many.
    pub fn admit(&self, peer: Option<IpAddr>, address: IpAddr) -> Result<(), Duration> {
        match peer {
            Some(_) => {
                let taken = self.limiter.take(address, self.clock.monotonic());
                taken.inspect_err(|_| self.metrics.web().refused(Refused::Posts))
            }
            None => Ok(()),
        }
    }
}
