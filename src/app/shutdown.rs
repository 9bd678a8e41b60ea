//! When and how the server ends.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Running;

/// How the server ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Every request was answered and the journal was closed.
    Cleanly,
    /// It did not wait for that, for this reason. The journal keeps all that was acknowledged.
    Aborted(String),
}

/// The signals that ask for an end. From the moment of its making they no longer end the process
/// by themselves.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// The first signal begins a stop, a second one or `timeout` cuts it short.
pub(super) async fn until_signal(
    mut running: Running,
    mut signals: Signals,
    timeout: Duration,
) -> anyhow::Result<Stopped> {
    tokio::select! {
        name = signals.next() => tracing::info!("{name}: finishing what is under way"),
        problem = running.servers.failure() => return Ok(Stopped::Aborted(problem)),
    }
    tokio::select! {
        stopped = running.stop() => stopped.map(|()| Stopped::Cleanly),
        name = signals.next() => Ok(Stopped::Aborted(format!("a second signal came ({name})"))),
        () = tokio::time::sleep(timeout) => Ok(Stopped::Aborted(format!(
            "not everything was finished within {} seconds",
            timeout.as_secs()
        ))),
    }
}
