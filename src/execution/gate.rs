//! Who may be in work: so many requests at once, and so many that wait, shared out fairly.
//!
//! A place that gets free goes round the addresses that wait, not to whoever came first. And
//! nobody takes all places while others come: an address may have as many in work as are still
//! free, and as many waiting. So one address alone has half of them at most, and whoever comes
//! from another finds room. What is turned away here was not looked at.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::Error;
use crate::flow::client::network;
use crate::telemetry::{Metrics, level};

/// How long somebody waits for a place. Whoever has not got one by then would not be served soon.
const PATIENCE: Duration = Duration::from_secs(10);

/// The gate. Cheap to clone.
#[derive(Clone)]
pub(super) struct Gate(Arc<Shared>);

struct Shared {
    at_once: usize,
    most_waiting: usize,
    patience: Duration,
    metrics: Metrics,
    line: Mutex<Line>,
}

#[derive(Default)]
struct Line {
    running: usize,
    waiting: usize,
    /// Addresses with somebody in work or waiting.
    addresses: HashMap<IpAddr, Party>,
    /// The addresses that wait, each once, in the order in which they are served.
    turns: VecDeque<IpAddr>,
    numbers: u64,
}

#[derive(Default)]
struct Party {
    running: usize,
    waiting: VecDeque<(u64, oneshot::Sender<Pass>)>,
}

/// A place in work, given back on drop.
pub(super) struct Pass {
    gate: Gate,
    address: IpAddr,
    /// Whether somebody waited for it, who may be gone by now.
    pub(super) has_waited: bool,
}

/// Somebody's place in the line, given up on drop.
struct Place<'a> {
    gate: &'a Gate,
    address: IpAddr,
    number: u64,
    turn: oneshot::Receiver<Pass>,
}

impl Gate {
    pub(super) fn new(at_once: usize, most_waiting: usize, metrics: Metrics) -> Self {
        Self::patient(at_once, most_waiting, PATIENCE, metrics)
    }

    fn patient(at_once: usize, most_waiting: usize, patience: Duration, metrics: Metrics) -> Self {
        Self(Arc::new(Shared {
            at_once: at_once.max(1),
            most_waiting,
            patience,
            metrics,
            line: Mutex::default(),
        }))
    }

    /// Waits for a place.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many wait, or none got free for too long.
    pub(super) async fn enter(&self, address: IpAddr) -> Result<Pass, Error> {
        let address = network(address);
        let mut place = match self.come(address) {
            Some(Ok(pass)) => return Ok(pass),
            Some(Err(place)) => place,
            None => return Err(self.refuse()),
        };
        match tokio::time::timeout(self.0.patience, &mut place.turn).await {
            Ok(Ok(mut pass)) => {
                pass.has_waited = true;
                Ok(pass)
            }
            _ => Err(self.refuse()),
        }
    }

    /// A pass, or a place in the line, or neither.
    fn come(&self, address: IpAddr) -> Option<Result<Pass, Place<'_>>> {
        let Shared {
            at_once,
            most_waiting,
            ..
        } = *self.0.as_ref();
        let mut line = self.line();
        let (free, room) = (
            at_once.saturating_sub(line.running),
            most_waiting.saturating_sub(line.waiting),
        );
        let party = line.addresses.entry(address).or_default();
        if party.waiting.is_empty() && party.running < free {
            party.running += 1;
            line.running += 1;
            self.show(&line);
            drop(line);
            return Some(Ok(self.pass(address)));
        }
        if party.waiting.len() >= room {
            line.forget(address);
            return None;
        }
        let is_first = party.waiting.is_empty();
        let (give, turn) = oneshot::channel();
        line.numbers += 1;
        let number = line.numbers;
        if let Some(party) = line.addresses.get_mut(&address) {
            party.waiting.push_back((number, give));
        }
        line.waiting += 1;
        if is_first {
            line.turns.push_back(address);
        }
        self.show(&line);
        Some(Err(Place {
            gate: self,
            address,
            number,
            turn,
        }))
    }

    fn refuse(&self) -> Error {
        self.0.metrics.executions().turned_away.inc();
        Error::Busy
    }

    fn pass(&self, address: IpAddr) -> Pass {
        Pass {
            gate: self.clone(),
            address,
            has_waited: false,
        }
    }

    /// Gives the places that are free to those whose turn it is.
    fn call(&self, mut line: MutexGuard<'_, Line>) {
        let mut called = Vec::new();
        while let Some((address, give)) = line.next(self.0.at_once) {
            called.push((self.pass(address), give));
        }
        self.show(&line);
        drop(line);
        // Whoever has left the line at this very moment gives the pass back by its drop, for which
        // nothing may be locked.
        for (pass, give) in called {
            let _left = give.send(pass);
        }
    }

    fn show(&self, line: &Line) {
        let shown = self.0.metrics.executions();
        shown.admitted.set(level(line.running));
        shown.waiting.set(level(line.waiting));
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    /// The next one in turn for whom there is a place. It is in work from here on.
    fn next(&mut self, at_once: usize) -> Option<(IpAddr, oneshot::Sender<Pass>)> {
        for _ in 0..self.turns.len() {
            let free = at_once.saturating_sub(self.running);
            if free == 0 {
                return None;
            }
            let address = self.turns.pop_front()?;
            let Some(party) = self.addresses.get_mut(&address) else {
                continue;
            };
            let may = party.running < free;
            let called = if may { party.waiting.pop_front() } else { None };
            let waits = !party.waiting.is_empty();
            if called.is_some() {
                party.running += 1;
                self.running += 1;
                self.waiting -= 1;
            }
            if waits {
                self.turns.push_back(address);
            }
            if let Some((_, give)) = called {
                return Some((address, give));
            }
        }
        None
    }

    /// Nothing is kept of an address that has nobody here.
    fn forget(&mut self, address: IpAddr) {
        let idle = |party: &Party| party.running == 0 && party.waiting.is_empty();
        if self.addresses.get(&address).is_some_and(idle) {
            self.addresses.remove(&address);
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut line = self.gate.line();
        line.running -= 1;
        if let Some(party) = line.addresses.get_mut(&self.address) {
            party.running -= 1;
        }
        line.forget(self.address);
        self.gate.call(line);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut line = self.gate.line();
        let Some(party) = line.addresses.get_mut(&self.address) else {
            return;
        };
        let before = party.waiting.len();
        party.waiting.retain(|(number, _)| *number != self.number);
        let left = before - party.waiting.len();
        let is_empty = party.waiting.is_empty();
        line.waiting -= left;
        if left > 0 && is_empty {
            line.turns.retain(|other| *other != self.address);
        }
        line.forget(self.address);
        self.gate.show(&line);
    }
}

#[cfg(test)]
mod tests;
