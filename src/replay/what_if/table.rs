//! How many executions would go which way, with examples.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::{Case, Outcome};

/// How many examples are kept of each way.
const EXAMPLES: usize = 5;

/// How many ways are told apart; what comes later counts among those that are known.
const ROWS: usize = 500;

/// How executions went, and how they would go.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Table {
    /// How many were run again.
    pub executions: u64,
    /// How many would go another way.
    pub changed: u64,
    /// Of how many nobody knows.
    pub unknown: u64,
    /// For how many something was read out of the history of the journal.
    pub reconstructed: u64,
    /// How many could not be read any more.
    pub unreadable: u64,
    /// How many could not be read because a record of theirs is damaged.
    pub damaged: u64,
    /// Whether there were more executions than were asked for.
    pub more: bool,
    /// The ways, the most frequent first; what goes as it went comes last.
    pub rows: Vec<Row>,
}

/// Executions that went one way, and would go one way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// How they went, in a few words.
    pub was: &'static str,
    /// How they would go, in a few words.
    pub now: &'static str,
    /// What is to be said of that, such as what would refuse.
    pub why: Option<String>,
    /// How many.
    pub count: u64,
    /// Some of them, the latest first.
    pub examples: Vec<Example>,
}

/// One execution of many.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Example {
    /// When it began.
    pub started: Timestamp,
    /// Which one.
    pub execution: Uuid,
    /// Its short code.
    pub code: String,
}

impl Row {
    /// Whether nothing would be different.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.was == self.now
    }
}

/// What was counted so far.
#[derive(Debug, Default)]
pub(super) struct Counted {
    table: Table,
    ways: BTreeMap<(&'static str, &'static str, Option<String>), Row>,
}

impl Counted {
    pub(super) fn unreadable(&mut self) {
        self.table.unreadable += 1;
    }

    pub(super) fn damaged(&mut self) {
        self.table.damaged += 1;
    }

    pub(super) fn add(&mut self, case: Case) {
        let table = &mut self.table;
        table.executions += 1;
        table.reconstructed += u64::from(case.reconstructed);
        let (was, now) = (case.was.words(), case.now.words());
        if matches!(case.now, Outcome::Unknown { .. }) {
            table.unknown += 1;
        } else if was != now {
            table.changed += 1;
        }
        let mut way = (was, now, case.now.more());
        if self.ways.len() >= ROWS && !self.ways.contains_key(&way) {
            way.2 = None;
        }
        let row = self
            .ways
            .entry(way)
            .or_insert_with_key(|(was, now, why)| Row {
                was,
                now,
                why: why.clone(),
                count: 0,
                examples: Vec::new(),
            });
        row.count += 1;
        row.examples.push(Example {
            started: case.started,
            execution: case.execution,
            code: case.code,
        });
        row.examples.sort_unstable_by(|one, other| other.cmp(one));
        row.examples.truncate(EXAMPLES);
    }

    /// All of it; `more` where there were more executions than were asked for.
    pub(super) fn table(self, more: bool) -> Table {
        let mut rows: Vec<Row> = self.ways.into_values().collect();
        rows.sort_by_key(|row| (row.is_same(), std::cmp::Reverse(row.count)));
        Table {
            more,
            rows,
            ..self.table
        }
    }
}
