//! What is counted and told of a command, and how often a password may be tried.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::super::Error;
use super::super::actor::{Handle, Loaded};
use super::super::guesses;
use super::super::live::{Carried, locked};
use super::Work;
use crate::directory::session::sessions_of;
use crate::flow::client::network;
use crate::flow::event::Event;
use crate::journal::Version;
use crate::stage::Handled;
use crate::telemetry::{Moved, Refused};

impl Work {
    /// Whether a password may be tried for the account that is asked for one. It spares the hash:
    /// what was tried is counted in any case.
    pub(super) async fn may_guess(&self, message: &Handle) -> Result<(), Error> {
        let types = |body: &Value| body.get("password").is_some();
        let state = self.loaded.as_ref().map(|it| &it.state);
        let named = state.and_then(guesses::pending);
        let (Some(named), true) = (named, message.typed.as_ref().is_some_and(types)) else {
            return Ok(());
        };
        let (address, now) = (message.input.client.address, self.shared.clock.monotonic());
        let guesses = &self.shared.guesses;
        if guesses.look(named, address, now).await?.is_ok() {
            return Ok(());
        }
        // Where they are logged in they have been before, also before the server was started. Of a
        // stranger the same is asked, for it takes its time.
        let user = named.1.unwrap_or_default();
        let sessions = sessions_of(self.shared.journal.as_ref(), user).await?;
        let here = network(address);
        if sessions.iter().any(|it| network(it.value.last_ip) == here) {
            guesses.knows(user, address).await?;
        }
        let may = guesses.look(named, address, now).await?;
        may.map_err(|wait| self.guessed(wait))
    }

    /// Counts the passwords that were tried, once for a command however often it is judged. Where
    /// there were too many, nothing of the command counts, and nothing of it is written.
    pub(super) async fn count_guesses(
        &self,
        message: &Handle,
        handled: &Handled,
        carried: &Carried,
    ) -> Result<(), Error> {
        let mut tried = guesses::tried(&handled.events, &handled.state, message.typed.as_ref());
        // A command is judged by one at a time, so nobody else looks at it meanwhile.
        let before = locked(&carried.guessed).clone();
        tried.retain(|guess| !before.contains(guess));
        if tried.is_empty() {
            return Ok(());
        }
        let (address, now) = (message.input.client.address, self.shared.clock.monotonic());
        let counted = self.shared.guesses.count(&tried, address, now).await?;
        counted.map_err(|wait| self.guessed(wait))?;
        locked(&carried.guessed).extend(tried);
        Ok(())
    }

    fn guessed(&self, wait: Duration) -> Error {
        self.shared.metrics().web().refused(Refused::Passwords);
        Error::Guessed(wait)
    }

    /// Notes how long it took to read an execution back; one that begins has nothing to be read.
    pub(super) fn recovered(&self, loaded: &Loaded, began: Instant) {
        if loaded.version > Version::NONE {
            let took = self.shared.clock.monotonic().duration_since(began);
            let recovery = &self.shared.metrics().executions().recovery;
            recovery.observe(took.as_secs_f64());
        }
    }

    pub(super) fn conflict(&self, moved: Moved) {
        self.shared.metrics().executions().conflict(moved);
    }

    /// Tells whoever is on call of what nobody looks up by themselves. The trail has the rest:
    /// what went wrong may name a person.
    pub(super) fn report(&self, event: &Event) {
        if let Event::ConfigurationError { what, problem } = event {
            tracing::error!(execution = %self.id, what, problem, "the operator has to mend something");
        }
        if let Event::PolicyFailed(failed) = event {
            let counts = failed.passing;
            tracing::warn!(
                execution = %self.id,
                policy = failed.name,
                kind = failed.kind,
                counts_as_passing = counts,
                "a policy failed; `gatelog execution show` tells why"
            );
        }
    }
}
