//! Following the global order: what was written, and then what is still to come.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::sync::watch;

use super::super::frame::Record;
use super::super::{Envelope, Error, Position, Result, seal};
use super::place::Place;
use super::{Last, Shared};

/// How many records are read at once.
const PORTION: usize = 256;

/// How many bytes are read at once, unless a single record has more.
const BYTES: usize = 1 << 20;

struct Follower {
    /// Who follows does not keep the journal open.
    journal: Weak<Shared>,
    news: watch::Receiver<Last>,
    after: Position,
    ready: VecDeque<Result<(Position, Envelope)>>,
    failed: bool,
}

/// The records after `after`. The stream ends when the journal is closed, and after an error.
pub(super) fn follow(
    journal: &Arc<Shared>,
    after: Position,
) -> BoxStream<'static, Result<(Position, Envelope)>> {
    let follower = Follower {
        journal: Arc::downgrade(journal),
        news: journal.last.subscribe(),
        after,
        ready: VecDeque::new(),
        failed: false,
    };
    stream::unfold(follower, |mut follower| async move {
        let next = follower.next().await?;
        Some((next, follower))
    })
    .boxed()
}

impl Follower {
    async fn next(&mut self) -> Option<Result<(Position, Envelope)>> {
        loop {
            if let Some(next) = self.ready.pop_front() {
                self.failed = next.is_err();
                return Some(next);
            }
            if self.failed {
                return None;
            }
            let after = self.after;
            let news = |last: &Last| last.position.0 > after.0 || last.closed;
            let last = self.news.wait_for(news).await.ok()?.position;
            if last.0 <= after.0 {
                return None;
            }
            let journal = self.journal.upgrade()?;
            let read = tokio::task::spawn_blocking(move || portion(&journal, after, last)).await;
            // The runtime is being shut down.
            self.ready = read.ok()?;
            if let Some(Ok((position, _))) = self.ready.back() {
                self.after = *position;
            }
        }
    }
}

fn portion(
    journal: &Shared,
    after: Position,
    last: Position,
) -> VecDeque<Result<(Position, Envelope)>> {
    let mut ready = VecDeque::new();
    let mut bytes = 0;
    let mut expected = after.0 + 1;
    let visited = journal
        .segments
        .visit(Place::record(after.0).next_note(), |path, entry| {
            let position = entry.place.position;
            if position > last.0 {
                return Ok(false);
            }
            if !entry.place.is_record() {
                return Ok(true);
            }
            if position != expected {
                return Err(Error::Damaged {
                    path: path.to_path_buf(),
                    problem: format!(
                        "position {expected} is missing; restore the log from a backup"
                    ),
                });
            }
            bytes += entry.bytes.len();
            let record = Record::decode(&entry.bytes).map_err(|problem| Error::Damaged {
                path: path.to_path_buf(),
                problem: format!("the record at position {position}: {problem}"),
            })?;
            let envelope = seal::envelope(&record, &journal.keyring)?;
            ready.push_back(Ok((Position(position), envelope)));
            expected += 1;
            Ok(ready.len() < PORTION && bytes < BYTES)
        });
    journal.meter.read(&visited);
    if let Err(error) = visited {
        ready.push_back(Err(error));
    } else if ready.is_empty() {
        journal.meter.damaged.inc();
        ready.push_back(Err(Error::Damaged {
            path: journal.directory.join("log"),
            problem: format!("position {expected} is missing; restore the log from a backup"),
        }));
    }
    ready
}
