//! What the server counts and measures, for whoever looks after it.
//!
//! It holds numbers and names that an operator chose, never anything of a visitor: no label grows
//! with what somebody sends. Whoever does something counts it here; this module looks nothing up,
//! and serves nothing by itself.

use std::fmt;
use std::sync::Arc;

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use crate::journal::Meter;

mod book;
mod executions;
mod held;
mod journal;
mod machine;
mod slugs;
mod spans;
mod web;

pub use book::{Described, Sort};
pub use executions::{End, Executions, Measured, Moved};
pub use held::Held;
pub use machine::{Machine, Reader, level};
pub use spans::{Lost, Spans};
pub use web::{Refused, Web};

use book::Book;

/// Everything that is counted. Cheap to clone; all clones count together.
#[derive(Clone)]
pub struct Metrics(Arc<All>);

struct All {
    registry: Registry,
    described: Vec<Described>,
    executions: Executions,
    web: Web,
    machine: Machine,
    spans: Spans,
}

impl Metrics {
    /// Counts from zero, and shows what a journal counts of itself.
    #[must_use]
    pub fn new(journal: &Meter) -> Self {
        let mut book = Book::default();
        let executions = Executions::new(&mut book);
        let web = Web::new(&mut book);
        let machine = Machine::new(&mut book);
        let spans = Spans::new(&mut book);
        self::journal::enter(&mut book, journal);
        let (registry, described) = book.into_parts();
        Self(Arc::new(All {
            registry,
            described,
            executions,
            web,
            machine,
            spans,
        }))
    }

    /// What is counted of executions.
    #[must_use]
    pub fn executions(&self) -> &Executions {
        &self.0.executions
    }

    /// What is counted of requests.
    #[must_use]
    pub fn web(&self) -> &Web {
        &self.0.web
    }

    /// What is looked up when somebody asks.
    #[must_use]
    pub fn machine(&self) -> &Machine {
        &self.0.machine
    }

    /// What is counted of spans on their way to a collector.
    #[must_use]
    pub fn spans(&self) -> &Spans {
        &self.0.spans
    }

    /// Every metric that there may be, also one that nothing was counted of yet.
    #[must_use]
    pub fn described(&self) -> &[Described] {
        &self.0.described
    }

    /// All of it as `OpenMetrics` text.
    ///
    /// # Errors
    /// When a value cannot be written, which is a fault of ours.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.0.registry)?;
        Ok(text)
    }
}

impl Default for Metrics {
    /// Metrics of a server whose journal counts nothing, as in tests.
    fn default() -> Self {
        Self::new(&Meter::default())
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
