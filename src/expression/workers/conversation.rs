//! The exchange with one worker, from the moment it is taken until it is given back.

use std::collections::HashSet;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::Shared;
use crate::expression::error::Error;
use crate::expression::host::{Failure, Host};
use crate::expression::keeper::{Job, Place};
use crate::expression::process::Process;
use crate::expression::value::Value;
use crate::expression::wire::{self, Order, Report, Revealed};

/// A worker that is in use. Unless [`Conversation::end`] gives it back, it is killed and replaced.
pub(super) struct Conversation {
    process: Option<Process>,
    place: Place,
    socket: Option<UnixStream>,
    heard: Vec<u8>,
    shared: Arc<Shared>,
    jobs: mpsc::Sender<Job>,
}

impl Conversation {
    /// Registers the socket with the runtime of the caller, whichever it is.
    pub(super) fn new(
        mut process: Process,
        place: Place,
        shared: Arc<Shared>,
        jobs: mpsc::Sender<Job>,
    ) -> Result<Self, Error> {
        let socket = process.socket.take();
        let mut conversation = Self {
            process: Some(process),
            place,
            socket: None,
            heard: Vec::new(),
            shared,
            jobs,
        };
        let socket = socket.ok_or_else(|| Error::WorkerDied("it has no socket".to_owned()))?;
        let socket = UnixStream::from_std(socket);
        conversation.socket = Some(socket.map_err(|error| Error::Unavailable(error.to_string()))?);
        Ok(conversation)
    }

    pub(super) async fn say(&mut self, order: &Order) -> Result<(), Error> {
        let said = match (wire::frame(order), &mut self.socket) {
            (Ok(frame), Some(socket)) => socket.write_all(&frame).await,
            (Err(error), _) => return Err(Error::Refused(error.to_string())),
            (_, None) => Err(io::ErrorKind::NotConnected.into()),
        };
        match said {
            Ok(()) => Ok(()),
            Err(_) => Err(self.died().await),
        }
    }

    /// The next report; an error if the worker is silent for longer than this.
    pub(super) async fn hear(&mut self, silence: Duration) -> Result<Report, Error> {
        match timeout(silence, self.frame()).await {
            Ok(Ok(report)) => Ok(report),
            Ok(Err(_)) => Err(self.died().await),
            Err(_) => Err(Error::Timeout { after: silence }),
        }
    }

    async fn frame(&mut self) -> io::Result<Report> {
        let socket = self.socket.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        loop {
            if let Some((head, rest)) = self.heard.split_first_chunk::<4>() {
                let length = wire::length(*head)?;
                if let Some(body) = rest.get(..length) {
                    let report = wire::message(body);
                    self.heard.drain(..4 + length);
                    return report;
                }
            }
            if socket.read_buf(&mut self.heard).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Gives the worker back, for the next.
    pub(super) fn end(mut self) {
        if self.place == Place::Extra {
            // Dropped, and so is the process.
            return;
        }
        let Some(mut process) = self.process.take() else {
            return;
        };
        match self.socket.take().map(UnixStream::into_std) {
            Some(Ok(socket)) if self.heard.is_empty() => {
                process.socket = Some(socket);
                self.shared.fortunate.store(true, Ordering::Relaxed);
                self.shared.offer(Ok(process));
            }
            _ => self.process = Some(process),
        }
    }

    async fn died(&mut self) -> Error {
        let gone = || Error::WorkerDied("it is gone".to_owned());
        let Some(process) = self.process.take() else {
            return gone();
        };
        let (tell, told) = oneshot::channel();
        // The keeper lives as long as a sender does.
        let _ = self.jobs.send(Job::Bury(process, self.place, tell));
        told.await.unwrap_or_else(|_| gone())
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            // As above.
            let _ = self.jobs.send(Job::Replace(process, self.place));
        }
    }
}

/// The texts of the secrets in a value that were not revealed before.
pub(super) async fn reveal(
    value: &Value,
    host: &dyn Host,
    revealed: &mut HashSet<String>,
) -> Result<Vec<Revealed>, Failure> {
    let mut handles = Vec::new();
    value.visit(&mut |inner| {
        if let Value::Secret(handle) = inner
            && revealed.insert(handle.clone())
        {
            handles.push(handle.clone());
        }
    });
    let mut secrets = Vec::new();
    for handle in handles {
        let text = host.reveal(&handle).await?;
        let text = text.expose_secret().to_owned();
        secrets.push(Revealed { handle, text });
    }
    Ok(secrets)
}
