//! Many executions, over several cores, without holding more than a few in memory.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::table::{Counted, Table};
use super::{Case, Supposition, beginning};
use crate::journal::{self, Journal};
use crate::replay::{Error, entries};
use crate::world::record::KIND;

/// How many streams are looked for at once.
const PORTION: usize = 500;

/// How many executions a thread has in work, so that it has something to do while one waits for
/// an expression.
const AT_ONCE: usize = 4;

/// Which executions are run again.
#[derive(Clone, Debug, Default)]
pub struct Range {
    /// Only those of the flow with this slug.
    pub flow: Option<String>,
    /// Only those that began then or later.
    pub since: Option<Timestamp>,
    /// Only those that began earlier.
    pub until: Option<Timestamp>,
    /// These and no others; the latest first where there are none.
    pub executions: Vec<Uuid>,
    /// No more than these.
    pub limit: usize,
}

/// Runs executions again, in as many threads, and counts which way they would go.
///
/// # Errors
/// When the journal cannot be read.
pub async fn many(of: &Supposition, range: Range, threads: usize) -> Result<Table, Error> {
    let (ids, queue) = mpsc::channel(threads.max(1) * AT_ONCE);
    let queue = Arc::new(tokio::sync::Mutex::new(queue));
    let counted = Arc::new(Mutex::new(Counted::default()));
    let mut ends = Vec::new();
    for _ in 0..threads.max(1) {
        let (end, ended) = oneshot::channel();
        let (of, range, queue, counted) = (
            of.clone(),
            range.clone(),
            Arc::clone(&queue),
            Arc::clone(&counted),
        );
        let work = move || {
            let worked = work(&of, &range, &queue, &counted);
            // Nobody waits any more when the other end is gone.
            let _ = end.send(worked);
        };
        let spawned = thread::Builder::new()
            .name("what-if".to_owned())
            .spawn(work);
        spawned.map_err(|error| Error::Broken(format!("a thread cannot be started: {error}")))?;
        ends.push(ended);
    }
    let fed = feed(of.past.journal(), &range, &ids, &counted).await;
    drop(ids);
    for ended in ends {
        let gone = || Error::Broken("a thread died while it ran executions again".to_owned());
        ended.await.map_err(|_| gone())??;
    }
    fed?;
    let mut counted = counted.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(std::mem::take(&mut *counted).table())
}

/// Hands the executions out, the latest first.
async fn feed(
    journal: &dyn Journal,
    range: &Range,
    ids: &mpsc::Sender<Uuid>,
    counted: &Mutex<Counted>,
) -> journal::Result<()> {
    let mut given = 0;
    if !range.executions.is_empty() {
        for id in &range.executions {
            // A thread that is gone says why at its end.
            if ids.send(*id).await.is_err() {
                break;
            }
        }
        return Ok(());
    }
    let mut before = range.until.and_then(bound);
    let since = range.since.and_then(bound);
    loop {
        let streams = journal.streams(KIND, before, PORTION).await?;
        for stream in &streams {
            if since.is_some_and(|since| stream.id < since) {
                return Ok(());
            }
            if given == range.limit {
                counted
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .more();
                return Ok(());
            }
            if ids.send(stream.id).await.is_err() {
                return Ok(());
            }
            given += 1;
        }
        match streams.last() {
            Some(last) if streams.len() == PORTION => before = Some(last.id),
            _ => return Ok(()),
        }
    }
}

/// The least identifier of what began at a moment; identifiers begin with the millisecond.
fn bound(at: Timestamp) -> Option<Uuid> {
    let millisecond = u128::try_from(at.as_millisecond()).ok()?;
    Some(Uuid::from_u128(millisecond << 80))
}

fn work(
    of: &Supposition,
    range: &Range,
    queue: &tokio::sync::Mutex<mpsc::Receiver<Uuid>>,
    counted: &Mutex<Counted>,
) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::Broken(format!("a runtime cannot be started: {error}")))?;
    let worker = || async {
        loop {
            let next = queue.lock().await.recv().await;
            let Some(id) = next else { return Ok(()) };
            let case = case(of, range, id).await;
            let mut counted = counted.lock().unwrap_or_else(PoisonError::into_inner);
            match case {
                Ok(Some(case)) => counted.add(case),
                Ok(None) | Err(Error::Unknown(_)) => {}
                Err(Error::Erased(_) | Error::Incomplete { .. }) => counted.unreadable(),
                Err(error) => return Err(error),
            }
        }
    };
    runtime.block_on(async {
        let workers = (0..AT_ONCE).map(|_| worker());
        futures_util::future::try_join_all(workers).await.map(drop)
    })
}

/// Runs one again, if it is asked for.
async fn case(of: &Supposition, range: &Range, id: Uuid) -> Result<Option<Case>, Error> {
    let entries = entries(of.past.journal(), id).await?;
    let slug = beginning(&entries).map(|(_, slug)| slug);
    if range.flow.is_some() && slug != range.flow.as_deref() {
        return Ok(None);
    }
    of.case(id, &entries).await.map(Some)
}
