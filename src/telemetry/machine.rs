//! What is looked up at the moment when somebody asks for metrics.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use super::book::Book;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfReader {
    reader: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfVersion {
    version: &'static str,
}

/// How far somebody has come who follows the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reader {
    /// Who.
    pub name: &'static str,
    /// How many records there are that they have not noted as done.
    pub behind: u64,
}

/// The gauges.
pub struct Machine {
    lag: Family<OfReader, Gauge>,
    failing: Family<OfReader, Gauge>,
    /// The position of the last record.
    pub position: Gauge,
    /// Passwords that are being hashed or wait for it.
    pub hashes: Gauge,
    /// Worker processes for expressions that have nothing to do.
    pub idle_workers: Gauge,
    /// Expressions that wait for a worker.
    pub waiting_expressions: Gauge,
    /// Milliseconds from opening the journal until the server listened.
    pub start: Gauge,
    /// Bytes that are free on the disk of the journal; 0 when that is not known.
    pub free: Gauge,
    /// With fewer bytes free than this nothing new is begun; 0 when that is not known.
    pub reserve: Gauge,
    /// Bytes of memory that the process has.
    pub resident: Gauge,
    /// Files and connections that the process has open.
    pub descriptors: Gauge,
    /// How many it may have; 0 without a limit.
    pub most_descriptors: Gauge,
    /// 1 when the server can serve.
    pub ready: Gauge,
}

impl Machine {
    pub(super) fn new(book: &mut Book) -> Self {
        let build: Family<OfVersion, Gauge> = book.gauges(
            "gatelog_build_info",
            "Always 1; the label says which version runs.",
            Family::default(),
        );
        let version = env!("CARGO_PKG_VERSION");
        build.get_or_create(&OfVersion { version }).set(1);
        Self {
            lag: book.gauges(
                "gatelog_projection_lag_records",
                "Records that somebody who follows the journal has not noted as done.",
                Family::default(),
            ),
            failing: book.gauges(
                "gatelog_follower_failing",
                "1 while somebody who follows the journal cannot go on.",
                Family::default(),
            ),
            position: book.gauge(
                "gatelog_journal_position",
                "The position of the last record.",
            ),
            hashes: book.gauge(
                "gatelog_hashes_waiting",
                "Passwords that are being hashed or wait for it.",
            ),
            idle_workers: book.gauge(
                "gatelog_expression_workers_idle",
                "Processes for expressions that have nothing to do.",
            ),
            waiting_expressions: book.gauge(
                "gatelog_expressions_waiting",
                "Expressions that wait for a process.",
            ),
            start: book.gauge(
                "gatelog_start_milliseconds",
                "Milliseconds that the last start took, the recovery of the journal included.",
            ),
            free: book.gauge(
                "gatelog_disk_free_bytes",
                "Bytes that are free on the disk of the data directory.",
            ),
            reserve: book.gauge(
                "gatelog_disk_reserve_bytes",
                "With fewer bytes free than this nobody new can log in.",
            ),
            resident: book.gauge(
                "process_resident_memory_bytes",
                "Bytes of memory that the process has.",
            ),
            descriptors: book.gauge(
                "process_open_fds",
                "Files and connections that the process has open.",
            ),
            most_descriptors: book.gauge(
                "process_max_fds",
                "How many files and connections it may have open; 0 without a limit.",
            ),
            ready: book.gauge(
                "gatelog_ready",
                "1 when the server can serve, as its health probe says.",
            ),
        }
    }

    /// What says whether a reader that has begun to follow the journal cannot go on; 0 so far.
    #[must_use]
    pub fn follows(&self, reader: &'static str) -> Gauge {
        self.failing.get_or_create_owned(&OfReader { reader })
    }

    /// Whether a reader has begun to follow the journal.
    #[must_use]
    pub fn is_followed_by(&self, reader: &'static str) -> bool {
        self.failing.get(&OfReader { reader }).is_some()
    }

    /// Notes how far a reader has come.
    pub fn reads(&self, reader: Reader) {
        let labels = OfReader {
            reader: reader.name,
        };
        let behind = i64::try_from(reader.behind).unwrap_or(i64::MAX);
        self.lag.get_or_create(&labels).set(behind);
    }
}

/// A size as a gauge takes it.
#[must_use]
pub fn level(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
