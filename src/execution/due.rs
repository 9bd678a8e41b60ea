//! Fires timers when their moment has come, and takes waits up again after a restart.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::StreamExt as _;
use uuid::Uuid;

use super::timers::{self, Timer};
use super::{Error, Executions};
use crate::flow::input::Request as Asked;
use crate::journal;

/// How many timers are read in one go.
const PAGE: usize = 256;

/// How many of them fire side by side, so that their commits are made durable together.
const AT_ONCE: usize = 64;

/// How long a node counts as there after it has said so.
pub const PRESENCE: Duration = Duration::from_secs(15);

/// The name of the lease by which a node says that it is there.
#[must_use]
pub fn lease_of(node: Uuid) -> String {
    format!("node/{}", node.simple())
}

impl Executions {
    /// Fires every timer that is due. It costs nothing as long as none is.
    ///
    /// One that cannot fire is reported and left for the next time: it must not keep the others from
    /// firing.
    ///
    /// # Errors
    /// What the journal said.
    pub async fn fire_due(&self) -> Result<(), Error> {
        self.fire_all_due().await.map(|_| ())
    }

    /// The same; how many were due.
    async fn fire_all_due(&self) -> Result<usize, Error> {
        let shared = &self.shared;
        let now = shared.clock.now();
        // Nobody tells of what other nodes set.
        if !shared.journal.is_shared() && !shared.earliest.may_be_due(now) {
            return Ok(0);
        }
        shared.earliest.looked_for();
        let (mut after, mut fired) = (None, 0);
        loop {
            let page = timers::next(shared.journal.as_ref(), after, PAGE).await;
            let page = page.inspect_err(|_| shared.earliest.note(now))?;
            let Some(last) = page.last() else {
                return Ok(fired);
            };
            after = Some(last.id);
            let (due, later): (Vec<Timer>, Vec<Timer>) =
                page.into_iter().partition(|timer| timer.due <= now);
            fired += due.len();
            futures_util::stream::iter(due)
                .for_each_concurrent(AT_ONCE, |timer| self.fire(timer))
                .await;
            if let Some(next) = later.first() {
                shared.earliest.note(next.due);
                return Ok(fired);
            }
        }
    }

    async fn fire(&self, timer: Timer) {
        let Timer { id, execution, .. } = timer;
        if let Err(error) = self
            .tell_execution(execution, Asked::Fire { timer: id })
            .await
        {
            tracing::warn!(%execution, %error, "a timer could not fire; trying again");
            self.shared.earliest.note(timer.due);
        }
        if let Some(effect) = timer.effect {
            self.tell(effect);
        }
    }

    /// Takes up what a server that is gone was waiting for: asks again what can be asked again, and
    /// notes of the rest that nobody will know. Timers that came due meanwhile fire. The log says
    /// how many there were.
    ///
    /// It is for the start, before anything else is carried out; where there are several nodes, for
    /// whenever one of them may have gone. What a node waits for that is still there is left to it.
    ///
    /// # Errors
    /// What the journal said.
    pub async fn resume(&self) -> Result<(), Error> {
        let fired = self.fire_all_due().await?;
        let (mut running, mut waits, mut ended) = (0, 0, 0);
        let mut gone = HashMap::new();
        let mut after: Option<Uuid> = None;
        loop {
            let page = timers::next(self.shared.journal.as_ref(), after, PAGE).await?;
            let Some(last) = page.last() else {
                break;
            };
            after = Some(last.id);
            running += page.len();
            let mut left = Vec::with_capacity(page.len());
            for timer in page {
                if self.inherits(timer.node, &mut gone).await {
                    left.push(timer);
                }
            }
            let mut taken_up = futures_util::stream::iter(left)
                .map(|timer| self.take_up_wait(timer))
                .buffer_unordered(AT_ONCE);
            while let Some(waits_on) = taken_up.next().await {
                match waits_on {
                    Some(true) => waits += 1,
                    Some(false) => ended += 1,
                    None => {}
                }
            }
        }
        if self.shared.journal.is_shared() && fired + waits + ended == 0 {
            return Ok(());
        }
        tracing::info!(
            timers_fired = fired,
            timers_running = running,
            waits_taken_up = waits,
            waits_ended = ended,
            "took up what was waited for"
        );
        Ok(())
    }

    /// Whether other nodes may wait for something as well.
    #[must_use]
    pub fn has_neighbours(&self) -> bool {
        self.shared.journal.is_shared()
    }

    /// Whether what a node waited for is this one's to wait for: because that one is gone. Its own lease
    /// says so, which this node has from then on, so that no third one takes it up as well.
    async fn inherits(&self, node: Option<Uuid>, known: &mut HashMap<Uuid, bool>) -> bool {
        let journal = self.shared.journal.as_ref();
        let Some(node) = node else {
            return true;
        };
        if journal.node() == Some(node) {
            return false;
        }
        if let Some(gone) = known.get(&node) {
            return *gone;
        }
        let gone = match journal.lease(&lease_of(node), PRESENCE).await {
            Ok(_) => true,
            Err(journal::Error::LeaseLost { .. }) => false,
            Err(error) => {
                tracing::warn!(%error, "it is not known whether a node is gone");
                false
            }
        };
        known.insert(node, gone);
        gone
    }

    /// Whether the wait to which a timer belongs goes on; `None` where nobody is asked anything, or
    /// somebody asks already.
    async fn take_up_wait(&self, timer: Timer) -> Option<bool> {
        let (effect, what) = (timer.effect?, timer.asks?);
        if self.is_in_flight(effect) {
            return None;
        }
        // That it could not be noted is told already.
        let waits_on = self.ask_again(timer.execution, effect, &what).await;
        Some(waits_on.unwrap_or(false))
    }
}
