//! Fires timers when their moment has come, and takes waits up again after a restart.

use futures_util::StreamExt as _;
use uuid::Uuid;

use super::timers::{self, Timer};
use super::{Error, Executions};
use crate::flow::input::Request as Asked;

/// How many timers are read in one go.
const PAGE: usize = 256;

/// How many of them fire side by side, so that their commits are made durable together.
const AT_ONCE: usize = 64;

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
        if !shared.earliest.may_be_due(now) {
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
    /// It is for the start, before anything else is carried out.
    ///
    /// # Errors
    /// What the journal said.
    pub async fn resume(&self) -> Result<(), Error> {
        let fired = self.fire_all_due().await?;
        let (mut running, mut waits, mut ended) = (0, 0, 0);
        let mut after: Option<Uuid> = None;
        loop {
            let page = timers::next(self.shared.journal.as_ref(), after, PAGE).await?;
            let Some(last) = page.last() else {
                break;
            };
            after = Some(last.id);
            running += page.len();
            let mut taken_up = futures_util::stream::iter(page)
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
        tracing::info!(
            timers_fired = fired,
            timers_running = running,
            waits_taken_up = waits,
            waits_ended = ended,
            "took up what was waited for"
        );
        Ok(())
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
