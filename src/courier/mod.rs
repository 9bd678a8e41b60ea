//! Mails: from templates to letters, from the outbox to a mail server, and back what came of it.
//!
//! Whoever asks for a mail puts it into the [`outbox`] with the commit of what they do; the
//! [`Courier`] takes it from there. A mail is sent once or not at all, or its outcome is told as
//! unknown: it is never sent twice. This module knows nothing of executions but their ids.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, watch};
use tokio::task::{Id, JoinHandle, JoinSet};
use uuid::Uuid;

mod conversation;
mod delivery;
mod folder;
pub mod kept;
pub mod letter;
mod message;
pub mod outbox;
mod phrases;
mod problem;
mod schedule;
mod server;
pub mod template;
mod trial;
mod waiting;

pub use trial::Trial;
pub use waiting::Waiting;

use crate::clock::Clock;
use crate::journal::object;
use crate::journal::{self, Journal, Object};
use crate::settings::Email;
use delivery::Delivery;
use outbox::{Mail, Posted};
use schedule::{Place, Schedule};

/// How often the outbox is looked at for mails that nobody told of, as whoever posted one may have
/// given up before they knew that it was written.
const POLL: Duration = Duration::from_secs(10);

/// The same where other nodes post mails as well.
const SHARED_POLL: Duration = Duration::from_secs(1);

/// A look reads all that was never tried, which may be much while a server is slow. It takes at most
/// the so manieth part of the time.
const SHARE: u32 = 20;

/// How long a stop waits for mails that are being handed over. One that takes longer is found at
/// the next start, and its outcome is unknown.
const GRACE: Duration = Duration::from_secs(15);

/// How many mails are read from the journal at once.
const PAGE: usize = 256;

/// When the outbox could not be read, or an attempt broke off.
const PAUSE: Duration = Duration::from_secs(5);

/// What came of a mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A server took it, or it was written to a file.
    Sent,
    /// It was not sent and never will be.
    Failed {
        /// Why. It names neither the recipient nor anything of the letter.
        problem: String,
    },
    /// It was written to nobody, so there was nothing to send.
    Nobody,
    /// It may have been sent: the connection or this program ended while it was handed over.
    Unknown,
}

/// What came of which mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The mail.
    pub mail: Uuid,
    /// The execution that asked for it.
    pub execution: Option<Uuid>,
    /// Where it went, or would have: a host and its port, or the folder.
    pub place: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// Why a report was not taken; it is made again later.
pub type NotTaken = Box<dyn std::error::Error + Send + Sync>;

/// Who hears what came of mails. The mail is removed once this went well, so after a crash the same
/// report may come twice.
pub type Reporter =
    Arc<dyn Fn(Report) -> BoxFuture<'static, Result<(), NotTaken>> + Send + Sync + 'static>;

/// Sends what is in the outbox. Clones are the same courier.
#[derive(Clone)]
pub struct Courier(Arc<Shared>);

struct Shared {
    journal: Arc<dyn Journal>,
    clock: Clock,
    email: Email,
    bell: Notify,
    /// The mails that the bell was rung for.
    posted: Mutex<Vec<Posted>>,
    /// Why a mail was not sent at the last attempt, for whoever lists the outbox.
    problems: Mutex<HashMap<Uuid, String>>,
    stopping: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Courier {
    /// A courier that has not started: it can be woken and stopped, and try a mail out.
    #[must_use]
    pub fn new(journal: Arc<dyn Journal>, clock: Clock, email: Email) -> Self {
        Self(Arc::new(Shared {
            journal,
            clock,
            email,
            bell: Notify::new(),
            posted: Mutex::default(),
            problems: Mutex::default(),
            stopping: watch::Sender::new(false),
            task: Mutex::new(None),
        }))
    }

    /// Where mails are written while there is no server to give them to.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        let email = &self.0.email;
        email.host.is_none().then_some(email.folder.as_path())
    }

    /// Where mails may lie that were written to files, also if there is a server by now.
    #[must_use]
    pub fn written(&self) -> &Path {
        &self.0.email.folder
    }

    /// Begins to send, first what an earlier run left over. `report` hears what comes of each mail.
    /// It needs the runtime that it is called on. One that was stopped may be started again.
    pub fn start(&self, report: Reporter) {
        self.0.stopping.send_replace(false);
        let task = tokio::spawn(run(Arc::clone(&self.0), report));
        let mut place = self.0.task.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(former) = place.replace(task) {
            former.abort();
        }
    }

    /// Says that these mails are in the outbox from now on. Cheap, however many there are already,
    /// and never in vain: the courier also looks by itself, but only now and then. One that has not started
    /// looks at everything when it does.
    pub fn wake(&self, mails: impl IntoIterator<Item = Posted>) {
        let place = self.0.task.lock().unwrap_or_else(PoisonError::into_inner);
        if place.is_none() {
            return;
        }
        drop(place);
        self.0.posted().extend(mails);
        self.0.bell.notify_one();
    }

    /// Takes up nothing more, and waits for what is being handed over, for a while.
    pub async fn stop(&self) {
        self.0.stopping.send_replace(true);
        let task = {
            let mut place = self.0.task.lock().unwrap_or_else(PoisonError::into_inner);
            place.take()
        };
        if let Some(task) = task
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the courier ended badly");
        }
    }
}

/// The attempts under way, with what each is at.
#[derive(Default)]
struct Attempts {
    tasks: JoinSet<Option<jiff::Timestamp>>,
    at: HashMap<Id, (Uuid, Place)>,
}

async fn run(shared: Arc<Shared>, report: Reporter) {
    let mut schedule = Schedule::default();
    let mut attempts = Attempts::default();
    let mut stopping = shared.stopping.subscribe();
    let mut knows_all = false;
    let mut looks = true;
    let mut until_look = std::pin::pin!(tokio::time::sleep(POLL));
    // Other nodes cannot ring this one's bell.
    let poll = if shared.journal.is_shared() {
        SHARED_POLL
    } else {
        POLL
    };
    loop {
        if looks {
            let begun = shared.clock.monotonic();
            let looked = shared.look(&mut schedule, knows_all).await;
            knows_all |= looked.is_ok();
            let pause = match looked {
                Ok(()) => poll.max((shared.clock.monotonic() - begun) * SHARE),
                Err(error) => {
                    tracing::warn!(%error, "the outbox cannot be read; trying again");
                    PAUSE
                }
            };
            until_look.set(tokio::time::sleep(pause));
        }
        for Posted { id, server, due } in std::mem::take(&mut *shared.posted()) {
            schedule.learn(id, server, due);
        }
        while let Some((mail, place)) = schedule.begin(shared.clock.now()) {
            let delivery = Delivery::new(&shared, &report);
            let task = attempts.tasks.spawn(delivery.attempt(mail));
            attempts.at.insert(task.id(), (mail, place));
        }
        let until_next = schedule.next().map_or(POLL, |due| {
            let wait = due.duration_since(shared.clock.now());
            Duration::try_from(wait).unwrap_or_default().min(POLL)
        });
        looks = tokio::select! {
            // A stop comes first: attempts that it ends make room, which nobody is to use any more.
            biased;
            _ = stopping.wait_for(|it| *it) => break,
            () = &mut until_look => true,
            () = shared.bell.notified() => false,
            Some(ended) = attempts.tasks.join_next_with_id(), if !attempts.tasks.is_empty() => {
                let (task, due) = match ended {
                    Ok((task, due)) => (task, due),
                    Err(error) => {
                        tracing::error!(%error, "an attempt at a mail broke off");
                        (error.id(), Some(shared.clock.now() + PAUSE))
                    }
                };
                if let Some((mail, place)) = attempts.at.remove(&task) {
                    schedule.ended(mail, place, due);
                }
                false
            }
            () = tokio::time::sleep(until_next) => false,
        };
    }
    let left = attempts.tasks.len();
    if left > 0 {
        let seconds = GRACE.as_secs();
        tracing::info!(
            "waiting up to {seconds} seconds for {left} mails that are being handed over"
        );
    }
    let ended = async { while attempts.tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, ended).await.is_err() {
        tracing::warn!("a mail is still being handed over; its outcome will be unknown");
        attempts.tasks.shutdown().await;
    }
}

impl Shared {
    fn posted(&self) -> MutexGuard<'_, Vec<Posted>> {
        self.posted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn problems(&self) -> MutexGuard<'_, HashMap<Uuid, String>> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of the mails in the outbox: of all, or only of those that were never tried. All of
    /// them are due at once, as what kept them may have been mended while the server was stopped.
    async fn look(&self, schedule: &mut Schedule, only_fresh: bool) -> journal::Result<()> {
        let mut after = None;
        loop {
            let found: Vec<Object> = if only_fresh {
                let fresh = outbox::fresh();
                self.journal.scan(MAIL, fresh, after, PAGE).await?
            } else {
                self.journal.list(MAIL, after, PAGE).await?
            };
            for found in &found {
                match object::open::<Mail>(found) {
                    Ok(mail) => {
                        let Mail {
                            id, server, due, ..
                        } = mail.value;
                        let now = self.clock.now();
                        schedule.learn(id, server, if only_fresh { due } else { due.min(now) });
                    }
                    Err(error) => tracing::warn!(%error, "a mail is left out"),
                }
            }
            match found.last() {
                Some(last) if found.len() == PAGE => after = Some(last.stream.id),
                _ => return Ok(()),
            }
            // The state answers without waiting, so others would not get their turn.
            tokio::task::yield_now().await;
        }
    }
}

const MAIL: journal::Kind = <Mail as object::Stored>::KIND;
