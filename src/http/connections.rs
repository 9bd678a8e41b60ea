//! How many connections there may be, altogether and from one address, and for how long one may
//! do nothing.
//!
//! Nobody takes all of them while others come: an address may have no more than are still free.
//!
//! The web server itself ends a connection whose first head does not come, and one that is kept
//! open for nothing. A head that begins later and never ends it waits for without end, and so it
//! does for a visitor who does not read an answer: those are ended here.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use ipnet::IpNet;

use super::client::is_trusted;
use super::line::Line;
use crate::clock::Clock;
use crate::flow::client::network;
use crate::telemetry::{Held, Metrics, Refused};

/// How often it is looked who does nothing.
const TICK: Duration = Duration::from_secs(1);

/// How many connections there may be, and how long they may do nothing.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Altogether.
    pub most: usize,
    /// From one address.
    pub each: usize,
    /// The peers that are not counted by address: many people come through each of them.
    pub trusted: Vec<IpNet>,
    /// How long one may be open without a request, or with an answer that nobody reads.
    pub idle: Duration,
}

/// The connections that are open.
#[derive(Debug)]
pub struct Connections {
    limits: Limits,
    clock: Clock,
    metrics: Metrics,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    all: HashMap<u64, Weak<Connection>>,
    by_address: HashMap<IpAddr, usize>,
    numbers: u64,
}

/// One connection, counted until it is dropped.
#[derive(Debug)]
pub struct Connection {
    number: u64,
    address: IpAddr,
    line: Line,
    register: Arc<Connections>,
    /// How many requests on it are not answered yet, or are being answered without end.
    busy: AtomicUsize,
    idle_since: Mutex<Instant>,
    _held: Held,
}

/// A request that is under way on a connection.
#[derive(Debug)]
pub(super) struct Busy(Arc<Connection>);

impl Connections {
    /// None yet.
    #[must_use]
    pub fn new(limits: Limits, clock: Clock, metrics: Metrics) -> Self {
        Self {
            limits,
            clock,
            metrics,
            open: Mutex::default(),
        }
    }

    /// How many there may be.
    #[must_use]
    pub fn most(&self) -> usize {
        self.limits.most
    }

    /// One more, as long as it is kept; `None` when there are too many.
    #[must_use]
    pub fn admit(self: &Arc<Self>, line: &Line) -> Option<Arc<Connection>> {
        self.admit_from(line.peer()?.to_canonical(), line)
    }

    fn admit_from(self: &Arc<Self>, peer: IpAddr, line: &Line) -> Option<Arc<Connection>> {
        let address = network(peer);
        let Limits {
            most,
            each,
            trusted,
            ..
        } = &self.limits;
        let mut open = self.open();
        let own = open.by_address.get(&address).copied().unwrap_or(0);
        let free = most.saturating_sub(open.all.len());
        let refused = if free == 0 {
            Some(Refused::Connections)
        } else if own >= free.min(*each) && !is_trusted(peer, trusted) {
            Some(Refused::ConnectionsOfAddress)
        } else {
            None
        };
        if let Some(why) = refused {
            drop(open);
            self.metrics.web().refused(why);
            return None;
        }
        open.numbers += 1;
        let connection = Arc::new(Connection {
            number: open.numbers,
            address,
            line: line.clone(),
            register: Arc::clone(self),
            busy: AtomicUsize::new(0),
            idle_since: Mutex::new(self.clock.monotonic()),
            _held: Held::new(&self.metrics.web().connections),
        });
        open.by_address.insert(address, own + 1);
        let known = Arc::downgrade(&connection);
        open.all.insert(connection.number, known);
        Some(connection)
    }

    /// Ends connections that do nothing, until nobody keeps the connections any more.
    pub async fn watch(this: Weak<Self>) {
        let mut tick = tokio::time::interval(TICK);
        loop {
            tick.tick().await;
            let Some(connections) = this.upgrade() else {
                return;
            };
            connections.end_idle();
        }
    }

    fn end_idle(&self) {
        let now = self.clock.monotonic();
        // The last clone of one may be dropped here, which locks the same.
        let all: Vec<_> = {
            let open = self.open();
            open.all.values().filter_map(Weak::upgrade).collect()
        };
        for connection in all {
            if connection.is_idle_for(self.limits.idle, now) {
                connection.line.end();
            }
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    /// A request has come.
    pub(super) fn begins(self: &Arc<Self>) -> Busy {
        self.busy.fetch_add(1, Ordering::Relaxed);
        Busy(Arc::clone(self))
    }

    fn is_idle_for(&self, time: Duration, now: Instant) -> bool {
        let since = *self.idle_since();
        self.busy.load(Ordering::Relaxed) == 0 && now.saturating_duration_since(since) > time
    }

    fn idle_since(&self) -> MutexGuard<'_, Instant> {
        self.idle_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        *self.0.idle_since() = self.0.register.clock.monotonic();
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut open = self.register.open();
        open.all.remove(&self.number);
        if let Some(own) = open.by_address.get_mut(&self.address) {
            *own -= 1;
            if *own == 0 {
                open.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests;
