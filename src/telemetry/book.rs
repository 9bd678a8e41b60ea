//! Enters metrics under their names, and remembers which names there are.

use std::fmt::Debug;
use std::hash::Hash;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};

/// What sort a metric is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// How values are spread.
    Histogram,
}

/// One metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Described {
    /// Its name as it is shown, with `_total` where it counts.
    pub name: &'static str,
    /// What it tells.
    pub help: &'static str,
    /// What sort it is of.
    pub sort: Sort,
}

/// Where metrics are entered.
#[derive(Default)]
pub(super) struct Book {
    registry: Registry,
    described: Vec<Described>,
}

impl Book {
    /// A counter; its name ends in `_total`, which the encoder adds by itself.
    pub(super) fn counter(&mut self, name: &'static str, help: &'static str) -> Counter {
        self.counts(name, help, Counter::default())
    }

    /// The same for one that counts already, or for one with labels.
    pub(super) fn counts<M: Metric + Clone>(
        &mut self,
        name: &'static str,
        help: &'static str,
        metric: M,
    ) -> M {
        let bare = name.strip_suffix("_total").unwrap_or(name);
        self.enter(name, bare, help, Sort::Counter, metric)
    }

    /// A gauge.
    pub(super) fn gauge(&mut self, name: &'static str, help: &'static str) -> Gauge {
        self.gauges(name, help, Gauge::default())
    }

    /// The same for one that is there already, or for one with labels.
    pub(super) fn gauges<M: Metric + Clone>(
        &mut self,
        name: &'static str,
        help: &'static str,
        metric: M,
    ) -> M {
        self.enter(name, name, help, Sort::Gauge, metric)
    }

    /// A histogram of seconds.
    pub(super) fn seconds(&mut self, name: &'static str, help: &'static str) -> Histogram {
        self.histogram(name, help, seconds())
    }

    /// A histogram.
    pub(super) fn histogram(
        &mut self,
        name: &'static str,
        help: &'static str,
        histogram: Histogram,
    ) -> Histogram {
        self.enter(name, name, help, Sort::Histogram, histogram)
    }

    /// A histogram of seconds for each value of some labels.
    pub(super) fn seconds_by<L>(
        &mut self,
        name: &'static str,
        help: &'static str,
    ) -> Family<L, Histogram>
    where
        L: EncodeLabelSet + Clone + Debug + Eq + Hash + Send + Sync + 'static,
    {
        let family = Family::<L, Histogram>::new_with_constructor(seconds);
        self.enter(name, name, help, Sort::Histogram, family)
    }

    fn enter<M: Metric + Clone>(
        &mut self,
        name: &'static str,
        bare: &'static str,
        help: &'static str,
        sort: Sort,
        metric: M,
    ) -> M {
        // The encoder ends the sentence.
        let sentence = help.strip_suffix('.').unwrap_or(help);
        self.registry.register(bare, sentence, metric.clone());
        self.described.push(Described { name, help, sort });
        metric
    }

    pub(super) fn into_parts(self) -> (Registry, Vec<Described>) {
        (self.registry, self.described)
    }
}

/// Bounds in seconds for whatever somebody waits for, from a look to a time-out.
pub(super) fn seconds() -> Histogram {
    Histogram::new([
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
    ])
}
