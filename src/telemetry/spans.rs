//! What is counted of spans on their way to a collector.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use super::book::Book;

/// Why a span came to nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lost {
    /// Too many waited to be sent.
    Full,
    /// The collector did not take it.
    Collector,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Why {
    why: &'static str,
}

/// The counts.
pub struct Spans {
    /// Spans that the collector took.
    pub sent: Counter,
    dropped: Family<Why, Counter>,
}

impl Spans {
    pub(super) fn new(book: &mut Book) -> Self {
        Self {
            sent: book.counter("gatelog_spans_sent_total", "Spans that the collector took."),
            dropped: book.counts(
                "gatelog_spans_dropped_total",
                "Spans that came to nobody.",
                Family::default(),
            ),
        }
    }

    /// So many spans came to nobody.
    pub fn dropped(&self, why: Lost, count: u64) {
        let why = match why {
            Lost::Full => "full",
            Lost::Collector => "collector",
        };
        self.dropped.get_or_create(&Why { why }).inc_by(count);
    }
}
