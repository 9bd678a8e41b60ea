//! Importing, end to end, on a journal in memory.

use jiff::Timestamp;
use serde_json::Value;

use super::*;
use crate::clock::Clock;
use crate::directory::command::prepare;
use crate::directory::password::Pool;
use crate::journal::Journal;
use crate::journal::memory::MemoryJournal;

mod catalog;
mod changes;
mod directory;
mod document;
mod export;
mod expressions;
mod incomplete;
mod policies;
mod reference;
mod shipped;
mod transaction;

/// A journal, a clock, and options to apply with.
pub(super) struct Bench {
    pub(super) journal: MemoryJournal,
    pub(super) clock: Clock,
    pool: Pool,
}

impl Bench {
    pub(super) fn new() -> Self {
        let clock = Clock::fixed(Timestamp::UNIX_EPOCH);
        Self {
            journal: MemoryJournal::new(clock.clone()),
            pool: Pool::no_op(clock.clone()),
            clock,
        }
    }

    /// One that knows how to number users.
    pub(super) async fn installed() -> Self {
        let bench = Self::new();
        let made = prepare(&bench.journal, &bench.clock).await;
        made.expect("a fresh journal can be prepared");
        bench
    }

    pub(super) fn options(&self) -> Options<'_> {
        Options {
            passwords: Some(&self.pool),
            syntax: Syntax::Here,
            ..Options::default()
        }
    }

    pub(super) async fn apply_with(
        &self,
        source: &str,
        options: &Options<'_>,
    ) -> Result<Report, Error> {
        let document = Document::read(source, "test.yaml").map_err(Error::Invalid)?;
        apply(&self.journal, &self.clock, &[document], options).await
    }

    pub(super) async fn apply(&self, source: &str) -> Result<Report, Error> {
        self.apply_with(source, &self.options()).await
    }

    /// The problems of a blueprint that cannot be applied, as texts.
    pub(super) async fn problems(&self, source: &str) -> Vec<String> {
        match self.apply(source).await {
            Err(Error::Invalid(problems)) => problems.iter().map(ToString::to_string).collect(),
            other => panic!("it should be invalid: {other:?}"),
        }
    }

    /// How many records there are in all.
    pub(super) fn records(&self) -> usize {
        use futures_util::{FutureExt, StreamExt};
        let mut all = self.journal.follow(crate::journal::Position(0));
        let mut count = 0;
        while let Some(Some(_)) = all.next().now_or_never() {
            count += 1;
        }
        count
    }
}

pub(super) fn outcomes(report: &Report) -> Vec<Outcome> {
    report.entries.iter().map(|entry| entry.outcome).collect()
}

pub(super) fn uuid(value: &Value) -> uuid::Uuid {
    value
        .as_str()
        .and_then(|id| id.parse().ok())
        .expect("an identifier")
}
