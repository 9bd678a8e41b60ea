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
        let shared = &self.shared;
        let now = shared.clock.now();
        if !shared.earliest.may_be_due(now) {
            return Ok(());
        }
        shared.earliest.looked_for();
        let mut after = None;
        loop {
            let page = timers::next(shared.journal.as_ref(), after, PAGE).await;
            let page = page.inspect_err(|_| shared.earliest.note(now))?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = Some(last.id);
            let (due, later): (Vec<Timer>, Vec<Timer>) =
                page.into_iter().partition(|timer| timer.due <= now);
            futures_util::stream::iter(due)
                .for_each_concurrent(AT_ONCE, |timer| self.fire(timer))
                .await;
            if let Some(next) = later.first() {
                shared.earliest.note(next.due);
                return Ok(());
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
    /// notes of the rest that nobody will know. Timers that came due meanwhile fire.
    ///
    /// It is for the start, before anything else is carried out.
    ///
    /// # Errors
    /// What the journal said.
    pub async fn resume(&self) -> Result<(), Error> {
        self.fire_due().await?;
        let mut after: Option<Uuid> = None;
        loop {
            let page = timers::next(self.shared.journal.as_ref(), after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = Some(last.id);
            futures_util::stream::iter(page)
                .for_each_concurrent(AT_ONCE, |timer| self.take_up_wait(timer))
                .await;
        }
    }

    async fn take_up_wait(&self, timer: Timer) {
        let (Some(effect), Some(what)) = (timer.effect, timer.asks) else {
            return;
        };
        if !self.is_in_flight(effect) {
            self.ask_again(timer.execution, effect, &what).await;
        }
    }
}
