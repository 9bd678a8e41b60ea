//! Brings items to whoever is to have them, in order, and again until they are taken.
//!
//! How far that has come is kept in the journal, and written after an item was taken: whenever the
//! process ends, nothing is left out, and a few items may come twice.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::format::lines;
use super::item::{self, Item};
use super::stdout::Lines;
use super::webhook::Receiver;
use crate::clock::Clock;
use crate::journal::cursor::{self, STRIDE};
use crate::journal::{self, Commit, Durability, Journal, Lease, Position, Version};
use crate::settings::{self, FeedFormat, FeedStart};

/// The names under which it is kept how far the webhook and standard output have come.
pub const READERS: [&str; 2] = ["feed.webhook", "feed.stdout"];

/// How many items are taken until that is written down.
const BATCH: u64 = 100;

/// How long it may wait.
const SAVE: Duration = Duration::from_secs(1);

/// The pause after the first failure; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// When the journal could not be read or written.
const PAUSE: Duration = Duration::from_secs(5);

/// The pause after this many failures.
fn pause(failures: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
    FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE)
}

/// What brings items, until it is stopped.
pub struct Feed {
    stopping: watch::Sender<bool>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Feed {
    /// Begins to bring what the settings ask for, to whom they say. It needs the runtime that it
    /// is called on. `failing` gives a gauge for each that is begun, which is 1 as long as nothing
    /// can be read or brought. How far they have come is written under `fence`, where others might write
    /// it as well.
    ///
    /// # Errors
    /// When the thread that writes to standard output cannot be started.
    pub fn start(
        journal: &Arc<dyn Journal>,
        clock: &Clock,
        settings: &settings::Feed,
        fence: Option<&Lease>,
        failing: impl Fn(&'static str) -> Gauge,
    ) -> std::io::Result<Self> {
        let stopping = watch::Sender::new(false);
        let first = match settings.from {
            FeedStart::Now => journal.last(),
            FeedStart::Beginning => Position(0),
        };
        let mut wanted = Vec::new();
        if let Some(webhook) = &settings.webhook {
            let to = To::Webhook(Box::new(Receiver::new(webhook)));
            wanted.push((READERS[0], webhook.format, to));
        }
        if let Some(format) = settings.stdout {
            wanted.push((READERS[1], format, To::Stdout(Lines::start()?)));
        }
        let mut tasks = Vec::new();
        for (reader, format, to) in wanted {
            let delivery = Delivery {
                journal: Arc::clone(journal),
                clock: clock.clone(),
                reader,
                format,
                to,
                version: Version::NONE,
                saved: Position(0),
                done: Position(0),
                taken: 0,
                failing: failing(reader),
                fence: fence.cloned(),
            };
            tasks.push(tokio::spawn(delivery.run(first, stopping.subscribe())));
        }
        Ok(Self {
            stopping,
            tasks: Mutex::new(tasks),
        })
    }

    /// Brings nothing more.
    pub async fn stop(&self) {
        self.stopping.send_replace(true);
        let tasks = {
            let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *tasks)
        };
        for task in tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "the feed ended badly");
            }
        }
    }
}

/// Who gets the items.
enum To {
    Webhook(Box<Receiver>),
    Stdout(Lines),
}

struct Delivery {
    journal: Arc<dyn Journal>,
    clock: Clock,
    /// The name under which it is kept how far this has come.
    reader: &'static str,
    format: FeedFormat,
    to: To,
    version: Version,
    /// What the journal says is done.
    saved: Position,
    /// What is done.
    done: Position,
    /// How many items were taken since that was written down.
    taken: u64,
    /// Is 1 as long as nothing can be read or brought.
    failing: Gauge,
    fence: Option<Lease>,
}

impl Delivery {
    async fn run(mut self, first: Position, mut stopping: watch::Receiver<bool>) {
        loop {
            let failed = tokio::select! {
                _ = stopping.wait_for(|it| *it) => break,
                followed = self.follow(first) => match followed {
                    Ok(()) => return,
                    Err(error) => error,
                },
            };
            let feed = self.reader;
            self.failing.set(1);
            tracing::warn!(feed, error = %failed, "the feed has to wait; trying again");
            tokio::select! {
                _ = stopping.wait_for(|it| *it) => return,
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
        if self.taken > 0
            && let Err(error) = self.save(Durability::Relaxed).await
        {
            tracing::warn!(%error, "what was taken last will be brought again");
        }
    }

    /// Goes on from where it stopped, until the journal is closed.
    async fn follow(&mut self, first: Position) -> journal::Result<()> {
        self.taken = 0;
        if let Some(cursor) = cursor::load(&*self.journal, self.reader).await? {
            self.version = cursor.version;
            self.done = cursor.value.after;
            self.saved = self.done;
        } else {
            self.version = Version::NONE;
            self.done = first;
            // From here on, nothing is left out.
            self.save(Durability::Durable).await?;
        }
        let mut records = self.journal.follow(self.done);
        loop {
            let next = if self.taken == 0 {
                records.next().await
            } else {
                let Ok(next) = tokio::time::timeout(SAVE, records.next()).await else {
                    self.save(Durability::Relaxed).await?;
                    continue;
                };
                next
            };
            let Some(next) = next else {
                return Ok(());
            };
            let (position, envelope) = next?;
            if let Some(item) = item::read(position, &envelope)? {
                self.bring(&item).await?;
            }
            self.done = position;
            self.failing.set(0);
            if self.taken >= BATCH || self.done.0 - self.saved.0 >= STRIDE {
                self.save(Durability::Relaxed).await?;
            }
        }
    }

    /// Returns once every line of the item was taken.
    async fn bring(&mut self, item: &Item) -> journal::Result<()> {
        for (index, line) in lines(self.format, item).iter().enumerate() {
            let id = match (self.format, item.position.0) {
                (FeedFormat::Json, position) => position.to_string(),
                (_, position) => format!("{position}.{index}"),
            };
            let mut failures = 0;
            while let Err(problem) = self.offer(&id, line).await {
                failures += 1;
                self.failing.set(1);
                let pause = pause(failures);
                tracing::warn!(
                    feed = self.reader,
                    position = item.position.0,
                    problem,
                    seconds = pause.as_secs(),
                    "an item was not taken; trying again"
                );
                if self.taken > 0 {
                    self.save(Durability::Relaxed).await?;
                }
                tokio::time::sleep(pause).await;
            }
            self.taken += 1;
        }
        Ok(())
    }

    async fn offer(&mut self, id: &str, line: &str) -> Result<(), String> {
        match &mut self.to {
            To::Webhook(receiver) => receiver.send(&self.clock, id, line).await,
            To::Stdout(lines) => lines.write(line).await,
        }
    }

    async fn save(&mut self, durability: Durability) -> journal::Result<()> {
        let commit = Commit {
            writes: vec![cursor::moved(self.reader, self.done, self.version)],
            durability,
            fence: self.fence.clone(),
            at: self.clock.now(),
            correlation: self.clock.ordered_id(),
        };
        self.journal.commit(commit).await?;
        self.version = self.version.next();
        self.saved = self.done;
        self.taken = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_begin_with_a_second_and_grow_to_five_minutes() {
        let pauses: Vec<u64> = (1..=11).map(|failures| pause(failures).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    }
}
