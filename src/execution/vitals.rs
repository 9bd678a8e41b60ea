//! How much there is to do, for whoever looks after the server.

use futures_util::future::join_all;
use jiff::Timestamp;
use serde::Serialize;

use super::shard::Awake;
use super::{Error, Executions, Unfinished, timers};
use crate::journal::object::Stored as _;
use crate::journal::{self, Journal};

/// How far is counted.
const MOST: usize = 10_000;

/// How many are read at once.
const PAGE: usize = 500;

/// A number that is not counted to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// So many at least.
    pub count: usize,
    /// Whether there are more.
    pub more: bool,
}

/// How much there is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Vitals {
    /// The executions that are in memory.
    pub awake: usize,
    /// The executions that are under way.
    pub unfinished: Counted,
    /// The timers that are running.
    pub timers: Counted,
    /// When the next of them fires.
    pub next_timer: Option<Timestamp>,
}

impl Executions {
    /// How much there is to do.
    ///
    /// # Errors
    /// [`Error::Busy`] when the actors are gone, or what the journal said.
    pub async fn vitals(&self) -> Result<Vitals, Error> {
        let shards = self.shards.addresses.iter();
        let mut awake = 0;
        for of_one in join_all(shards.map(|it| it.send(Awake))).await {
            awake += of_one.map_err(|_| Error::Busy)?;
        }
        let journal = self.shared.journal.as_ref();
        let next = timers::next(journal, None, 1).await?;
        Ok(Vitals {
            awake,
            unfinished: count(journal, Unfinished::KIND).await?,
            timers: count(journal, timers::Timer::KIND).await?,
            next_timer: next.first().map(|it| it.due),
        })
    }
}

async fn count(journal: &dyn Journal, kind: journal::Kind) -> journal::Result<Counted> {
    let mut counted = Counted::default();
    let mut after = None;
    while counted.count < MOST {
        let page = journal.list(kind, after, PAGE).await?;
        counted.count += page.len();
        match page.last() {
            Some(last) if page.len() == PAGE => after = Some(last.stream.id),
            _ => return Ok(counted),
        }
        tokio::task::yield_now().await;
    }
    counted.more = true;
    Ok(counted)
}
