//! Following the global order: what was written, and then what is still to come.

use std::sync::Arc;

use futures_util::stream::BoxStream;

use super::super::follower::{self, Portion};
use super::super::frame::Record;
use super::super::{Envelope, Error, Position, Result, seal};
use super::Shared;
use super::place::Place;

/// How many records are read at once.
const PORTION: usize = 256;

/// How many bytes are read at once, unless a single record has more.
const BYTES: usize = 1 << 20;

/// The records after `after`. The stream ends when the journal is closed, and after an error.
pub(super) fn follow(
    journal: &Arc<Shared>,
    after: Position,
) -> BoxStream<'static, Result<(Position, Envelope)>> {
    let news = journal.last.subscribe();
    follower::follow(journal, news, after, |journal, after, last| async move {
        let read = tokio::task::spawn_blocking(move || portion(&journal, after, last)).await;
        // Else the runtime is being shut down.
        read.ok()
    })
}

fn portion(journal: &Shared, after: Position, last: Position) -> Portion {
    let mut ready = Portion::new();
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
