//! How the journal is stored and how long it is kept.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use super::feed;
use super::reader::Reader;
use super::value;

/// `journal.*`.
#[derive(Clone, Debug)]
pub struct Journal {
    /// The address of the PostgreSQL database that it is in, such as `postgres://user@host/database`;
    /// without one it is in the data directory. May hold a password.
    pub url: Option<SecretString>,
    /// The password for it, if the address has none.
    pub password: Option<SecretString>,
    /// A file with the certificates that the database's is checked against, in PEM; without one those
    /// that the machine believes.
    pub ca: Option<PathBuf>,
    /// How many connections to the database there may be, beside the one that listens.
    pub connections: usize,
    /// Bytes that the store keeps in memory; the process grows to about 1.7 times of it.
    pub cache_capacity: u64,
    /// Records after which a new segment of the log is begun.
    pub segment_records: usize,
    /// Whether a closed segment is removed once its export is written and verified; its records
    /// are then read from the export.
    pub remove_exported: bool,
    /// So many bytes have to be free on the disk for something new to be begun.
    pub reserve: u64,
    /// How long each class of stream is kept.
    pub retention: Retention,
    /// Where signed checkpoints go.
    pub checkpoints: Checkpoints,
}

/// `journal.checkpoints.*`: what the journal was, signed, now and then.
#[derive(Clone, Debug)]
pub struct Checkpoints {
    /// How long the journal may grow until it is signed again.
    pub interval: Duration,
    /// A file elsewhere that each is added to.
    pub file: Option<PathBuf>,
    /// A server that each is posted to.
    pub url: Option<Url>,
}

/// `journal.retention.*`: `None` keeps for ever.
#[derive(Clone, Debug)]
pub struct Retention {
    /// Executions, counted from their last event.
    pub execution: Option<Duration>,
    /// Sessions, counted from their end.
    pub session: Option<Duration>,
    /// Replaced revisions of flows, bindings, stages and brands.
    pub catalog: Option<Duration>,
    /// Replaced revisions of users, groups and tokens.
    pub directory: Option<Duration>,
}

/// Ten minutes: little enough to lose the evidence of, and thousands of signatures a year.
const INTERVAL: Duration = Duration::from_mins(10);

impl Journal {
    pub(super) fn read(from: &mut Reader) -> Self {
        Self {
            url: from.secret("journal.url"),
            password: from.secret("journal.password"),
            ca: from
                .optional("journal.ca", |text| Ok(text.to_owned()))
                .map(PathBuf::from),
            connections: from.count("journal.connections", 16),
            cache_capacity: from.size("journal.cache_capacity", 16 << 20),
            segment_records: from.count("journal.segment_records", 500_000),
            remove_exported: from.parsed("journal.remove_exported", false, value::truth),
            reserve: from.size("journal.reserve", 64 << 20),
            retention: Retention {
                execution: from.retention("journal.retention.execution", None),
                session: from.retention("journal.retention.session", None),
                catalog: from.retention("journal.retention.catalog", None),
                directory: from.retention("journal.retention.directory", None),
            },
            checkpoints: Checkpoints {
                interval: from.duration("journal.checkpoints.interval", INTERVAL),
                file: from
                    .optional("journal.checkpoints.file", |text| Ok(text.to_owned()))
                    .map(PathBuf::from),
                url: from.optional("journal.checkpoints.url", feed::address),
            },
        }
    }
}
